"""The entry point: what a command raises becomes one line and an exit status."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import cast

from bpttcli.cli.status import Status


def run() -> None:
    """Run ``bptt`` with the arguments of the process, and exit."""
    status = main(sys.argv[1:])
    _leave(status)


def main(arguments: list[str]) -> int:
    """Run ``bptt``.

    Parameters
    ----------
    arguments : list of str
        Without the program's name.

    Returns
    -------
    int
        The exit status.
    """
    try:
        return _main(arguments)
    except KeyboardInterrupt:
        # Wherever it strikes, also while modules load.
        with contextlib.suppress(OSError):
            sys.stderr.write("bptt: interrupted\n")
        return Status.INTERRUPTED
    except BrokenPipeError:
        return Status.DONE


def _main(arguments: list[str]) -> int:
    import typer

    from bpttcli.cli.app import app
    from bpttcli.cli.terminal import ClosedPipeError, Terminal
    from bpttcli.errors import InputError, RunError

    # Typer hands down the usage errors of the Click that it carries, but not their class.
    usage_error = cast("type[Exception]", typer.BadParameter.__mro__[1])
    debug = "--debug" in arguments
    try:
        code = int(app(arguments, standalone_mode=False, prog_name="bptt") or Status.DONE)
    except ClosedPipeError:
        return Status.DONE
    except typer.Abort:
        raise KeyboardInterrupt from None
    except usage_error as error:
        Terminal().complain(_usage(error))
        return Status.USAGE
    except (InputError, RunError) as error:
        if debug:
            raise
        Terminal().complain(str(error))
        return Status.USAGE if isinstance(error, InputError) else Status.FAILED
    except MemoryError:
        if debug:
            raise
        Terminal().complain("out of memory: fewer steps, sequences or units need less")
        return Status.FAILED
    # Typer takes Ctrl-C for an exit like any other; it is worth a word.
    if code == Status.INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _usage(error: Exception) -> str:
    """Say Click's usage errors in one line of this tool's."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    message = " ".join(message.split()).rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "bptt"
    return f"{message[:1].lower()}{message[1:]} (see {path} --help)"


def _leave(status: int) -> None:
    """Exit without the complaints of Python's shutdown about a pipe that is closed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(status)
