"""Clipping: the estimate made shorter, or its entries smaller."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpttcli.engine.scaled import Scaled
from bpttcli.errors import RunError
from bpttcli.record import Record

Gradient = dict[str, Scaled]
"""Arrays under PyTorch's names."""

Place = tuple[int, ...]
"""Index of an entry, from 0."""


class Limits(Record, frozen=True):
    """What a gradient may not exceed.

    Parameters
    ----------
    norm : float, optional
        c of g ← g · min(1, c/‖g‖), ‖·‖ over all parameters together.
    value : float, optional
        v of g_i ← min(max(g_i, −v), v). It comes first where both are given, so that the
        result keeps within both.

    References
    ----------
    Pascanu, Mikolov & Bengio 2013, *On the difficulty of training recurrent neural networks*
    (arXiv:1211.5063), algorithm 1, for the norm; Mikolov 2012 for the value.
    """

    norm: float | None = None
    value: float | None = None

    @property
    def active(self) -> bool:
        """Whether there is a limit at all."""
        return self.norm is not None or self.value is not None


class Clipped(Record, frozen=True):
    """A gradient within its limits, and what that cost.

    Parameters
    ----------
    limits : Limits
    gradient : dict of str to Scaled
    norm, clipped_norm : Scaled of shape ()
        ‖g‖ before and after.
    factor : float
        By which the norm clip multiplied; 1 where it did not fire.
    cosine : float
        Of the gradient after clipping to that before: 1 but for value clipping; NaN where
        one of them is 0.
    fired : bool
        Whether anything changed.
    """

    limits: Limits
    gradient: Gradient
    norm: Scaled
    clipped_norm: Scaled
    factor: float
    cosine: float
    fired: bool

    @property
    def scaled_factor(self) -> Scaled:
        """`factor`, also where it is too small for float64."""
        # A value clip leaves no norm so large that its factor would be.
        if self.factor > 0:
            return Scaled.of(self.factor)
        before, after = self.norm, self.clipped_norm
        return Scaled(after.mantissa / before.mantissa, after.exponent - before.exponent)


def clip(
    gradient: Gradient, limits: Limits, first_step: Callable[[str, Place], int | None] | None = None
) -> Clipped:
    """Clip a gradient.

    Parameters
    ----------
    gradient : dict of str to Scaled
    limits : Limits
    first_step : callable, optional
        Asked, with parameter and index, for the first step that made an entry not finite.

    Returns
    -------
    Clipped

    Raises
    ------
    RunError
        An entry is not finite: a clip would spread it over all parameters.
    """
    bad = not_finite(gradient)
    if bad is not None:
        name, index, value = bad
        at = ", ".join(str(i + 1) for i in index)
        step = None if first_step is None else first_step(name, index)
        since = "" if step is None else f" (step {step} is the first that makes it so)"
        raise RunError(
            f"the gradient of {name} is {value:g} at ({at}){since}; clipping would spread it "
            "over all parameters"
        )
    norm = total_norm(gradient)
    after, value_fired, cosine = gradient, False, 1.0
    if limits.value is not None:
        after, value_fired = _clip_values(gradient, limits.value)
        if value_fired:
            cosine = _cosine(gradient, after)
    factor, clipped_norm = 1.0, total_norm(after) if value_fired else norm
    if limits.norm is not None:
        after, factor, clipped_norm = _clip_norm(after, clipped_norm, limits.norm)
    if norm.mantissa == 0:
        cosine = float("nan")
    fired = value_fired or factor < 1
    return Clipped(limits, after, norm, clipped_norm, factor, cosine, fired)


def total_norm(gradient: Gradient) -> Scaled:
    """‖g‖ over all parameters together, whatever the range of its entries."""
    each = [value.norm() for value in gradient.values()]
    mantissa = np.array([float(norm.mantissa) for norm in each])
    exponent = np.array([int(norm.exponent) for norm in each])
    return Scaled(mantissa, exponent).norm()


def not_finite(gradient: Gradient) -> tuple[str, Place, float] | None:
    """Find the first entry that is no number, or no finite one, by parameter and index from 0."""
    for name, value in gradient.items():
        with np.errstate(all="ignore"):
            total = value.mantissa.sum()
        # A sum is finite if every term is, unless it overflows; only then look where.
        if not np.isfinite(total):
            where = np.argwhere(~np.isfinite(value.mantissa))
            if len(where):
                index = tuple(int(i) for i in where[0])
                return name, index, float(value.mantissa[index])
    return None


def _clip_values(gradient: Gradient, limit: float) -> tuple[Gradient, bool]:
    """Bring every entry within ±limit."""
    after, fired = {}, False
    for name, scaled in gradient.items():
        value = scaled.value
        clipped = np.clip(value, -limit, limit)
        if (clipped != value).any():
            after[name], fired = Scaled.of(clipped), True
        else:
            after[name] = scaled
    return after, fired


def _clip_norm(gradient: Gradient, norm: Scaled, limit: float) -> tuple[Gradient, float, Scaled]:
    """Shorten the gradient to the limit; return it, the factor, and its norm."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        if not float(norm.value) > limit:
            return gradient, 1.0, norm
        by, back = limit / float(norm.mantissa), -norm.exponent
        factor = float(Scaled(np.asarray(by), back).value)
        shortened = {
            name: Scaled.of(Scaled(value.mantissa * by, value.exponent + back).value)
            for name, value in gradient.items()
        }
    return shortened, factor, Scaled.of(limit)


def _cosine(one: Gradient, other: Gradient) -> float:
    """Cosine of the angle between two gradients."""
    lengths = total_norm(one), total_norm(other)
    if not (lengths[0].mantissa and lengths[1].mantissa):
        return float("nan")
    total = 0.0
    for name, value in one.items():
        a = Scaled(value.mantissa / lengths[0].mantissa, value.exponent - lengths[0].exponent)
        b = other[name]
        b = Scaled(b.mantissa / lengths[1].mantissa, b.exponent - lengths[1].exponent)
        total += float(np.sum(a.value * b.value))
    return total
