"""Estimators of the gradient side by side with the exact one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import msgspec

from bpttcli.diagnostics.apriori_bias import decay_per_lag
from bpttcli.diagnostics.comparing import Comparing
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality
from bpttcli.diagnostics.gradient_geometry import Gradient
from bpttcli.diagnostics.lag_profile import LagProfile
from bpttcli.record import Record
from bpttcli.truncation.estimator import Estimator
from bpttcli.truncation.full import Full
from bpttcli.truncation.randomized import Randomized


class Comparison(Record, frozen=True):
    """Estimators of one gradient side by side.

    Parameters
    ----------
    loss : float
        L.
    gradient : dict of str to Scaled
        ∂L/∂θ, exact.
    estimators : tuple of EstimatorQuality
        The exact one first, the others by their error at equal cost.
    profile : LagProfile
    warnings : tuple of str
        Doubts about the figures, each with a next step.
    """

    loss: float
    gradient: Gradient
    estimators: tuple[EstimatorQuality, ...]
    profile: LagProfile
    warnings: tuple[str, ...]


def compare_truncation(
    comparing: Comparing,
    estimators: Sequence[Estimator],
    *,
    lags: int = 200,
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Measure estimators against the exact gradient.

    Parameters
    ----------
    comparing : Comparing
    estimators : sequence of Estimator
    lags : int
        Of the lag profile.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    Comparison
    """
    parts = len(estimators) + 1

    def part(i: int) -> Callable[[float], None] | None:
        return None if progress is None else lambda share: progress((i + share) / parts)

    found = []
    for i, estimator in enumerate(estimators):
        found.append(comparing.quality(estimator, part(i)))
        if progress is not None:
            progress((i + 1) / parts)
    profile = comparing.profile(lags, part(len(estimators)))
    doubts = dict(_doubts(found, estimators, profile))
    found = [
        msgspec.structs.replace(each, variance=UNSETTLED) if each.label in doubts else each
        for each in found
    ]
    found.sort(key=_error)
    return Comparison(
        float(comparing.full.loss.mean()),
        comparing.full.gradient,
        (comparing.quality(Full()), *found),
        profile,
        tuple(doubts.values()),
    )


def _doubts(
    found: list[EstimatorQuality], estimators: Sequence[Estimator], profile: LagProfile
) -> Iterator[tuple[str, str]]:
    """Name the estimators whose sampled spread cannot settle, and say why.

    A sampled variance has a finite error only where the fourth moment of the estimate has:
    of a network whose adjoint is multiplied by β per lag, where β⁴ < (1 − p)³.
    """
    beta = decay_per_lag(profile.adjoint)
    drawn = {each.label for each in found if each.draws}
    for each in estimators:
        if isinstance(each, Randomized) and each.label in drawn:
            q = 1.0 - each.probability
            if beta**4 >= q**3:
                yield (
                    each.label,
                    f"the sampled std of {each.label} cannot settle, however many the draws: each "
                    f"step back multiplies the gradient by {beta:.3g}, and {beta:.3g}^4 is not "
                    f"below (1 - p)^3 = {q**3:.3g}; --exact-variance computes it",
                )


def _error(quality: EstimatorQuality) -> tuple[bool, float]:
    """Sort by the error at equal cost; what has none, or none to trust, comes last."""
    error = quality.rmse_at_equal_cost
    return math.isnan(error) or quality.variance == UNSETTLED, error
