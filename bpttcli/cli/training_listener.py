"""What happens with a run of training while it goes on: the log, the checkpoints, the screen."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from bpttcli.cli.live_table import LiveTable
from bpttcli.errors import RunError

if TYPE_CHECKING:
    from bpttcli.cli.interruption import Interruption
    from bpttcli.cli.kept_run import KeptRun
    from bpttcli.cli.terminal import Terminal
    from bpttcli.engine.scaled import Array
    from bpttcli.training.progress import Progress, Row
    from bpttcli.training.run import Ending, Run


class TrainingListener:
    """Listens to a run (see `bpttcli.training.run.Listener`).

    Parameters
    ----------
    terminal : Terminal
    kept : KeptRun
        Where checkpoints go.
    log : str or None
        The file that rows are written to.
    interruption : Interruption
    """

    def __init__(
        self, terminal: Terminal, kept: KeptRun, log: str | None, interruption: Interruption
    ) -> None:
        self._kept, self._log_path, self._interruption = kept, log, interruption
        self._live = LiveTable(terminal)
        self._log: BinaryIO | None = None

    def __enter__(self) -> TrainingListener:
        """Open the log."""
        if self._log_path is not None:
            try:
                self._log = open(self._log_path, "wb", buffering=0)
            except OSError as error:
                raise self._failure(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the log, and take the table down."""
        self._live.stop()
        if self._log is not None:
            self._log.close()

    def begin(self, progress: Progress, ending: Ending) -> None:
        """Write the rows that are there already: the log is that of the whole run."""
        for row in progress.rows:
            self._write(row)
        self._live.begin(progress, ending)

    def row(self, row: Row) -> None:
        """Write a row at once."""
        self._write(row)
        self._live.row(row)

    def update(self, progress: Progress) -> None:
        """Show how far the run has come."""
        self._live.update(progress)

    def best(self, parameters: dict[str, Array]) -> None:
        """Keep the best parameters."""
        self._kept.save_best(parameters)

    def save(self, run: Run) -> None:
        """Write a checkpoint."""
        self._kept.save(run)

    @property
    def interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self._interruption.wanted

    def _write(self, row: Row) -> None:
        if self._log is None:
            return
        try:
            self._log.write(msgspec.json.encode(row) + b"\n")
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> RunError:
        return RunError(f"cannot write {self._log_path}: {error.strerror or error}")
