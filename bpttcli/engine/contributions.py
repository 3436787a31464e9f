"""What each step adds to the gradient of a weight matrix, without building the matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import NEAR, Array, Scaled, exponent_of, near_one, norms, shift
from bpttcli.record import Record

# Numbers in one temporary array: small enough to stay in the processor's cache.
_CHUNK = 2**17
# Below this share of its terms a sum of products has cancelled too far for Gram matrices.
_CANCELLED = 1e-4


class Contributions(Record, frozen=True):
    """What each step of a window adds to a weight matrix, (1/N) Σ_n δ_n u_nᵀ, as its factors.

    Parameters
    ----------
    delta : Scaled of shape (n, N, D)
        ∂ℓ_n/∂(W u), with exponents (n, N, 1).
    fed : (n, N, I) array, or (n, N) array of int
        u, near 1, its size in the exponents of δ; or the index of the 1 in a one-hot u.
    size : Scaled of shape (n, N), or None
        ‖u‖ of what stands in `fed`; None for symbols.
    """

    delta: Scaled
    fed: NDArray[Any]
    size: Scaled | None

    @classmethod
    def of(cls, delta: Scaled, fed: NDArray[Any]) -> Contributions:
        """Bring u near 1, its size into the exponents of δ, unless both are near 1 already.

        Then no product leaves the range, and where nothing was fed δ decides nobody's scale.
        """
        if fed.ndim == 2:
            return cls(delta, fed, None)
        with np.errstate(all="ignore"):
            found = norms(fed)
            size = found.exponent + exponent_of(found.mantissa)
            if delta.is_even and np.abs(size).max() < NEAR:
                return cls(delta, fed, found)
            present = (found.mantissa != 0)[..., None]
            scaled = Scaled(delta.mantissa * present, delta.exponent + size[..., None])
            unit = shift(fed, -size[..., None])
            return cls(scaled, unit, norms(unit))

    def norms(self) -> Scaled:
        """‖(1/N) Σ_n δ_n u_nᵀ‖_F for every step, (n,) (see `contribution_norms`)."""
        fed, batch = self.fed, self.fed.shape[1]
        with np.errstate(all="ignore"):
            found = norms(self.delta.mantissa)
            size = Scaled(found.mantissa, found.exponent + _rows(self.delta))
            if self.size is not None:
                size = Scaled(size.mantissa * self.size.mantissa, size.exponent)
            if batch == 1:
                return size[:, 0]
            bound = size.sum(axis=1)
            rows, level = _unit(self.delta, found)
            width = rows.shape[2] if fed.ndim == 2 else rows.shape[2] + fed.shape[2]
            area = rows.shape[2] * (1 if fed.ndim == 2 else fed.shape[2])
            if fed.ndim == 3 and batch * width > 2 * area:
                squares = _by_matrix(rows, fed)
            else:
                squares = _by_gram(rows, fed)
                ratio = squares / shift(bound.mantissa, bound.exponent - level) ** 2
                lost = np.flatnonzero(~(ratio > _CANCELLED))
                if len(lost):
                    squares[lost] = _by_matrix(rows[lost], fed[lost])
            return Scaled(np.sqrt(squares) / batch, level)

    def sum(self, n_inputs: int) -> Scaled:
        """(1/N) Σ_t Σ_n δ_t,n u_t,nᵀ, (D, I) (see `parameter_gradient`)."""
        with np.errstate(all="ignore"):
            a = self.delta.aligned()
            rows = a.mantissa.reshape(-1, a.mantissa.shape[-1])
            if self.fed.ndim == 2:
                total = _sum_by_symbol(rows, self.fed.reshape(-1), n_inputs).T
            else:
                total = np.dot(rows.T, self.fed.reshape(len(rows), -1))
            return Scaled(total / self.fed.shape[1], a.exponent.reshape(-1)[:1])


def contribution_norms(delta: Scaled, fed: NDArray[Any]) -> Scaled:
    """‖(1/N) Σ_n δ_n u_nᵀ‖_F for every step, u_n being what the weights were fed.

    The square is Σ_ij (δ_i·δ_j)(u_i·u_j)/N²: two N × N Gram matrices a step. The matrices
    themselves are built, a few steps at a time, where that is cheaper or where the terms
    cancel.

    Parameters
    ----------
    delta : Scaled of shape (n, N, D)
        ∂ℓ_n/∂(W u), with exponents (n, N, 1).
    fed : (n, N, I) array, or (n, N) array of int
        u, or the index of the 1 in a one-hot u.

    Returns
    -------
    Scaled of shape (n,)
    """
    return Contributions.of(delta, fed).norms()


def parameter_gradient(delta: Scaled, fed: NDArray[Any], n_inputs: int) -> Scaled:
    """(1/N) Σ_t Σ_n δ_t,n u_t,nᵀ as one matrix product: the gradient of the weights, (D, I).

    Parameters
    ----------
    delta, fed
        As in `contribution_norms`.
    n_inputs : int
        I, which integer `fed` does not tell.
    """
    return Contributions.of(delta, fed).sum(n_inputs)


def bias_gradient(delta: Scaled) -> Scaled:
    """(1/N) Σ_t Σ_n δ_t,n: the gradient of a bias, (D,)."""
    with np.errstate(all="ignore"):
        total = delta.sum(axis=(0, 1))
        return Scaled(total.mantissa / delta.mantissa.shape[1], total.exponent)


def _rows(delta: Scaled) -> Any:
    """Exponents of (n, N) rows that broadcast along the last axis."""
    return np.broadcast_to(delta.exponent, (*delta.mantissa.shape[:2], 1))[..., 0]


def _unit(rows: Scaled, norm: Scaled) -> tuple[Array, Any]:
    """Bring the rows of each step to one exponent, the largest of them near 1."""
    if rows.is_even and not norm.exponent.any():
        # The size of a step's rows, without another look at all their numbers.
        found = near_one(norm.mantissa)
        return shift(rows.mantissa, -found.exponent[..., None]), _rows(rows)[:, 0] + found.exponent[
            :, 0
        ]
    exponent = np.broadcast_to(rows.exponent, (*rows.mantissa.shape[:2], 1))
    aligned = Scaled(rows.mantissa, exponent).aligned(axis=(1, 2))
    level = np.broadcast_to(aligned.exponent, exponent.shape).max(axis=(1, 2))
    unit = near_one(aligned.mantissa.reshape(len(exponent), -1))
    return unit.mantissa.reshape(aligned.mantissa.shape), level + unit.exponent[:, 0]


def _by_gram(rows: Array, fed: NDArray[Any]) -> Array:
    """Squared norms through Gram matrices, (n,)."""
    n, batch = fed.shape[:2]
    squares = np.empty(n)
    piece = max(1, _CHUNK // (batch * max(batch, rows.shape[2])))
    for first in range(0, n, piece):
        d, u = rows[first : first + piece], fed[first : first + piece]
        gram = np.matmul(d, d.transpose(0, 2, 1))
        if u.ndim == 2:
            gram *= u[:, :, None] == u[:, None, :]
        else:
            gram *= np.matmul(u, u.transpose(0, 2, 1))
        squares[first : first + piece] = gram.sum(axis=(1, 2))
    return squares


def _by_matrix(rows: Array, fed: NDArray[Any]) -> Array:
    """Squared norms of the matrices themselves, a few steps at a time, (n,)."""
    squares = np.empty(len(rows))
    width = fed.shape[2] if fed.ndim == 3 else fed.shape[1]
    piece = max(1, _CHUNK // (rows.shape[2] * width))
    for first in range(0, len(rows), piece):
        d, u = rows[first : first + piece], fed[first : first + piece]
        if u.ndim == 2:
            # Equal symbols are one column of the matrix: that of the first of them.
            same = u[:, :, None] == u[:, None, :]
            u = (same & ~np.triu(same, 1).any(axis=1, keepdims=True)).astype(np.float64)
        matrix = np.matmul(d.transpose(0, 2, 1), u)
        squares[first : first + piece] = np.einsum("tij,tij->t", matrix, matrix)
    return squares


def _sum_by_symbol(rows: Array, symbols: NDArray[Any], n_inputs: int) -> Array:
    """Σ of the rows of each symbol, (I, D), in the order of time."""
    order = np.argsort(symbols, kind="stable")
    present, begin = np.unique(symbols[order], return_index=True)
    total = np.zeros((n_inputs, rows.shape[1]))
    total[present] = np.add.reduceat(rows[order], begin, axis=0)
    return total
