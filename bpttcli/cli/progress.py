"""A progress bar for work that turns out to take a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from bpttcli.cli.terminal import Terminal

# Shorter work is over before anybody has read a bar.
_PATIENCE = 0.8


class Progress:
    """A bar on standard error, in a terminal only, that appears after a moment.

    Parameters
    ----------
    terminal : Terminal
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._began = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def part(self, begin: float, end: float) -> Callable[[float], None]:
        """Return what a piece of work calls with its own share done, from 0 to 1.

        Parameters
        ----------
        begin, end : float
            The shares of the whole work between which this piece lies.
        """
        return lambda share: self._update(begin + (end - begin) * share)

    def stop(self) -> None:
        """Take the bar down."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _update(self, share: float) -> None:
        if self._bar is None:
            waited = time.monotonic() - self._began
            if waited < _PATIENCE or not self._terminal.is_watched:
                return
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                console=Console(file=self._terminal.err),
                transient=True,
            )
            self._task = self._bar.add_task("", total=1.0)
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, completed=share)
