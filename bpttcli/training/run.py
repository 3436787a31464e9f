"""A run of training from its first update to its last: rows of the log, the best, the end."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np
from msgspec import to_builtins

from bpttcli.diagnostics.gradient_norms import GradientNorms
from bpttcli.engine.scaled import Array
from bpttcli.record import Record
from bpttcli.training.gauge import Gauge, finite, gradient_figures
from bpttcli.training.progress import Progress, Row, judged
from bpttcli.training.trouble import Trouble
from bpttcli.training.updates import Updates

# So many updates in a row that come to nothing end a run that skips or backs off.
_MOST_REFUSED = 50


class Ending(Record, frozen=True):
    """When a run is over.

    Parameters
    ----------
    updates : int
    minutes, target_loss, patience : float, float, int, optional
        Time spent; a held-out loss that is small enough; rows without a smaller one.
    """

    updates: int
    minutes: float | None = None
    target_loss: float | None = None
    patience: int | None = None

    def expected(self, progress: Progress) -> int:
        """Estimate how many updates there will be, as far as these and the time decide."""
        if self.minutes is None or not progress.update or not progress.seconds:
            return self.updates
        in_time = round(progress.update * 60.0 * self.minutes / progress.seconds)
        return min(self.updates, max(in_time, progress.update))


class Listener(Protocol):
    """Who hears of a run while it goes on."""

    def row(self, row: Row) -> None:
        """Hear of a row of the log."""
        ...

    def update(self, progress: Progress) -> None:
        """Hear that an update is done."""
        ...

    def best(self, parameters: dict[str, Array]) -> None:
        """Hear of parameters better than all before."""
        ...

    def save(self, run: Run) -> None:
        """Keep the run as it is now."""
        ...

    @property
    def interrupted(self) -> bool:
        """Whether the run shall end after this update."""
        ...


class Silent:
    """Hears of a run, and does nothing about it."""

    interrupted = False

    def row(self, row: Row) -> None:
        """Hear of a row (see `Listener.row`)."""

    def update(self, progress: Progress) -> None:
        """Hear of an update (see `Listener.update`)."""

    def best(self, parameters: dict[str, Array]) -> None:
        """Hear of better parameters (see `Listener.best`)."""

    def save(self, run: Run) -> None:
        """Keep nothing (see `Listener.save`)."""


class Run:
    """Trains until an ending is reached.

    Parameters
    ----------
    updates : Updates
    gauge : Gauge
        Measures the rows of the log.
    ending : Ending
    log_every : int
        Updates between two rows.
    save_every : int
        Updates between two checkpoints.
    progress : Progress, optional
        Where to go on from.

    Attributes
    ----------
    progress : Progress

    Examples
    --------
    >>> import bpttcli
    >>> from bpttcli.experiment.settings import Option
    >>> small = [Option("", "task.steps", 10), Option("", "train.updates", 200)]
    >>> run = bpttcli.build_run(bpttcli.build(bpttcli.load(options=small).experiment))
    >>> run.go()
    >>> first, last = run.progress.rows[0], run.progress.rows[-1]
    >>> run.progress.stopped_by, last["update"], last["held_out"] < first["held_out"]
    ('updates', 200, True)
    >>> parameters = run.updates.parameters.copies()
    """

    def __init__(
        self,
        updates: Updates,
        gauge: Gauge,
        ending: Ending,
        *,
        log_every: int = 1,
        save_every: int = 100,
        progress: Progress | None = None,
    ) -> None:
        self.updates, self.gauge, self.ending = updates, gauge, ending
        self.progress = Progress() if progress is None else progress
        self.log_every, self.save_every = log_every, save_every
        self._began = time.perf_counter()

    def look(self) -> GradientNorms:
        """Measure how the gradient travels back through the network now (see `Probe.look`)."""
        return self.gauge.probe.look(self.updates.parameters.network)

    def go(self, listener: Listener | None = None) -> None:
        """Train until an ending is reached, or the listener interrupts.

        Afterwards `progress.stopped_by` says what it was: ``updates``, ``minutes``,
        ``target_loss``, ``patience``, ``diverged``, or None for an interruption.

        Parameters
        ----------
        listener : Listener, optional
            Hears of it while it goes on.
        """
        listener = Silent() if listener is None else listener
        progress = self.progress
        before = progress.seconds
        self._began = time.perf_counter() - before
        if not progress.rows:
            self._log(listener)
        while progress.stopped_by is None and not listener.interrupted:
            progress.stopped_by = self._reached()
            if progress.stopped_by is None:
                self._update()
                progress.seconds = time.perf_counter() - self._began
                listener.update(progress)
            if progress.stopped_by is not None:
                if progress.stopped_by != "diverged" and self._unlogged:
                    self._log(listener)
                break
            if progress.update % self.log_every == 0 and self._unlogged:
                self._log(listener)
            if progress.update % self.save_every == 0:
                listener.save(self)
        progress.seconds = time.perf_counter() - self._began
        if progress.stopped_by != "diverged":
            listener.save(self)

    @property
    def last_good_update(self) -> int:
        """The last update after which the loss was still finite.

        A loss is that of the parameters before the update that it leads to, so a state or an
        output that explodes at update n is the work of update n − 1.
        """
        progress = self.progress
        if not progress.troubles:
            return progress.update
        last = progress.troubles[-1]
        return int(last["update"]) - (2 if last["what"] in ("state", "output") else 1)

    @property
    def _unlogged(self) -> bool:
        return bool(self.progress.rows[-1]["update"] < self.progress.update)

    def _reached(self) -> str | None:
        """Name the ending that is reached, if one is."""
        progress, ending = self.progress, self.ending
        if progress.update >= ending.updates:
            return "updates"
        if ending.minutes is not None and progress.seconds >= 60.0 * ending.minutes:
            return "minutes"
        last = judged(progress.rows[-1])
        if ending.target_loss is not None and last is not None and last <= ending.target_loss:
            return "target_loss"
        if ending.patience is not None and progress.waited >= ending.patience:
            return "patience"
        return None

    def _update(self) -> None:
        """Carry out the next update; take note of what became of it."""
        progress = self.progress
        update = progress.update + 1
        found = self.updates.carry_out(
            update,
            factor=progress.rate_factor,
            first_loss=progress.first_loss,
            norm_before=progress.norm,
        )
        if isinstance(found, Trouble):
            self._trouble(found)
            return
        progress.update = update
        progress.refused = 0
        progress.norm = found.norm if np.isfinite(found.norm) else None
        if progress.first_loss is None:
            progress.first_loss = found.loss
        progress.count(found.loss, found.norm, fired=found.fired)
        progress.last = gradient_figures(found)

    def _trouble(self, found: Trouble) -> None:
        """Decide how to go on after an update that diverged."""
        progress = self.progress
        progress.troubles.append(_plain(found))
        progress.refused += 1
        if self.updates.policy == "stop" or progress.refused >= _MOST_REFUSED:
            progress.stopped_by = "diverged"
            return
        progress.update += 1
        if self.updates.policy == "backoff":
            progress.rate_factor *= 0.5

    def _log(self, listener: Listener) -> None:
        """Add a row to the log, and see whether it is the best so far."""
        progress = self.progress
        row = self.gauge.row(self.updates, progress)
        progress.seconds = row["seconds"] = time.perf_counter() - self._began
        progress.rows.append(row)
        progress.start_row()
        loss = judged(row)
        if loss is not None and (progress.best is None or loss < progress.best):
            progress.best, progress.best_update, progress.waited = loss, row["update"], 0
            listener.best(self.updates.parameters.copies())
        else:
            progress.waited += 1
        listener.row(row)


def _plain(found: Trouble) -> Row:
    """A trouble as plain values."""
    return {key: finite(value) for key, value in to_builtins(found).items()} | {
        "sentence": str(found)
    }
