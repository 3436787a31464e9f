"""What is multiplied in again at every step back: powers of B, and the slope of φ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.eigenvalues import by_modulus
from bpttcli.diagnostics.matrix_powers import MatrixPowers, PowerNorms, power_norms
from bpttcli.engine.cells.cell import Cell, Tape
from bpttcli.engine.scaled import Array, Scaled, near_one, norms
from bpttcli.record import Record

#: Vectors and matrices up to this many units are read number by number.
IN_FULL = 4

_ROUND_LAGS = (0, 1, 2, 3, 4, 5, 10, 20, 50)


class RepeatedFactor(Record, frozen=True):
    """How the gradient of the last target step changes with the lag k, and what changes it.

    p_{τ−k} = J_{τ−k+1}ᵀ … J_τᵀ p_τ with J_t = diag(φ′(a_t)) B: for a linear cell (Bᵀ)^k p_τ.

    Parameters
    ----------
    k : (n,) array of int
        Lags, round ones and the largest.
    gradient : Scaled of shape (n, H)
        p_{τ−k} of the top layer.
    factor : Scaled of shape (n,)
        Product, over the k steps, of the mean over units of what B is multiplied with: φ′(a_t);
        for a gated cell of the gate that passes a unit's own past on.
    powers : PowerNorms or None
        ρ^k and ‖B^k‖₂; None for a gated cell, where B is not the only way back.
    matrices : tuple of Scaled of shape (H, H), or None
        B^k; None also above `IN_FULL` units.
    eigenvalues : (H,) complex array or None
        Of B, by falling modulus.
    """

    k: NDArray[np.int64]
    gradient: Scaled
    factor: Scaled
    powers: PowerNorms | None
    matrices: tuple[Scaled, ...] | None
    eigenvalues: NDArray[np.complex128] | None

    @property
    def norm(self) -> Scaled:
        """‖p_{τ−k}‖ by lag."""
        found = norms(self.gradient.mantissa)
        return Scaled(found.mantissa, found.exponent + self.gradient.exponent[:, 0])


def repeated_factor(cell: Cell, B: Array, tape: Tape, propagated: Scaled) -> RepeatedFactor:
    """Follow one sequence back from its last target step τ.

    Parameters
    ----------
    cell : Cell
    B : (G·H, H) array
        Of the top layer.
    tape : Tape
        Of the top layer: steps 1 … τ of that one sequence, N = 1.
    propagated : Scaled of shape (τ, H)
        p_t, with exponents (τ, 1).

    Returns
    -------
    RepeatedFactor
    """
    tau = len(propagated.mantissa)
    k = np.array([*(lag for lag in _lags(tau) if lag < tau - 1), tau - 1], dtype=np.int64)
    at = tau - 1 - k
    gradient = Scaled(propagated.mantissa[at], propagated.exponent[at])
    gated = cell.carry is not None
    if gated:
        by_step = tape.gates[cell.logistic.index(str(cell.carry))].mean(axis=(1, 2))
    else:
        by_step = tape.slopes[0].mean(axis=(1, 2))
    factor = _products(by_step[::-1])[k]
    if gated:
        return RepeatedFactor(k, gradient, factor, None, None, None)
    values = np.linalg.eigvals(B)
    values = values[by_modulus(values)].astype(np.complex128)
    rho = Scaled(np.asarray(np.abs(values[0])), np.zeros((), dtype=np.int64))
    powers = power_norms(MatrixPowers(B), rho, k.tolist())
    matrices = _matrices(B, k) if len(B) <= IN_FULL else None
    return RepeatedFactor(k, gradient, factor, powers, matrices, values)


def _lags(tau: int) -> list[int]:
    """Small lags, then round ones as far as they go."""
    more = [m * 10**d for d in range(2, len(str(tau))) for m in (1, 2, 5)]
    return [*_ROUND_LAGS, *more]


def _products(factors: Array) -> Scaled:
    """1, f_1, f_1 f_2, … as numbers with an exponent."""
    with np.errstate(divide="ignore"):
        bits = np.concatenate([[0.0], np.cumsum(np.log2(factors))])
    alive = np.isfinite(bits)
    whole = np.floor(np.where(alive, bits, 0.0))
    mantissa = np.where(alive, np.exp2(np.where(alive, bits - whole, 0.0)), 0.0)
    return Scaled(mantissa, whole.astype(np.int64))


def _matrices(B: Array, k: NDArray[np.int64]) -> tuple[Scaled, ...]:
    """B^k for rising k, each from the one before it."""
    done, power, found = 0, Scaled.of(np.eye(len(B))), []
    for lag in k.tolist():
        while done < lag:
            flat = near_one((power.mantissa @ B).reshape(-1))
            power = Scaled(flat.mantissa.reshape(B.shape), power.exponent + flat.exponent[0])
            done += 1
        found.append(power)
    return tuple(found)
