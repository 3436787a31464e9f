"""Orthonormal directions that are carried through a product of matrices, and how they grow.

X_m … X_1 Q = Q_m (R_m … R_1): the growth is collected in small triangular factors, while a
plain product would soon hold nothing but its fastest direction (Benettin et al. 1980,
Meccanica 15:9).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpttcli.engine.scaled import Array, Exponents, exponent_of, shift
from bpttcli.errors import RunError
from bpttcli.record import Record

_EPS = float(np.finfo(np.float64).eps)

# A diagonal entry this much below its column has lost four of its sixteen digits.
_SPREAD = 1e4
# Sizes between which no square leaves the range of float64.
_SMALL, _LARGE = 1e-140, 1e140
# Longer products save nothing more, and all their matrices are kept at once.
_LONGEST, _KEPT_NUMBERS = 32, 2**22


class Triangle(Record, frozen=True):
    """An upper triangular factor R · 2^exponent.

    Parameters
    ----------
    R : (n, n) array
    exponent : int
    """

    R: Array
    exponent: int

    @property
    def ln_diagonal(self) -> Array:
        """Natural logarithms of the magnitudes on the diagonal; −inf for an exact zero."""
        with np.errstate(divide="ignore"):
            return np.asarray(
                np.log(np.abs(np.diagonal(self.R))) + self.exponent * float(np.log(2.0))
            )


class Frame:
    """n orthonormal directions in a space of S dimensions.

    Parameters
    ----------
    Q : (S, n) array
        Orthonormal columns.
    """

    def __init__(self, Q: Array) -> None:
        self._Q = Q
        self._stride = 1
        self.longest = min(_LONGEST, max(1, _KEPT_NUMBERS // len(Q) ** 2))
        """How many matrices are worth being carried through at once."""

    def carry(self, matrices: Sequence[Array]) -> Iterator[Triangle]:
        """Carry the directions through some matrices, the first one first.

        Several of them are multiplied before the directions are made orthonormal again, as
        long as the factor says that no digits were lost by it; else they are taken apart. A
        single matrix that mixes sizes is split into its scales and the rest.

        Parameters
        ----------
        matrices : sequence of (S, S) arrays

        Yields
        ------
        Triangle
            Factors whose product, the last one leftmost, is the whole growth.

        Raises
        ------
        RunError
            An entry of a matrix is beyond the range of float64.
        """
        done = 0
        while done < len(matrices):
            stride = min(self._stride, len(matrices) - done)
            with np.errstate(all="ignore"):
                W = self._Q
                for X in matrices[done : done + stride]:
                    W = X @ W
                Q, R = np.linalg.qr(W)
                spread = _spread(R)
            if spread <= _SPREAD:
                factor = Triangle(R, 0)
                if stride == self._stride and spread ** ((stride + 1) / stride) <= _SPREAD:
                    self._stride = min(stride + 1, self.longest)
            elif stride > 1:
                self._stride = stride // 2
                continue
            else:
                Q, factor = _by_scales(matrices[done], self._Q)
            self._Q = Q
            done += stride
            yield factor


def clear_rounding(R: Array) -> None:
    """Make exact zeros, in place, of what a QR leaves of columns that depend on others.

    Parameters
    ----------
    R : (n, n) array
        Upper triangular. Only rows whose diagonal is nothing but rounding are touched.
    """
    noise = len(R) * _EPS * np.sqrt(np.einsum("ij,ij->j", R, R))
    lost = np.abs(np.diagonal(R)) <= noise
    R[lost] = np.where(np.abs(R[lost]) <= noise, 0.0, R[lost])


def _spread(R: Array) -> float:
    """How far the diagonal stays below its columns; inf where that cannot be told."""
    diagonal = np.abs(np.diagonal(R))
    columns = np.sqrt(np.einsum("ij,ij->j", R, R))
    if not (diagonal.min() > _SMALL and columns.max() < _LARGE):  # NaN included
        return np.inf
    return float((columns / diagonal).max())


def _by_scales(X: Array, Q: Array) -> tuple[Array, Triangle]:
    """Factor X Q with X = D Y E, D and E diagonal: the scales of its rows and its columns.

    Householder's QR keeps small rows accurate beside large ones where the large ones come
    first (Cox & Higham 1998, SIMAX 20:344), as in E Q and D Q. What is singular to rounding
    then is Y, which no other units of measurement would help: its zeros are made exact.
    """
    if not np.isfinite(X).all():
        raise RunError("a Jacobian leaves the range of float64; smaller weights keep it inside")
    rows = _scales(X, axis=1)
    Y = shift(X, -rows[:, None])
    columns = _scales(Y, axis=0)
    Y = shift(Y, -columns)
    top_row, top_column = int(rows.max()), int(columns.max())
    Q, inner = _sorted_qr(shift(Q, (columns - top_column)[:, None]))
    Q, R = _sorted_qr(Y @ Q)
    clear_rounding(R)
    Q, outer = _sorted_qr(shift(Q, (rows - top_row)[:, None]))
    with np.errstate(under="ignore"):
        return Q, Triangle(outer @ R @ inner, top_row + top_column)


def _scales(X: Array, axis: int) -> Exponents:
    """Binary exponents of the rows or columns; a zero one counts with the smallest."""
    size = np.abs(X).max(axis=axis)
    exponent = exponent_of(size)
    lowest = exponent[size > 0].min() if size.any() else 0
    return np.where(size == 0, lowest, exponent)


def _sorted_qr(W: Array) -> tuple[Array, Array]:
    """QR with the largest rows first; rows of zeros come last and stay zeros."""
    order = np.argsort(-np.abs(W).max(axis=1), kind="stable")
    sorted_Q, R = np.linalg.qr(W[order])
    Q = np.empty_like(sorted_Q)
    Q[order] = sorted_Q
    return Q, R
