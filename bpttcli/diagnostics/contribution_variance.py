"""The variance of a sum over all steps of δ_t u_tᵀ, where δ is cut at random on its way back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bpttcli.diagnostics.adjoint_covariance import NOTHING, AdjointCovariance, binary_sizes
from bpttcli.engine.scaled import NEAR, Array, Exponents, Scaled, near_one, shift


class ContributionVariance:
    """tr Cov of G = Σ_t Σ_n δ_t u_tᵀ with δ_t = E_tᵀ ĝ_t, for each u that meets this δ.

    The covariance of an adjoint with an earlier one is carried back by the Jacobians and the
    mean factor, Cov(ĝ_τ, ĝ_t) = Cov(ĝ_τ) Φ(τ, t), so that (sequences left out)

        tr Cov G = Σ_t |u_t|² tr(E_tᵀ Cov(ĝ_t) E_t) + 2 Σ_{t<τ} (u_τ·u_t) tr(V_τ Φ(τ, t) E_t),

    V_τ = E_τᵀ Cov(ĝ_τ). The sum over τ is kept as Z = Σ_τ (V_τ Φ) ⊗ u_τ, as large as the
    derivative of the states by the weights. To carry Z back through every step would be most
    of the work; the V_τ of the last L steps are carried one by one instead, and Z once in
    L steps, which for u of width I and L = √(2I/N) is less by a factor of √(I/(2N)).

    Parameters
    ----------
    batch : int
        N.
    gates, size : int
        Rows G·H of the weights, and the number S_k of the states that hear them.
    widths : sequence of int
        Sizes I of the u.
    length : int
        L, which changes the work and not the result (see `delay`).
    """

    def __init__(
        self, batch: int, gates: int, size: int, widths: Sequence[int], length: int
    ) -> None:
        self._length = length
        rows = self._length * batch * gates
        self._gates = gates
        # V_τ Φ of the steps since Z was carried last: rows (τ, n, i) for each sequence m.
        self._recent, self._spare = (np.empty((batch, rows, size)) for _ in range(2))
        self._row_exponent = np.empty((self._length, batch), dtype=np.int64)
        self._count = 0
        # Φ since Z was carried last.
        self._since = np.broadcast_to(np.eye(size), (batch, size, size))
        self._sums = [_Carried(batch, self._length, width) for width in widths]

    def enter(self, fed: Sequence[Array]) -> None:
        """Begin with a part of the steps.

        Parameters
        ----------
        fed : sequence of (n, N, I) arrays
            The u of its steps.
        """
        for carried, u in zip(self._sums, fed, strict=True):
            carried.enter(u)

    def add(self, index: int, by_delta: Scaled, adjoint: AdjointCovariance) -> None:
        """Count a step in.

        Parameters
        ----------
        index : int
            Of the step in the part, from 0.
        by_delta : Scaled of shape (N, G·H, S_k)
            E_tᵀ.
        adjoint : AdjointCovariance
            At this step.
        """
        if self._count == self._length:
            self._carry()
        batch, size = len(self._recent), self._recent.shape[2]
        heard = slice(adjoint.exponent.shape[1] - size, None)
        E, exponent = _under(by_delta, adjoint, heard)
        flat = E.reshape(batch, -1, 1)
        V = np.matmul(E[:, None], adjoint.covariance[:, :, heard, heard])
        j, self._count = self._count, self._count + 1
        steps = self._recent.reshape(batch, self._length, batch, self._gates, size)
        steps[:, j] = V.swapaxes(0, 1)
        self._row_exponent[j] = exponent
        # tr(V_τ Φ E_t), which counts twice where τ is later.
        recent = self._recent.reshape(batch, self._length * batch, -1)[:, : (j + 1) * batch]
        traces = np.matmul(recent, flat).reshape(batch, j + 1, batch)
        traces[:, :j] *= 2.0
        rows = self._row_exponent[: j + 1]
        through = None
        for carried in self._sums:
            carried.count_recent(index, traces, rows)
            if carried.Z is not None:
                if through is None:
                    through = 2.0 * np.matmul(E, self._since.swapaxes(-1, -2))
                carried.count_older(index, carried.Z, through, exponent)

    def back(self, K: Array, mean: float) -> None:
        """Go to the step before.

        Parameters
        ----------
        K : (N, S, S) array
            As `AdjointCovariance.back` returns it.
        mean : float
            Of the factor on the edge.
        """
        if not self._count and all(carried.Z is None for carried in self._sums):
            return
        size = self._recent.shape[2]
        first = K.shape[1] - size
        K = mean * K[:, first:, first:]
        rows = slice(0, self._count * len(K) * self._gates)
        np.matmul(self._recent[:, rows], K, out=self._spare[:, rows])
        self._recent, self._spare = self._spare, self._recent
        self._since = np.matmul(self._since, K)

    def total(self) -> list[Scaled]:
        """Return tr Cov for each u, numbers of shape ()."""
        return [carried.total() for carried in self._sums]

    def _carry(self) -> None:
        """Carry Z to this step, and let the recent steps join it."""
        batch, size = len(self._recent), self._recent.shape[2]
        recent = self._recent.reshape(batch, self._length * batch, -1)
        for carried in self._sums:
            carried.join(recent, self._row_exponent, self._since)
        self._count = 0
        self._since = np.broadcast_to(np.eye(size), (batch, size, size))


class _Carried:
    """Z for one u, and what has been counted of its variance."""

    def __init__(self, batch: int, length: int, width: int) -> None:
        self.Z: Array | None = None  # (N, I, G·H·S_k)
        self._Z_exponent = 0
        self._remembered = np.empty((length, batch, width))
        self._remembered_exponent = np.empty((length, batch), dtype=np.int64)
        # Mantissas and exponents of what has been counted.
        self._terms: list[tuple[float, int]] = [(0.0, 0)]
        self.enter(np.empty((0, batch, width)))

    def enter(self, u: Array) -> None:
        """Take the u of a part, each with an exponent of its own, as far as it needs one."""
        with np.errstate(all="ignore"):
            scaled = near_one(u)
        self._u, self._u_exponent = scaled.mantissa, scaled.exponent[..., 0]
        # The steps of the part for which Z u is known, and Z u.
        self._ahead, self._heard = range(0), u

    def count_recent(self, index: int, traces: Array, rows: Exponents) -> None:
        """Count the covariance with the recent steps, this one the last: (N, τ, N) traces."""
        count, batch = rows.shape
        self._remembered[count - 1] = self._u[index]
        self._remembered_exponent[count - 1] = self._u_exponent[index]
        u = self._remembered[:count].reshape(count * batch, -1)
        dots = np.dot(self._u[index], u.T).reshape(traces.shape)
        exponent = rows + self._remembered_exponent[:count]
        self._count(dots * traces, exponent[-1][:, None, None] + exponent)

    def count_older(self, index: int, Z: Array, through: Array, exponent: Exponents) -> None:
        """Count the covariance with what Z holds, given 2 Φ E_t under this exponent (N,)."""
        if index not in self._ahead:
            # What Z says to the u of several steps is one matrix product.
            self._ahead = range(max(0, index + 1 - len(self._remembered)), index + 1)
            u = self._u[self._ahead.start : self._ahead.stop].swapaxes(0, 1)
            self._heard = np.matmul(u, Z)
        heard = self._heard[:, index - self._ahead.start]
        sums = np.matmul(heard[:, None], through.reshape(len(heard), -1, 1))
        self._count(sums[:, 0, 0], exponent + self._u_exponent[index] + self._Z_exponent)

    def join(self, recent: Array, rows: Exponents, since: Array) -> None:
        """Let recent steps join what Z, carried by Φ, holds; recent is (N, (τ, n), G·H·S_k)."""
        u, exponent = self._remembered, rows + self._remembered_exponent
        level = int(np.where((rows == NOTHING) | ~u.any(axis=-1), NOTHING, exponent).max())
        if self.Z is not None:
            level = max(level, self._Z_exponent)
        if level < NOTHING // 2:
            return
        u = shift(u, np.maximum(exponent - level, NOTHING)[..., None])
        joined = np.matmul(u.reshape(recent.shape[1], -1).T, recent)
        if self.Z is not None:
            batch, size = since.shape[:2]
            shape = self.Z.shape
            older = np.matmul(self.Z.reshape(batch, -1, size), since).reshape(shape)
            joined += shift(older, np.asarray(self._Z_exponent - level))
        self.Z, self._Z_exponent = joined, level
        self._ahead = range(0)

    def total(self) -> Scaled:
        """Return the sum of what has been counted."""
        mantissa, exponent = zip(*self._terms, strict=True)
        return Scaled(np.array(mantissa), np.array(exponent)).sum()

    def _count(self, terms: Array, exponent: Exponents) -> None:
        """Add up the terms of one step."""
        if exponent.any():
            found = Scaled(terms, exponent).sum()
            self._terms.append((float(found.mantissa), int(found.exponent)))
        else:
            self._terms.append((float(terms.sum()), 0))


def delay(batch: int, steps: int, width: int) -> int:
    """Choose L, for u of so many numbers together: see `ContributionVariance`.

    Examples
    --------
    >>> delay(1, 1000, 128), delay(32, 1000, 16), delay(1, 8, 128)
    (16, 1, 8)
    """
    return max(1, min(steps, round(math.sqrt(2.0 * width / batch))))


def _under(by_delta: Scaled, adjoint: AdjointCovariance, heard: slice) -> tuple[Array, Exponents]:
    """E_tᵀ for the adjoint's mantissas, and an exponent for each sequence, (N,)."""
    exponent, sizes = adjoint.exponent[:, heard], adjoint.sizes[:, heard]
    reach = binary_sizes(by_delta.mantissa, by_delta.exponent) + sizes[:, None]
    level = reach.max(axis=(1, 2))
    level = np.where(level < NOTHING // 2, NOTHING, np.where(np.abs(level) < NEAR, 0, level))
    if not (exponent.any() or level.any() or by_delta.exponent.any()):
        return by_delta.mantissa, level
    under = by_delta.exponent + exponent[:, None] - level[:, None, None]
    empty = (sizes == NOTHING)[:, None] | (level == NOTHING)[:, None, None]
    return shift(by_delta.mantissa, np.where(empty, NOTHING, under)), level
