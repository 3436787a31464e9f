"""The covariance of an adjoint that is cut at random, from the last step to the first."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.scaled import NEAR, Array, Exponents, Scaled, exponent_of, shift
from bpttcli.truncation.randomized import Moments

# The size of what is exactly zero: below every other, and far from the ends of int64.
NOTHING = -(2**40)


class AdjointCovariance:
    """Mean and covariance of the estimated adjoints ĝ_t of N sequences that share their cuts.

    With independent factors ξ on the edges, ĝ_t = s_t + ξ_t J_{t+1}ᵀ ĝ_{t+1}, s_t being what
    the step's own loss says. Hence, for the mean v of J_{t+1}ᵀ ĝ_{t+1},

        Cov ĝ_t = E ξ² · J_{t+1}ᵀ Cov(ĝ_{t+1}) J_{t+1} + Var ξ · v vᵀ,

    a sum in which nothing cancels. Cov ĝ_T = 0. All S states of a stack make up one adjoint,
    which counts what a state does to later steps and through its own step's output, but not
    what it does to other states of its step.

    Every state has an exponent, the size of its standard deviation or mean, whichever is
    larger; since a covariance is bounded by those, the mantissas are near 1 or negligible.

    Parameters
    ----------
    batch : int
        N.
    size : int
        S.
    top : slice
        Where the hidden states of the top layer stand, which the loss speaks to.
    moments : Moments
        Of ξ.
    """

    def __init__(self, batch: int, size: int, top: slice, moments: Moments) -> None:
        self._top, self._moments = top, moments
        self._covariance = np.zeros((batch, batch, size, size))
        self._exponent = np.zeros((batch, size), dtype=np.int64)
        self._sizes = np.full((batch, size), NOTHING)
        self._mean = Scaled(np.zeros((batch, size)), self._exponent)

    @property
    def covariance(self) -> Array:
        """Mantissas of Cov(ĝ of sequence n, ĝ of sequence m), (N, N, S, S)."""
        return self._covariance

    @property
    def exponent(self) -> Exponents:
        """Powers of two that multiply the rows and the columns of each sequence, (N, S)."""
        return self._exponent

    @property
    def sizes(self) -> Exponents:
        """Binary exponents of the standard deviations, (N, S); `NOTHING` for none."""
        return self._sizes

    @property
    def silent(self) -> bool:
        """Whether no adjoint is on its way."""
        return not self._mean.mantissa.any() and self.certain

    @property
    def certain(self) -> bool:
        """Whether nothing varies yet."""
        return not self._covariance.any()

    def receive(self, hidden: Array | None) -> None:
        """Let what the step's own loss says enter.

        Parameters
        ----------
        hidden : (N, H) array or None
        """
        if hidden is None:
            return
        said = np.zeros(self._mean.mantissa.shape)
        said[:, self._top] = hidden
        if self._exponent.any():
            self._mean = self._mean + Scaled.of(said)
        else:
            self._mean = Scaled(self._mean.mantissa + said, self._exponent)

    def back(self, J: Scaled) -> Array:
        """Go to the step before.

        Parameters
        ----------
        J : Scaled of shape (N, S, S)
            The states after this step by those before it.

        Returns
        -------
        (N, S, S) array
            J with its rows under the exponents of this step and its columns under those of
            the step before: what it is to mantissas.
        """
        mean, before = self._mean, self._exponent
        mean_sizes = binary_sizes(mean.mantissa, mean.exponent)
        paths = binary_sizes(J.mantissa, J.exponent)
        paths += np.maximum(self._sizes, mean_sizes)[:, :, None]
        self._exponent = _settled(paths.max(axis=1), before)
        absent = self._sizes == NOTHING
        exponents = (before, mean.exponent, J.exponent, self._exponent)
        if absent.any() or any(exponent.any() for exponent in exponents):
            # Where nothing varies J has nothing to act on, and might still leave the range.
            K = _between(J, np.where(absent, NOTHING, before), self._exponent)
            unit = shift(mean.mantissa, mean.exponent - mean_sizes)
            v = np.matmul(unit[:, None], _between(J, mean_sizes, self._exponent))[:, 0]
        else:
            K = J.mantissa
            v = np.matmul(mean.mantissa[:, None], K)[:, 0]
        mean_square = self._moments.mean**2 + self._moments.variance
        passed = np.matmul(K.swapaxes(-1, -2)[:, None], np.matmul(self._covariance, K))
        passed *= mean_square
        passed += self._moments.variance * (v[:, None, :, None] * v[None, :, None, :])
        self._covariance = passed
        self._mean = Scaled(self._moments.mean * v, self._exponent)
        squares = binary_sizes(np.einsum("nnii->ni", passed), np.zeros((), dtype=np.int64))
        self._sizes = np.where(squares == NOTHING, NOTHING, self._exponent + (squares + 1) // 2)
        return K


def binary_sizes(mantissa: Array, exponent: Exponents) -> Exponents:
    """Binary exponents of numbers; `NOTHING` for zero."""
    return np.where(mantissa == 0, NOTHING, exponent + exponent_of(mantissa))


def _settled(size: Exponents, before: Exponents) -> Exponents:
    """Exponents for numbers of these sizes: as before, or none, where that is near enough."""
    exponent = np.where(np.abs(size) < NEAR, 0, size)
    exponent = np.where(np.abs(size - before) < NEAR, before, exponent)
    return np.where(size < NOTHING // 2, NOTHING, exponent)


def _between(J: Scaled, rows: Exponents, columns: Exponents) -> Array:
    """J for mantissas under these exponents: (N, S) each; 0 where there is `NOTHING`."""
    exponent = J.exponent + rows[:, :, None] - columns[:, None, :]
    empty = (rows == NOTHING)[:, :, None] | (columns == NOTHING)[:, None, :]
    return shift(J.mantissa, np.where(empty, NOTHING, exponent))
