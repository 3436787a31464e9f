"""What clipping does to an estimate: how often it fires, what it bends, what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import numpy as np

from bpttcli.diagnostics.comparing import Comparing
from bpttcli.diagnostics.gradient_geometry import Gradient
from bpttcli.engine.edges import Factors
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record
from bpttcli.truncation.clipping import Clipped, Limits, clip
from bpttcli.truncation.draws import draw_gradients
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.estimator import Estimator
from bpttcli.truncation.first_not_finite import first_not_finite


class ClipAudit(Record, frozen=True):
    """Clipping over the estimates of one estimator, or over batches.

    Parameters
    ----------
    label : str
        The estimator, or ``batches``: the exact gradient of other batches of the task.
    estimates : int
        How many gradients were clipped.
    fired : float
        Share of them that changed.
    norm, clipped_norm : Scaled of shape (estimates,)
        ‖ĝ‖ before and after, over all parameters together.
    cosine : (estimates,) array
        Of each gradient after clipping to that before: below 1 where values were clipped.
    relative_bias : float
        ‖E clip(ĝ) − g‖/‖g‖ of the same batch; NaN for other batches.
    relative_bias_se : float or None
        √(tr Cov/R)/‖g‖, by which a sampled mean is uncertain; None where nothing is random.
    """

    label: str
    estimates: int
    fired: float
    norm: Scaled
    clipped_norm: Scaled
    cosine: Array
    relative_bias: float
    relative_bias_se: float | None

    @property
    def mean_cosine(self) -> float:
        """The mean of the cosines that there are; NaN for none."""
        known = self.cosine[np.isfinite(self.cosine)]
        return float(known.mean()) if len(known) else float("nan")

    @property
    def least_cosine(self) -> float:
        """The smallest cosine; NaN for none."""
        known = self.cosine[np.isfinite(self.cosine)]
        return float(known.min()) if len(known) else float("nan")


def audit_estimator(
    comparing: Comparing, estimator: Estimator, limits: Limits, draws: int
) -> ClipAudit:
    """Clip the estimates of one estimator; all draws of a random one.

    Parameters
    ----------
    comparing : Comparing
    estimator : Estimator
    limits : Limits
    draws : int
        Of a random estimator.

    Raises
    ------
    RunError
        A gradient is not finite (see `clip`).
    """
    trajectory, objective = comparing.trajectory, comparing.objective
    if not estimator.random:
        edges = estimator.mean(comparing.targets)
        found = estimate(trajectory, objective, edges).gradient
        clipped = [clip(found, limits, partial(first_not_finite, trajectory, objective, edges))]
        bias, _ = _bias(comparing, clipped)
        return _audit(estimator.label, clipped, bias, None)
    exact = comparing.full.gradient
    readout = {name: value for name, value in exact.items() if name.startswith("readout")}
    clipped = []
    for gradients, factors in draw_gradients(
        trajectory, objective, estimator, comparing.seeds(draws), workers=comparing.workers
    ):
        for row, factor in enumerate(factors):
            one: Gradient = {
                name: Scaled(value.mantissa[row], value.exponent[row])
                for name, value in gradients.items()
            }
            first_step = partial(first_not_finite, trajectory, objective, Factors(factor))
            clipped.append(clip(one | readout, limits, first_step))
    return _audit(estimator.label, clipped, *_bias(comparing, clipped))


def audit_batches(batches: Iterable[tuple[Trajectory, Objective]], limits: Limits) -> ClipAudit:
    """Clip the exact gradients of several batches.

    Raises
    ------
    RunError
        A gradient is not finite (see `clip`).
    """
    clipped = [
        clip(estimate(*batch).gradient, limits, partial(first_not_finite, *batch, None))
        for batch in batches
    ]
    return _audit("batches", clipped, float("nan"), None)


def _bias(comparing: Comparing, clipped: list[Clipped]) -> tuple[float, float]:
    """Distance of the mean of clipped gradients to the exact one, and its uncertainty."""
    geometry = comparing.geometry
    if geometry.is_zero("all"):
        return float("nan"), float("nan")
    total, squares = np.zeros(0), 0.0
    for i, each in enumerate(clipped):
        flat = geometry.flat(each.gradient, "all")
        total = flat.copy() if i == 0 else total + flat
        length = geometry.length(flat, "all")
        squares += length * length  # ** would raise where this is inf
    count = len(clipped)
    mean = total / count
    variance = max(0.0, squares / count - geometry.length(mean, "all") ** 2)
    se = math.sqrt(variance / max(1, count - 1))
    return geometry.distance(mean, "all"), se


def _audit(label: str, clipped: list[Clipped], bias: float, se: float | None) -> ClipAudit:
    """Gather the figures of several gradients."""
    return ClipAudit(
        label,
        len(clipped),
        sum(each.fired for each in clipped) / len(clipped),
        _row([each.norm for each in clipped]),
        _row([each.clipped_norm for each in clipped]),
        np.array([each.cosine for each in clipped]),
        bias,
        se,
    )


def _row(norms: list[Scaled]) -> Scaled:
    """Put single numbers in a row."""
    return Scaled(
        np.array([float(norm.mantissa) for norm in norms]),
        np.array([int(norm.exponent) for norm in norms]),
    )
