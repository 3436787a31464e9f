"""Powers of B by squaring, with a power-of-two exponent: nothing overflows on the way."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.extreme_values import (
    ITERATIVE_TOLERANCE,
    LARGEST_DENSE,
    largest_singular_value,
)
from bpttcli.engine.scaled import Array, Scaled, exponent_of, shift

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class PowerNorms:
    """ρ^k beside ‖B^k‖.

    Parameters
    ----------
    k : (n_powers,) array of int
    rho, norm : Scaled of shape (n_powers,)
        ρ(B)^k and ‖B^k‖₂.
    relative_error : (n_powers,) array
        Order of the rounding error of `norm`, relative and to first order: k·n·ε times how
        much larger the powers on the way were than what became of them. That factor is about
        1 for a normal matrix, at most of the order of the eigenvectors' condition, and
        finite for a defective matrix too. From 1 on no digit is certain; NaN where `norm`
        is 0.
    """

    k: NDArray[np.int64]
    rho: Scaled
    norm: Scaled
    relative_error: Array


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """B^k as a mantissa with largest entry in [½, 1) and an exponent."""

    mantissa: Array
    exponent: int
    lost: float
    """Largest ‖X‖‖Y‖/‖XY‖ of the products behind it: what cancelled."""

    @classmethod
    def of(cls, matrix: Array, exponent: int = 0, lost: float = 1.0) -> Power:
        """Bring the largest entry into [½, 1)."""
        size = int(exponent_of(np.abs(matrix).max()))
        return cls(shift(matrix, -size), exponent + size, lost)

    def norm(self) -> Scaled:
        """‖B^k‖₂, by a dense singular value decomposition."""
        sigma = np.linalg.svd(self.mantissa, compute_uv=False)[0]
        return Scaled(np.asarray(sigma), np.asarray(self.exponent))

    def norm_bound(self) -> Scaled:
        """‖(XᵀX)²‖_F^¼, which is above ‖X‖₂ by at most n^⅛ and cheaper."""
        gram = self.mantissa.T @ self.mantissa
        return Scaled(np.sqrt(np.sqrt(np.linalg.norm(gram @ gram))), np.asarray(self.exponent))

    def __matmul__(self, other: Power) -> Power:
        """Multiply."""
        product = self.mantissa @ other.mantissa
        # Frobenius norms over √n: 1 for orthogonal factors, as their product loses nothing.
        before = _rms_gain(self.mantissa) * _rms_gain(other.mantissa)
        after = _rms_gain(product)
        lost = before / after if after > before * _EPS**2 else np.inf
        return Power.of(product, self.exponent + other.exponent, max(self.lost, other.lost, lost))


class MatrixPowers:
    """‖B^k‖₂ for any k, from shared squarings B², B⁴, B⁸ and so on.

    Parameters
    ----------
    B : (n, n) array
        Finite, not empty. Entries 1e154 times smaller than the largest have no square.
    """

    def __init__(self, B: Array) -> None:
        self.size = len(B)
        self._squarings = [Power.of(B)]
        self._norms = {0: Scaled.of(1.0)}
        self._lost = {0: 1.0}

    def known(self) -> dict[int, Scaled]:
        """The norms found so far, by k."""
        return dict(self._norms)

    def step(self, power: Power | None) -> Power:
        """B times a power; B itself to start with."""
        return self._squarings[0] if power is None else self._squarings[0] @ power

    def norm(self, k: int) -> Scaled:
        """‖B^k‖₂."""
        if k not in self._norms:
            self._norms[k], self._lost[k] = self._measured(self._factors(k))
        return self._norms[k]

    def relative_error(self, k: int, rho: Scaled) -> float:
        """Order of the relative rounding error of ‖B^k‖₂ (see `PowerNorms`)."""
        if self.norm(k).mantissa == 0:
            return math.nan
        bits = [math.log2(self._lost[k])]
        if rho.mantissa > 0:
            # A perturbation of B meets ‖B^j‖ on its way; what is left of it is at least ρ^j.
            on_the_way = [*(1 << i for i in range(k.bit_length())), k]
            bits += [float(self.norm(j).log2 - j * rho.log2) for j in on_the_way]
        return float(k * self.size * _EPS * 2.0 ** min(max(bits), 1000.0))

    def _factors(self, k: int) -> list[Power]:
        """The squarings whose product is B^k."""
        while len(self._squarings) < k.bit_length():
            self._squarings.append(self._squarings[-1] @ self._squarings[-1])
        return [power for i, power in enumerate(self._squarings) if k >> i & 1]

    def _measured(self, factors: list[Power]) -> tuple[Scaled, float]:
        """Largest singular value of a product, and what cancelled in it."""
        if self.size > LARGEST_DENSE:
            # Products with vectors: the factors need not be multiplied out.
            matrices = [factor.mantissa for factor in factors]
            found = largest_singular_value(
                lambda x: _apply(matrices, x),
                lambda x: _apply([X.T for X in reversed(matrices)], x),
                self.size,
                tolerance=ITERATIVE_TOLERANCE,
            )
            if found is not None:
                exponent = np.asarray(sum(factor.exponent for factor in factors))
                return Scaled(np.asarray(found[0]), exponent), max(f.lost for f in factors)
        power = functools.reduce(operator.matmul, factors)
        return power.norm(), power.lost


def power_norms(powers: MatrixPowers, rho: Scaled, k: Sequence[int]) -> PowerNorms:
    """Put ρ^k and ‖B^k‖₂ side by side.

    Parameters
    ----------
    powers : MatrixPowers
        Of B.
    rho : Scaled of shape ()
        Spectral radius of B.
    k : sequence of int
        From 0 on.

    Returns
    -------
    PowerNorms
    """
    return PowerNorms(
        k=_read_only(np.array(k, dtype=np.int64)),
        rho=_stack([_scalar_power(rho, j) for j in k]),
        norm=_stack([powers.norm(j) for j in k]),
        relative_error=_read_only(
            np.array([powers.relative_error(j, rho) for j in k], dtype=np.float64)
        ),
    )


def _apply(matrices: Sequence[Array], x: Array) -> Array:
    """Multiply by each matrix, the last one first."""
    for X in reversed(matrices):
        x = X @ x
    return x


def _rms_gain(X: Array) -> float:
    """Root mean square of the singular values."""
    return float(np.linalg.norm(X)) / math.sqrt(len(X))


def _scalar_power(x: Scaled, k: int) -> Scaled:
    """x^k by squaring, as one number."""
    mantissa, exponent = 1.0, 0
    for bit in bin(k)[2:]:
        mantissa, exponent = mantissa * mantissa, 2 * exponent
        if bit == "1":
            mantissa, exponent = mantissa * float(x.mantissa), exponent + int(x.exponent)
        mantissa, carry = math.frexp(mantissa)
        exponent += carry
    return Scaled(np.asarray(mantissa), np.asarray(exponent))


def _stack(numbers: Sequence[Scaled]) -> Scaled:
    """One array of single numbers, read-only."""
    mantissa = np.array([x.mantissa for x in numbers], dtype=np.float64)
    exponent = np.array([x.exponent for x in numbers], dtype=np.int64)
    return Scaled(_read_only(mantissa), _read_only(exponent))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Keep a result from being changed."""
    array.setflags(write=False)
    return array
