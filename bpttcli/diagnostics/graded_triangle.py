"""Singular values of a long product, held as a triangle whose rows have exponents of their own."""

from __future__ import annotations

import numpy as np

from bpttcli.diagnostics.frame import Triangle, clear_rounding
from bpttcli.diagnostics.pivoted_qr import pivoted_triangle
from bpttcli.engine.scaled import Array, Exponents, shift

# The exponent of a row of zeros: below every other, and far from the ends of int64.
_NOTHING = -(2**40)
# A dense decomposition of rows within 2^20 keeps the values to 2^20 ε = 2e-10.
_NEAR = 20
# What stands beside a diagonal block moves its values by this much, relatively, or by its
# square where the block's values and those after it are apart.
_DECOUPLED, _DECOUPLED_IF_APART, _APART = 1e-11, 1e-6, 0.9
# Diagonal entries this much smaller than their rows do not show the sizes of the values yet.
_HIDDEN = 1e-6
# By then neighbours at a ratio of 0.8 are decoupled.
_MOST_STEPS = 60


class GradedTriangle:
    """A square matrix up to rotations: an upper triangle U, its row i times 2^exponent_i.

    Parameters
    ----------
    U : (n, n) array
        Largest magnitude in each row within [½, 1), or a row of zeros.
    exponent : (n,) array of int
    singular : bool
        Whether the matrix is known to be singular: an exact zero stood on the diagonal.
    """

    def __init__(self, U: Array, exponent: Exponents, *, singular: bool = False) -> None:
        self._U = U
        self._exponent = exponent
        self._singular = singular

    @classmethod
    def identity(cls, n: int) -> GradedTriangle:
        """The product of no matrices."""
        return cls(np.eye(n) / 2, np.ones(n, dtype=np.int64))

    def after(self, factor: Triangle) -> GradedTriangle:
        """Multiply by one more factor from the left."""
        singular = self._singular or not np.diagonal(factor.R).all()
        # Under the exponent of its largest term each row is summed without leaving the range.
        T, exponent = _graded(factor.R, self._exponent)
        U, more = _graded(T @ self._U, np.zeros(1, dtype=np.int64))
        exponent = np.where(more == _NOTHING, _NOTHING, exponent + more + factor.exponent)
        return GradedTriangle(U, exponent, singular=singular)

    def log2_singular_values(self) -> tuple[float, float, float]:
        """Binary logarithms of the largest, the median and the smallest singular value.

        Each is good to about 1e-9 relative to itself, however small beside the largest; the
        median of an even number is the mean of the two in the middle; −inf for zero.

        Notes
        -----
        The transposed triangle is factored again and again (QR iteration without shifts):
        its rows, kept in falling order, decouple by the ratio of their sizes at each step,
        and columns of different sizes cost QR no accuracy. What stays coupled is a block of
        similar sizes, for which a dense decomposition is accurate: of the block for the
        larger of its values, of its inverse for the smaller (as in Demmel & Veselić 1992,
        SIMAX 13:1204, where scaled matrices determine their small singular values).
        """
        n = len(self._U)
        wanted = sorted({0, (n - 1) // 2, n // 2, n - 1})
        triangle = self
        for _ in range(_MOST_STEPS):
            triangle = triangle._refactored()
            blocks = triangle._blocks()
            if all(triangle._is_near(k, *_block_of(k, blocks)) for k in wanted):
                break
        value = {k: triangle._value(k, *_block_of(k, blocks)) for k in wanted}
        low, high = value[n // 2], value[(n - 1) // 2]
        median = high if low == -np.inf and high == -np.inf else np.logaddexp2(low, high) - 1
        smallest = -np.inf if self._singular else value[n - 1]
        return value[0], float(median), smallest

    def _refactored(self) -> GradedTriangle:
        """Factor the transposed matrix, whose columns have the exponents, largest first."""
        W = self._U.T
        if np.abs(np.diagonal(self._U)).min() < _HIDDEN:
            R, order = pivoted_triangle(W, self._exponent)
        else:
            order = np.argsort(-self._exponent, kind="stable")
            R = np.asarray(np.linalg.qr(W[:, order], mode="r"))
        if self._singular:
            clear_rounding(R)
        U, exponent = _graded(R, self._exponent[order])
        return GradedTriangle(U, exponent, singular=self._singular)

    @property
    def _log2_diagonal(self) -> Array:
        """First guess at the singular values."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log2(np.abs(np.diagonal(self._U))) + self._exponent)

    def _blocks(self) -> list[int]:
        """Edges of the diagonal blocks that nothing couples to what comes after them."""
        n = len(self._U)
        diagonal = np.abs(np.diagonal(self._U))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            beside = np.triu(np.abs(self._U), 1) / diagonal[:, None]
        beside = np.where(np.isnan(beside), 0.0, beside)  # rows of zeros couple nothing
        # Largest entry above and to the right of each edge.
        coupled = np.maximum.accumulate(beside, axis=0)
        coupled = np.maximum.accumulate(coupled[:, ::-1], axis=1)[:, ::-1]
        at_edge = coupled[np.arange(n - 1), np.arange(1, n)]
        size = self._log2_diagonal
        before = np.minimum.accumulate(size)[:-1]
        after = np.maximum.accumulate(size[::-1])[::-1][1:]
        apart = after < before + np.log2(_APART)
        free = (at_edge <= _DECOUPLED) | (apart & (at_edge <= _DECOUPLED_IF_APART))
        return [0, *(np.flatnonzero(free) + 1).tolist(), n]

    def _is_near(self, k: int, begin: int, end: int) -> bool:
        """Whether value k is near the largest or the smallest of its block."""
        size = self._log2_diagonal
        whole = size[begin:end]
        if size[k] == -np.inf:
            return end - begin == 1
        return bool(min(whole.max() - size[k], size[k] - whole.min()) <= _NEAR)

    def _value(self, k: int, begin: int, end: int) -> float:
        """Take value k from its block."""
        U, exponent = self._U[begin:end, begin:end], self._exponent[begin:end]
        size = self._log2_diagonal
        if size[k] == -np.inf and (end - begin == 1 or not U.any()):
            return -np.inf
        invertible = bool(np.diagonal(U).all())
        if invertible and size[k] - size[begin:end].min() < size[begin:end].max() - size[k]:
            lowest = int(exponent.min())
            inverse = shift(np.asarray(np.linalg.inv(U), dtype=np.float64), lowest - exponent)
            found = np.linalg.svd(inverse, compute_uv=False)[end - 1 - k]
            return float(lowest - np.log2(found))
        highest = int(exponent.max())
        found = np.linalg.svd(shift(U, (exponent - highest)[:, None]), compute_uv=False)[k - begin]
        return float(highest + np.log2(found)) if found > 0 else -np.inf


def _graded(T: Array, exponent: Exponents) -> tuple[Array, Exponents]:
    """Take T with 2^exponent on its columns; give each row its size as an exponent instead."""
    # A zero has no size: its exponent must not decide anybody's scale.
    size = np.where(T == 0, _NOTHING, np.frexp(T)[1].astype(np.int64) + exponent)
    rows = size.max(axis=1)
    rows = np.where(rows < _NOTHING // 2, _NOTHING, rows)
    return shift(T, np.where(T == 0, 0, exponent - rows[:, None])), rows


def _block_of(k: int, edges: list[int]) -> tuple[int, int]:
    """Find the edges around index k."""
    at = int(np.searchsorted(edges, k, side="right"))
    return edges[at - 1], edges[at]
