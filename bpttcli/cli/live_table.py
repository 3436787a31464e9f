"""The last rows of a run of training and a bar, on standard error while it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bpttcli.training.run import Ending

if TYPE_CHECKING:
    from rich.live import Live
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from bpttcli.cli.terminal import Terminal
    from bpttcli.training.progress import Progress, Row

# Shorter runs are over before anybody has read a table.
_PATIENCE = 0.8
_ROWS = 12
# Seconds between two changes of what is shown.
_PAUSE = 0.1


class LiveTable:
    """Shown where somebody watches, and gone when the run ends.

    Parameters
    ----------
    terminal : Terminal
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._began = self._changed = time.monotonic()
        self._rows: list[Row] = []
        self._live: Live | None = None
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._first, self._ending = 0, Ending(1)

    def begin(self, progress: Progress, ending: Ending) -> None:
        """Take the rows that are there already, and when the run is to end."""
        self._rows = progress.rows[-_ROWS:]
        self._first, self._ending = progress.update, ending

    def row(self, row: Row) -> None:
        """Show one more row."""
        self._rows = [*self._rows, row][-_ROWS:]

    def update(self, progress: Progress) -> None:
        """Move the bar."""
        now = time.monotonic()
        if now - self._changed < _PAUSE or not self._terminal.is_watched:
            return
        self._changed = now
        if self._live is None:
            if now - self._began < _PATIENCE:
                return
            self._start(progress)
        assert self._live is not None
        assert self._bar is not None
        assert self._task is not None
        self._bar.update(
            self._task, completed=progress.update, total=self._ending.expected(progress)
        )
        self._live.update(self._shown(), refresh=True)

    def stop(self) -> None:
        """Take it down."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self, progress: Progress) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        console = Console(file=self._terminal.err)
        self._bar = RichProgress(
            BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
        )
        total = self._ending.expected(progress)
        self._task = self._bar.add_task("", total=total, completed=self._first)
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._live.start()

    def _shown(self) -> Any:
        """Lay out the rows and the bar."""
        from rich.console import Group

        from bpttcli.report.table import laid_out
        from bpttcli.report.training_rows import log_grid

        assert self._live is not None
        assert self._bar is not None
        if not self._rows:
            return self._bar
        encoding = getattr(self._terminal.err, "encoding", None)
        table = laid_out(log_grid(self._rows), self._live.console.width, encoding=encoding)
        return Group(table, self._bar)
