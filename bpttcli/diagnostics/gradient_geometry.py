"""Lengths of gradients and the angles between them, group by group, whatever their range."""

from __future__ import annotations

import math

import numpy as np

from bpttcli.diagnostics.parameter_groups import grouped
from bpttcli.engine.scaled import Array, Scaled, norms, shift

Gradient = dict[str, Scaled]


class Geometry:
    """The exact gradient as the measure of others.

    Parameters
    ----------
    exact : dict of str to Scaled
        g, under PyTorch's names.
    each : bool
        Measure each parameter by itself besides the groups.

    Attributes
    ----------
    groups : dict of str to list of str
        The parameters of each group.
    """

    def __init__(self, exact: Gradient, *, each: bool = False) -> None:
        self._exact = exact
        self.groups = grouped(exact, each=each)
        self._level = {g: self._level_of(names) for g, names in self.groups.items()}
        self._flat = {g: self.flat(exact, g) for g in self.groups}
        self._length = {g: float(norms(flat).value) for g, flat in self._flat.items()}

    def flat(self, gradient: Gradient, group: str) -> Array:
        """A gradient's entries of a group, in units of a power of two near ‖g‖.

        A parameter that is not in `gradient` counts as zero there.
        """
        level = self._level[group]
        return np.concatenate(
            [
                shift(gradient[name].mantissa, gradient[name].exponent - level).ravel()
                if name in gradient
                else np.zeros(self._exact[name].mantissa.size)
                for name in self.groups[group]
            ]
        )

    def is_zero(self, group: str) -> bool:
        """Whether there is nothing to measure by: ‖g‖ is 0, or no number."""
        return not (self._length[group] > 0 and np.isfinite(self._length[group]))

    def size(self, group: str) -> Scaled:
        """‖g‖, in the parameters' own unit."""
        return Scaled(np.asarray(self._length[group]), np.asarray(self._level[group]))

    def length(self, flat: Array, group: str) -> float:
        """‖v‖/‖g‖ of entries in the group's unit."""
        with np.errstate(all="ignore"):
            return float(norms(flat).value) / self._length[group]

    def distance(self, flat: Array, group: str) -> float:
        """‖v − g‖/‖g‖."""
        with np.errstate(all="ignore"):
            return self.length(flat - self._flat[group], group)

    def projection(self, flat: Array, group: str) -> float:
        """⟨v, g⟩/‖g‖²."""
        with np.errstate(all="ignore"):
            unit = self._flat[group] / self._length[group]
            return float(flat @ unit) / self._length[group]

    def cosine(self, flat: Array, group: str) -> float:
        """Cosine of v to g, exactly 1 if v is g; NaN if v is zero."""
        if np.array_equal(flat, self._flat[group]):
            return 1.0
        length = norms(flat)
        with np.errstate(all="ignore"):
            unit = shift(flat / length.mantissa, -length.exponent)
            cosine = float(unit @ (self._flat[group] / self._length[group]))
        # Rounding may carry it past the ends.
        return cosine if math.isnan(cosine) else max(-1.0, min(1.0, cosine))

    def relative(self, size: Scaled, group: str) -> float:
        """A length in the parameters' own unit, in units of ‖g‖."""
        with np.errstate(all="ignore"):
            own = shift(size.mantissa, size.exponent - self._level[group])
            return float(own) / self._length[group]

    def relative_square(self, square: Scaled, group: str) -> Array:
        """Squares of lengths, or inner products, over ‖g‖²."""
        with np.errstate(all="ignore"):
            own = shift(square.mantissa, square.exponent - 2 * self._level[group])
            return np.asarray(own / self._length[group] ** 2)

    def _level_of(self, names: list[str]) -> int:
        """Choose the power of two."""
        with np.errstate(all="ignore"):
            largest = max(float(self._exact[name].norm().log2) for name in names)
        return int(np.floor(largest)) if np.isfinite(largest) else 0
