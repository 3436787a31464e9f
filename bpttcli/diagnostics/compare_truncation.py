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
from bpttcli.diagnostics.overflow_warnings import overflow_warnings
from bpttcli.engine.overflow import first_overflow
from bpttcli.record import Record
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.estimator import Estimator
from bpttcli.truncation.full import Full
from bpttcli.truncation.randomized import Randomized, Unreweighted

# A network that lets the gradient grow by less than this over the lags is as good as one that
# lets it decay: the draws see all of it.
_GROWN = 10.0


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
    nothing = comparing.geometry.is_zero("all")
    doubts = {} if nothing else dict(_doubts(found, estimators, profile))
    found = [
        msgspec.structs.replace(each, variance=UNSETTLED) if each.label in doubts else each
        for each in found
    ]
    found.sort(key=_error)
    loss = float(comparing.full.loss.mean())
    return Comparison(
        loss,
        comparing.full.gradient,
        (comparing.quality(Full()), *found),
        profile,
        (*_overflow(comparing, loss), *doubts.values()),
    )


def _doubts(
    found: list[EstimatorQuality], estimators: Sequence[Estimator], profile: LagProfile
) -> Iterator[tuple[str, str]]:
    """Name the estimators whose sampled spread cannot settle, and say why.

    A sampled variance has a finite error only where the fourth moment of the estimate has.
    Of a network whose adjoint is multiplied by β per lag, where what crosses k edges arrives
    with probability q^k and weight q^−k, it has for β⁴ < q³; without the weights, for
    β⁴ < 1/q; where probability and weight are powers of k, for β < 1.
    """
    beta = decay_per_lag(profile.adjoint)
    if math.isnan(beta):
        return  # nothing crosses more than one lag
    drawn = {each.label for each in found if each.draws}
    for each in estimators:
        if each.label not in drawn:
            continue
        if isinstance(each, Randomized | Unreweighted):
            q = 1.0 - each.probability
            limit, of = (
                (q**3, "(1 - p)^3") if isinstance(each, Randomized) else (1 / q, "1/(1 - p)")
            )
            because = f"{beta:.3g}^4 is not below {of} = {limit:.3g}; --exact-variance computes it"
            settles = beta**4 < limit
        elif isinstance(each, Artbp):
            because = "its weights grow too; fewer steps would help"
            settles = beta < 1 or beta ** (profile.lags - 1) < _GROWN
        else:
            continue
        if not settles:
            yield (
                each.label,
                f"the sampled std of {each.label} cannot settle, however many the draws: each "
                f"step back multiplies the gradient by {beta:.3g}, and {because}",
            )


def _overflow(comparing: Comparing, loss: float) -> tuple[str, ...]:
    """Say where the forward pass has left the range, if it has."""
    if math.isfinite(loss) and not comparing.geometry.is_zero("all"):
        return ()
    found = [first_overflow(window) for window in comparing.trajectory.windows()]
    # Windows come from the last to the first.
    earliest = next((each for each in reversed(found) if each is not None), None)
    return overflow_warnings(earliest, loss)


def _error(quality: EstimatorQuality) -> tuple[bool, float]:
    """Sort by the error at equal cost; what has none, or none to trust, comes last."""
    error = quality.rmse_at_equal_cost
    return math.isnan(error) or quality.variance == UNSETTLED, error
