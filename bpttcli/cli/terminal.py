"""Standard output and standard error: what they can show, and what happens when they close."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO, TypeGuard

from bpttcli.errors import RunError
from bpttcli.report.plain import spell

if TYPE_CHECKING:
    from rich.console import Console

# Wider than any table: a pipe has no edge at which to cut one.
_NO_EDGE = 100_000


class Terminal:
    """Where results, notes and errors go.

    Parameters
    ----------
    out, err : text streams, optional
        Standard output and standard error unless given.
    environ : mapping, optional
        The environment unless given: ``NO_COLOR``, ``FORCE_COLOR``, ``TERM``.
    """

    def __init__(
        self,
        out: TextIO | None = None,
        err: TextIO | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        # Python has None for a stream that was closed before it started.
        self.out: TextIO | None = sys.stdout if out is None else out
        self.err: TextIO | None = sys.stderr if err is None else err
        self._environ = os.environ if environ is None else environ
        self.quiet = False

    @property
    def coloured(self) -> bool:
        """Whether standard output takes escape sequences; an empty NO_COLOR counts as unset."""
        if self._environ.get("NO_COLOR"):
            return False
        if self._environ.get("FORCE_COLOR"):
            return True
        return _is_terminal(self.out) and self._environ.get("TERM") not in ("dumb", "unknown")

    @property
    def width(self) -> int:
        """Columns of the terminal that shows the output; without one there is no edge."""
        asked = [self.out]
        if self._environ.get("FORCE_COLOR"):
            # Whoever forces colour into a pipe has a pager there, on the same terminal.
            asked += [self.err, sys.stdin]
        for stream in asked:
            if _is_terminal(stream):
                with contextlib.suppress(OSError, ValueError):
                    return os.get_terminal_size(stream.fileno()).columns or _NO_EDGE
        return _NO_EDGE

    @property
    def encoding(self) -> str | None:
        """Of standard output."""
        return None if self.out is None else self.out.encoding

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees standard error while the command runs."""
        return not self.quiet and _is_terminal(self.err)

    def console(self, *, to_file: bool = False) -> Console:
        """Make a Rich console that collects its text, for a renderer.

        Parameters
        ----------
        to_file : bool
            The text goes to a file: no colours, no edge.
        """
        from rich.console import Console

        coloured = self.coloured and not to_file
        return Console(
            file=io.StringIO(),
            width=_NO_EDGE if to_file else self.width,
            force_terminal=coloured,
            color_system="standard" if coloured else None,
            legacy_windows=False,
            _environ={},
        )

    def write(self, content: str | bytes) -> None:
        """Write a result to standard output.

        Raises
        ------
        BrokenPipeError
            Nobody reads any more.
        RunError
            The system refuses for another reason.
        """
        if self.out is None:
            raise RunError("cannot write standard output: it is closed")
        try:
            if isinstance(content, bytes) and hasattr(self.out, "buffer"):
                self.out.flush()
                self.out.buffer.write(content)
            else:
                self.out.write(content if isinstance(content, str) else content.decode())
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise RunError(f"cannot write standard output: {error.strerror}") from error

    def note(self, text: str) -> None:
        """Say something about the run on standard error, unless told to be quiet."""
        if not self.quiet:
            self.complain(f"note: {text}")

    def complain(self, text: str) -> None:
        """Say what is wrong on standard error."""
        if self.err is None:
            return
        with contextlib.suppress(OSError):  # the exit status still says it
            for line in text.splitlines():
                self.err.write(spell(f"bptt: {line}\n", self.err.encoding))
            self.err.flush()


def _is_terminal(stream: TextIO | None) -> TypeGuard[TextIO]:
    """Whether a person sees what is written there."""
    return stream is not None and not stream.closed and stream.isatty()
