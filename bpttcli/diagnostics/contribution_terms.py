"""What each step adds to the gradient of a parameter: the terms themselves, not their norms."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.contributions import bias_gradient, parameter_gradient
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import Input
from bpttcli.record import Record

# Some sixteen times the spacing of float64.
_ROUNDING = 2.0**-48


class Terms(Record, frozen=True):
    """The terms of one sum over steps, ∂L/∂θ = Σ_t G(t) with G(t) = (1/N) Σ_n δ_t,n u_t,nᵀ.

    They are held as their factors: T matrices would soon be larger than all the rest.

    Parameters
    ----------
    delta : Scaled of shape (T, N, D)
        ∂ℓ_n/∂(W u), with exponents (T, N, 1).
    fed : (T, N, I) array, (T, N) array of int, or None
        u, or the index of the 1 in a one-hot u; None for a bias, which is fed 1.
    n_inputs : int
        I.
    """

    delta: Scaled
    fed: Input | None = None
    n_inputs: int = 1

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.delta.mantissa)

    def between(self, first: int, last: int) -> Scaled:
        """Sum the terms of some steps.

        Parameters
        ----------
        first, last : int
            From 1 to T, both included.

        Returns
        -------
        Scaled of shape (D, I), or (D,) for a bias
            With one exponent, of shape ().
        """
        steps = slice(first - 1, last)
        delta = Scaled(self.delta.mantissa[steps], self.delta.exponent[steps])
        if self.fed is None:
            found = bias_gradient(delta)
        else:
            found = parameter_gradient(delta, self.fed[steps], self.n_inputs)
        return Scaled(found.mantissa, found.exponent.reshape(-1)[0])

    def at(self, step: int) -> Scaled:
        """The term of one step, from 1 to T."""
        return self.between(step, step)

    def total(self) -> Scaled:
        """The sum of all terms, taken term by term from the last step to the first."""
        total = self.at(self.steps)
        for step in range(self.steps - 1, 0, -1):
            total = added(total, self.at(step))
        return total


def added(a: Scaled, b: Scaled) -> Scaled:
    """Add two arrays that have one exponent each, faster than element by element."""
    exponents = np.array([a.exponent.reshape(-1)[0], b.exponent.reshape(-1)[0]])
    both = Scaled(
        np.stack([a.mantissa, b.mantissa]), exponents.reshape(2, *[1] * a.mantissa.ndim)
    ).aligned()
    return Scaled(both.mantissa.sum(axis=0), both.exponent.reshape(-1)[0])


def difference(a: Scaled, b: Scaled) -> Scaled:
    """Subtract, as `added` adds."""
    return added(a, Scaled(-b.mantissa, b.exponent))


def lost_of(exact: Scaled, kept: Scaled) -> Scaled:
    """What is missing from `kept`: exact − kept, but 0 where they differ by rounding alone."""
    found = difference(exact, kept)
    with np.errstate(all="ignore"):
        largest = added(
            Scaled(np.abs(exact.mantissa), exact.exponent),
            Scaled(np.abs(kept.mantissa), kept.exponent),
        )
        size = Scaled(largest.mantissa, largest.exponent - found.exponent).value
        # Sums over rows that are cut in other places round differently.
        rounded = np.abs(found.mantissa) <= _ROUNDING * size
    return Scaled(np.where(rounded, 0.0, found.mantissa), found.exponent)


def relative_difference(a: Scaled, b: Scaled) -> float:
    """‖a − b‖/‖b‖; 0 where both are zero, inf where only b is, NaN where one is undefined."""
    with np.errstate(all="ignore"):
        distance, size = difference(a, b).norm(), b.norm()
        if size.mantissa == 0:
            return 0.0 if distance.mantissa == 0 else float("inf")
        ratio = Scaled(distance.mantissa / size.mantissa, distance.exponent - size.exponent)
        return float(ratio.value)
