"""The entry point: what a command raises becomes one line and an exit status."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import cast

from bpttcli.cli.status import Status


def run() -> None:
    """Run ``bptt`` with the arguments of the process, and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    _leave(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run ``bptt``.

    Parameters
    ----------
    arguments : list of str
        Without the program's name; none at all asks for help.

    Returns
    -------
    int
        The exit status.
    """
    try:
        return _main(arguments or ["--help"])
    except KeyboardInterrupt:
        # Wherever it strikes, also while modules load.
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write("bptt: interrupted\n")
        return Status.INTERRUPTED
    except BrokenPipeError:
        return Status.DONE
    except SystemExit as exit_:
        # Rich, which prints the help, makes a failure of a closed pipe.
        if isinstance(exit_.__context__, BrokenPipeError):
            return Status.DONE
        raise


def _main(arguments: list[str]) -> int:
    """Run a command; say in one line what went wrong."""
    import typer
    from typer.main import get_command

    from bpttcli.cli.app import COMMANDS, app_of
    from bpttcli.cli.terminal import Terminal
    from bpttcli.errors import BpttError

    if "_BPTT_COMPLETE" in os.environ:
        # The shell asks what a word may become; it does not return.
        app_of(COMMANDS)(prog_name="bptt")
    # A misspelt name gets the known ones, and the help tells of all.
    app = app_of(arguments[:1] if arguments[0] in COMMANDS else COMMANDS)
    # Typer hands down the usage errors of the Click that it carries, but not their class.
    usage_error = cast("type[Exception]", typer.BadParameter.__mro__[1])
    try:
        # `app()` would do the same, and have its own ideas of Ctrl-C and of closed pipes.
        with get_command(app).make_context("bptt", arguments) as context:
            context.command.invoke(context)
        return Status.DONE
    except typer.Exit as exit_:
        return exit_.exit_code
    except usage_error as error:
        says, status = _usage(error, arguments), Status.USAGE
    except (BpttError, MemoryError, OSError) as error:
        if isinstance(error, BrokenPipeError) or "--debug" in arguments:
            raise
        says, status = _failure(error)
    Terminal().complain(says)
    return status


def _usage(error: Exception, arguments: list[str]) -> str:
    """Say Click's usage errors in one line of this tool's."""
    message = " ".join((getattr(error, "message", "") or str(error)).split())
    message = message.rstrip(".").replace(". Did you mean", ", did you mean")
    close = getattr(error, "possibilities", None)
    if close and "did you mean" not in message:
        message += f", did you mean {' or '.join(close)}?"
    elif hasattr(error, "possibilities") and hasattr(error, "option_name") and not close:
        message += ", an argument like it stands after --"
    from bpttcli.cli.app import COMMANDS

    context = getattr(error, "ctx", None)
    path = "bptt" if context is None else context.command_path
    if context is None and arguments[0] in COMMANDS:
        # An option without its value is found before there is a context.
        path = f"bptt {arguments[0]}"
    return f"{message[:1].lower()}{message[1:]} (see {path} --help)"


def _failure(error: Exception) -> tuple[str, Status]:
    """Say what ended a run, and with which status."""
    from bpttcli.errors import InputError

    if isinstance(error, MemoryError):
        return "out of memory: fewer steps, sequences or units need less", Status.FAILED
    if isinstance(error, OSError):
        where = error.filename or "standard output"
        return f"cannot use {where}: {error.strerror or error}", Status.FAILED
    return str(error), Status.USAGE if isinstance(error, InputError) else Status.FAILED


def _leave(status: int) -> None:
    """Exit without the complaints of Python's shutdown about a pipe that is closed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(status)
