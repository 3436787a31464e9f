"""Measures a row of the log: losses, the last gradient, and how gradients travel now."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.gradient_norms import GradientNorms
from bpttcli.errors import RunError
from bpttcli.record import Record
from bpttcli.training.evaluate import Evaluation, evaluate
from bpttcli.training.feed import Batch
from bpttcli.training.progress import Progress, Row, judged
from bpttcli.training.updates import Done, Updates
from bpttcli.training.watch import Probe, figures
from bpttcli.truncation.clipping import Limits, clip

_BITS = math.log(2.0)
_GRADIENT = ("grad_norm", "grad_norm_clipped", "clip_factor", "clip_cosine")
_WATCHED = ("growth_per_step", "horizon", "spectral_radius", "spectral_norm", "saturated")


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


class Gauge(Record, frozen=True):
    """What rows are measured with.

    Parameters
    ----------
    probe : Probe
        What the gradient's way back is watched on.
    held_out : HeldOut or None
    baseline : float or None
        The task's loss for a guess.
    in_bits : bool
        Whether the loss is told in bits a symbol too.
    limits : Limits
        Of the clip, for the row before the first update.
    """

    probe: Probe
    held_out: HeldOut | None = None
    baseline: float | None = None
    in_bits: bool = False
    limits: Limits = Limits()

    def row(self, updates: Updates, progress: Progress) -> Row:
        """Measure a row, all but its time.

        Its loss is the mean over the updates since the row before; before the first update it
        is that of the probe, and so is its gradient.

        Parameters
        ----------
        updates : Updates
        progress : Progress
        """
        network = updates.parameters.network
        try:
            found = self.probe.look(network)
        except RunError:
            found = None
        loss, last = None, progress.last
        if progress.counted:
            loss = progress.losses / progress.counted
        elif progress.update == 0 and found is not None:
            loss, last = found.loss, self._before_the_first(found, updates)
        measured = self._evaluation(updates)
        row: Row = {
            "update": progress.update,
            "loss": loss,
            "held_out": None if measured is None else measured.loss,
            "baseline": self.baseline,
            "accuracy": None if measured is None else measured.accuracy,
        }
        row["bits"] = self._in_bits(judged(row))
        row["learning_rate"] = updates.rate(max(progress.update, 1), progress.rate_factor)
        row |= last or dict.fromkeys(_GRADIENT)
        row["clipped"] = progress.fired / progress.counted if progress.counted else None
        row["grad_norm_max"] = progress.largest_norm if progress.counted else None
        row |= dict.fromkeys(_WATCHED) if found is None else figures(found)
        return {key: finite(value) for key, value in row.items()}

    def _evaluation(self, updates: Updates) -> Evaluation | None:
        """Test the network, if there is a test and its forward pass is defined."""
        if self.held_out is None:
            return None
        try:
            return evaluate(updates.parameters.network, self.held_out.batch, self.held_out.judged)
        except RunError:
            return None

    def _in_bits(self, loss: float | None) -> float | None:
        """The loss in bits, where it is told so."""
        return loss / _BITS if self.in_bits and loss is not None else None

    def _before_the_first(self, found: GradientNorms, updates: Updates) -> Row | None:
        """What the clip would make of the probe's gradient."""
        trained = {name: found.gradient[name] for name in updates.parameters.trained}
        try:
            clipped = clip(trained, self.limits)
        except RunError:
            return None
        sizes = float(clipped.norm.value), float(clipped.clipped_norm.value)
        done = Done(found.loss, *sizes, clipped.factor, clipped.cosine, clipped.fired)
        return gradient_figures(done)


def gradient_figures(done: Done) -> Row:
    """What a row holds of the last gradient."""
    values = (done.norm, done.clipped_norm, done.clip_factor, done.clip_cosine)
    return {name: finite(value) for name, value in zip(_GRADIENT, values, strict=True)}


def finite(value: Any) -> Any:
    """None for a float that JSON has no number for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
