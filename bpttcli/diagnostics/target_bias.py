"""The cheapest truncation within a given error."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bpttcli.diagnostics.apriori_bias import APrioriBias, apriori_bias, largest_gain
from bpttcli.diagnostics.comparing import Comparing
from bpttcli.diagnostics.lag_profile import LagProfile
from bpttcli.engine.edges import Factors
from bpttcli.engine.scaled import Scaled
from bpttcli.record import Record
from bpttcli.truncation.draws import gradients_of_rows
from bpttcli.truncation.estimator import Estimator
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.randomized import Randomized
from bpttcli.truncation.sliding import Sliding

# Lengths of fixed segments that share a sweep.
_ROWS = 32
# The probability is found to three digits; that takes some six spreads, and never so many.
_DIGITS, _TRIES, _ROUNDING = 1e-3, 60, 1e-9


class TargetBias(Record, frozen=True):
    """What is within a relative error δ of the exact gradient, all parameters together.

    Parameters
    ----------
    target : float
        δ.
    sliding, fixed : int or None
        The shortest K of sliding(K) and of fixed(K) whose bias is at most δ.
    sliding_from : int or None
        The K from which on every longer window is: a bias may fall and rise again.
    sliding_bias, fixed_bias : float or None
        What it is there.
    probability : float or None
        The largest p of randomized(p) whose standard deviation is at most δ.
    sampled : bool
        Whether that standard deviation is sampled.
    apriori : APrioriBias
        What the decay of the adjoint alone would have told.
    """

    target: float
    sliding: int | None
    sliding_from: int | None
    sliding_bias: float | None
    fixed: int | None
    fixed_bias: float | None
    probability: float | None
    sampled: bool
    apriori: APrioriBias

    @property
    def largest(self) -> float | None:
        """`probability` in three digits, not rounded up."""
        if self.probability is None:
            return None
        unit = 10.0 ** (math.floor(math.log10(self.probability)) - 2)
        # A product may miss the decimal number by its last bit.
        return float(f"{math.floor(self.probability / unit) * unit:.3g}")

    @property
    def estimators(self) -> list[Estimator]:
        """What was found, as estimators."""
        found: list[Estimator] = []
        if self.sliding is not None:
            found.append(Sliding(self.sliding))
        if self.fixed is not None:
            found.append(Fixed(self.fixed))
        if self.largest is not None:
            found.append(Randomized(self.largest))
        return found

    @property
    def apriori_length(self) -> int | None:
        """The window that the a-priori bound asks for."""
        return self.apriori.length(self.target)


def target_bias(
    comparing: Comparing,
    profile: LagProfile,
    target: float,
    progress: Callable[[float], None] | None = None,
) -> TargetBias:
    """Find the cheapest sliding, fixed and randomized truncation.

    Parameters
    ----------
    comparing : Comparing
    profile : LagProfile
        Of as many lags as there are; it is made longer where they do not suffice.
    target : float
        δ, above 0.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    TargetBias
    """
    share = (lambda done: None) if progress is None else progress
    steps = comparing.trajectory.steps
    while profile.bias["all"][-1] > target and profile.lags < steps:
        longer = comparing.profile(2 * profile.lags)
        if longer.lags == profile.lags:
            break
        profile = longer
    share(0.3)
    bias = profile.bias["all"]
    within = bias <= target
    first = int(np.argmax(within)) + 1 if within.any() else None
    outside = np.flatnonzero(~within)
    stays = None if first is None or not within[-1] else int(outside.max(initial=-1)) + 2
    fixed, fixed_bias = _fixed(comparing, target)
    share(0.6)
    probability, sampled = _probability(comparing, target)
    share(0.9)
    return TargetBias(
        target,
        first,
        stays,
        None if first is None else float(bias[first - 1]),
        fixed,
        fixed_bias,
        probability,
        sampled,
        _apriori(comparing, profile),
    )


def _fixed(comparing: Comparing, target: float) -> tuple[int | None, float | None]:
    """Try one length after the other, some of them in one sweep."""
    geometry, steps = comparing.geometry, comparing.trajectory.steps
    if geometry.is_zero("all"):
        return None, None
    if np.count_nonzero(comparing.targets) == 1:
        return _fixed_at_one_step(comparing, target)
    readout = {n: v for n, v in comparing.full.gradient.items() if n.startswith("readout")}
    for first in range(1, steps, _ROWS):
        lengths = range(first, min(first + _ROWS, steps))
        edges = [Fixed(length).mean(comparing.targets) for length in lengths]
        factors = np.stack([each.factor for each in edges if isinstance(each, Factors)])
        found = gradients_of_rows(comparing.trajectory, comparing.objective, factors)
        for row, length in enumerate(lengths):
            one = {n: Scaled(v.mantissa[row], v.exponent[row]) for n, v in found.items()}
            bias = geometry.distance(geometry.flat(one | readout, "all"), "all")
            if bias <= target:
                return length, bias
    return steps, 0.0


def _fixed_at_one_step(comparing: Comparing, target: float) -> tuple[int, float]:
    """Where the loss stands at step τ alone, its segment is a window of known length."""
    step = int(np.argmax(comparing.targets)) + 1
    bias = comparing.profile(step).bias["all"]
    for length in range(1, step):
        window = (step - 1) % length + 1
        if bias[window - 1] <= target:
            return length, float(bias[window - 1])
    return step, 0.0


def _probability(comparing: Comparing, target: float) -> tuple[float | None, bool]:
    """Close in on the largest probability, from both sides.

    The standard deviation over √p rises with p. So p (δ/std)² lies on the other side of the
    solution, seen from any p, and next to it where p is small.
    """
    if comparing.geometry.is_zero("all"):
        return None, False
    low, high, sampled = 0.0, 1.0, False
    p = min(0.5, target**2)  # what it is where a cut costs as much as the gradient
    tried: list[tuple[float, float]] = []
    for _ in range(_TRIES):
        spread = comparing.spread(Randomized(p))
        std, sampled = spread.of("all")[0], spread.variance == "sampled"
        law = p * (target / std) ** 2 if 0 < std < np.inf else 0.0
        if std <= target:
            low, high = p, min(high, law or 1.0)
        else:
            low, high = max(low, law * (1.0 - _ROUNDING)), p
        if high - low <= _DIGITS * low:
            break
        tried = [*tried[-1:], (p, law)]
        p = _between(low, high, tried)
    return (low if low > 0 else None), sampled


def _between(low: float, high: float, tried: list[tuple[float, float]]) -> float:
    """Choose the probability to try next, from what the last two have told."""
    if low == 0:
        return high / 16.0
    if len(tried) == 2 and all(law > 0 for _, law in tried):
        # Powers of p run straight in logarithms: where the line through both reaches δ.
        (before, last), (off_before, off) = (
            np.log([p for p, _ in tried]),
            np.log([law / p for p, law in tried]),
        )
        if off != off_before:
            p = float(np.exp(last - off * (last - before) / (off - off_before)))
            if low < p < high:
                return p
    return float(np.sqrt(low * high))


def _apriori(comparing: Comparing, profile: LagProfile) -> APrioriBias:
    """Bound the bias from norms."""
    bias, share = profile.bias["all"], profile.share["all"]
    # ‖ĝ‖² = ‖g − ĝ‖² − ‖g‖² + 2⟨ĝ, g⟩.
    kept = np.sqrt(np.maximum(bias**2 - 1.0 + 2.0 * share, 0.0))
    return apriori_bias(
        profile.states,
        kept,
        comparing.geometry.size("all"),
        largest_gain(comparing.trajectory, comparing.objective),
        steps=comparing.trajectory.steps,
    )
