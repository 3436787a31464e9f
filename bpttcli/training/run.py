"""A run of training from its first update to its last: rows of the log, the best, the end."""

from __future__ import annotations

import math
import time
from typing import Any, Protocol

import numpy as np
from msgspec import to_builtins
from numpy.typing import NDArray

from bpttcli.diagnostics.gradient_norms import GradientNorms
from bpttcli.engine.scaled import Array
from bpttcli.errors import RunError
from bpttcli.record import Record
from bpttcli.training.evaluate import evaluate
from bpttcli.training.feed import Batch
from bpttcli.training.progress import Progress, Row
from bpttcli.training.trouble import Trouble
from bpttcli.training.updates import Done, Updates
from bpttcli.training.watch import Probe, figures
from bpttcli.truncation.clipping import Limits, clip

# So many updates in a row that come to nothing end a run that skips or backs off.
_MOST_REFUSED = 50
_BITS = math.log(2.0)


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


class HeldOut(Record, frozen=True):
    """Sequences that are never trained on.

    Parameters
    ----------
    batch : Batch
    judged : (T, N) array of bool, optional
        Steps that count for the accuracy; all with a target unless given.
    """

    batch: Batch
    judged: NDArray[np.bool_] | None = None


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


class Run:
    """Trains until an ending is reached.

    Parameters
    ----------
    updates : Updates
    probe : Probe
        What the gradient's way back is watched on.
    ending : Ending
    held_out : HeldOut, optional
    baseline : float, optional
        The task's loss for a guess.
    in_bits : bool
        Whether rows tell the loss in bits a symbol too.
    limits : Limits, optional
        Those of the clip, for the row before the first update.
    log_every : int
        Updates between two rows.
    save_every : int
        Updates between two checkpoints.
    progress : Progress, optional
        Where to go on from.

    Attributes
    ----------
    progress : Progress
    """

    def __init__(
        self,
        updates: Updates,
        probe: Probe,
        ending: Ending,
        *,
        held_out: HeldOut | None = None,
        baseline: float | None = None,
        in_bits: bool = False,
        limits: Limits | None = None,
        log_every: int = 1,
        save_every: int = 100,
        progress: Progress | None = None,
    ) -> None:
        self.updates, self.probe, self.ending = updates, probe, ending
        self.progress = Progress() if progress is None else progress
        self._held_out, self._baseline, self._in_bits = held_out, baseline, in_bits
        self._limits = limits or Limits()
        self._log_every, self._save_every = log_every, save_every
        self._began = time.perf_counter()

    def look(self) -> GradientNorms:
        """Measure how the gradient travels back through the network now (see `Probe.look`)."""
        return self.probe.look(self.updates.parameters.network)

    def go(self, listener: Listener) -> None:
        """Train until an ending is reached, or the listener interrupts.

        Afterwards `progress.stopped_by` says what it was: ``updates``, ``minutes``,
        ``target_loss``, ``patience``, ``diverged``, or None for an interruption.

        Parameters
        ----------
        listener : Listener
        """
        progress = self.progress
        before = progress.seconds
        self._began = time.perf_counter() - before
        if not progress.rows:
            self._log(self._row(None), listener)
        while progress.stopped_by is None and not listener.interrupted:
            progress.stopped_by = self._reached()
            if progress.stopped_by is None:
                done = self._update()
                progress.seconds = time.perf_counter() - self._began
                listener.update(progress)
            if progress.stopped_by is not None:
                if progress.stopped_by != "diverged" and self._unlogged:
                    self._log(self._row(done if progress.counted else None), listener)
                break
            if progress.update % self._log_every == 0 and self._unlogged:
                self._log(self._row(done), listener)
            if progress.update % self._save_every == 0:
                listener.save(self)
        progress.seconds = time.perf_counter() - self._began
        if progress.stopped_by != "diverged":
            listener.save(self)

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
        last = _judged(progress.rows[-1])
        if ending.target_loss is not None and last is not None and last <= ending.target_loss:
            return "target_loss"
        if ending.patience is not None and progress.waited >= ending.patience:
            return "patience"
        return None

    def _update(self) -> Done | None:
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
            return None
        progress.update = update
        progress.refused = 0
        progress.norm = found.norm if np.isfinite(found.norm) else None
        if progress.first_loss is None:
            progress.first_loss = found.loss
        progress.count(found.loss, found.norm, fired=found.fired)
        return found

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

    def _log(self, row: Row, listener: Listener) -> None:
        """Add a row to the log, and see whether it is the best so far."""
        progress = self.progress
        progress.rows.append(row)
        progress.start_row()
        judged = _judged(row)
        if judged is not None and (progress.best is None or judged < progress.best):
            progress.best, progress.best_update, progress.waited = judged, row["update"], 0
            listener.best(self.updates.parameters.copies())
        else:
            progress.waited += 1
        listener.row(row)

    def _row(self, done: Done | None) -> Row:
        """Measure a row; before the first update on the probe, which is seen then anyway."""
        progress, network = self.progress, self.updates.parameters.network
        try:
            found = self.look()
        except RunError:
            found = None
        row: Row = {"update": progress.update, "loss": None, "held_out": None}
        if progress.counted:
            row["loss"] = progress.losses / progress.counted
        elif progress.update == 0 and found is not None:
            row["loss"] = found.loss
        measured = None
        if self._held_out is not None:
            try:
                measured = evaluate(network, self._held_out.batch, self._held_out.judged)
                row["held_out"] = measured.loss
            except RunError:
                measured = None
        row["baseline"] = self._baseline
        row |= self._measures(row, measured.accuracy if measured else None)
        if done is None and progress.update == 0 and found is not None:
            done = self._before_the_first(found)
        row |= {
            "learning_rate": self.updates.rate(max(progress.update, 1), progress.rate_factor),
            "grad_norm": None if done is None else done.norm,
            "grad_norm_clipped": None if done is None else done.clipped_norm,
            "clip_factor": None if done is None else done.clip_factor,
            "clip_cosine": None if done is None else done.clip_cosine,
            "clipped": progress.fired / progress.counted if progress.counted else None,
            "grad_norm_max": progress.largest_norm if progress.counted else None,
        }
        names = ("growth_per_step", "horizon", "spectral_radius", "spectral_norm", "saturated")
        row |= dict.fromkeys(names) if found is None else figures(found)
        progress.seconds = time.perf_counter() - self._began
        row["seconds"] = progress.seconds
        return {key: _finite(value) for key, value in row.items()}

    def _measures(self, row: Row, accuracy: float | None) -> Row:
        """The task's own measures beside the loss."""
        loss = row["loss"] if row["held_out"] is None else row["held_out"]
        bits = loss / _BITS if self._in_bits and loss is not None else None
        return {"accuracy": accuracy, "bits": bits}

    def _before_the_first(self, found: GradientNorms) -> Done | None:
        """What the clip would make of the probe's gradient."""
        trained = {name: found.gradient[name] for name in self.updates.parameters.trained}
        try:
            clipped = clip(trained, self._limits)
        except RunError:
            return None
        return Done(
            found.loss,
            float(clipped.norm.value),
            float(clipped.clipped_norm.value),
            clipped.factor,
            clipped.cosine,
            clipped.fired,
        )


def _judged(row: Row) -> float | None:
    """The loss by which a row is judged."""
    value = row["loss"] if row["held_out"] is None else row["held_out"]
    return None if value is None else float(value)


def _finite(value: Any) -> Any:
    """None for a float that JSON has no number for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(found: Trouble) -> Row:
    """A trouble as plain values."""
    return {key: _finite(value) for key, value in to_builtins(found).items()} | {
        "sentence": str(found)
    }
