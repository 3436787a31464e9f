"""Numbers with an exponent of their own, for what leaves the range of float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.record import Record

Array = NDArray[np.float64]
Exponents = NDArray[np.int64]

LOG10_2 = float(np.log10(2.0))

# ldexp takes a C int; beyond this every float64 mantissa is 0 or infinite anyway.
_LARGEST_SHIFT = 5000

# Numbers smaller than the largest of a sum by this many bits are not there.
_NEGLIGIBLE = -400
# Rows within 2^±64 multiply each other without coming near the ends of the range.
NEAR = 64
_NO_SIZE = -(2**62)

# Sums of squares in here are good to the last digit, with room for a block of further steps.
_SAFE_LOW, _SAFE_HIGH = 2.0**-800, 2.0**800


class Scaled(Record, frozen=True):
    """An array of float64 mantissas, each times two to the power of its own exponent.

    Parameters
    ----------
    mantissa : array
        Any shape. NaN where the number is undefined.
    exponent : array of int64
        Broadcastable to the shape of `mantissa`.
    """

    mantissa: Array
    exponent: Exponents

    @classmethod
    def of(cls, value: Any) -> Scaled:
        """Take plain numbers, with exponent 0."""
        return cls(np.asarray(value, dtype=np.float64), np.zeros((), dtype=np.int64))

    @property
    def value(self) -> Array:
        """The numbers as float64: 0 or infinite where they leave its range."""
        return shift(self.mantissa, self.exponent)

    @property
    def log10(self) -> Array:
        """Decimal logarithm of the magnitude; −inf for an exact zero."""
        return self._log(np.log10, LOG10_2)

    @property
    def log2(self) -> Array:
        """Binary logarithm of the magnitude; −inf for an exact zero."""
        return self._log(np.log2, 1.0)

    @property
    def ln(self) -> Array:
        """Natural logarithm of the magnitude; −inf for an exact zero."""
        return self._log(np.log, float(np.log(2.0)))

    def _log(self, logarithm: Any, per_bit: float) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(logarithm(np.abs(self.mantissa)) + self.exponent * per_bit)

    def __getitem__(self, index: Any) -> Scaled:
        """Select along the axes of the array."""
        exponent = np.broadcast_to(self.exponent, self.mantissa.shape)
        return Scaled(np.asarray(self.mantissa[index]), np.asarray(exponent[index]))

    def aligned(self, axis: int | tuple[int, ...] | None = None) -> Scaled:
        """Give all numbers along `axis` one exponent, under which the largest is near 1.

        What is smaller than the largest by more than 2^-400 becomes 0, which no sum over
        them could tell apart. Numbers that share an exponent already are left as they are.
        """
        exponent = self.exponent
        if self.is_even:
            return self
        rows = tuple(
            i for i, n in enumerate(exponent.shape) if n == 1 and self.mantissa.shape[i] > 1
        )
        largest = np.abs(self.mantissa).max(axis=rows, keepdims=True)
        # A zero has no size: its exponent must not decide anybody's scale.
        size = np.where(largest == 0, _NO_SIZE, exponent + exponent_of(largest))
        top = size.max(axis=axis, keepdims=True)
        top = np.where(top == _NO_SIZE, 0, top)
        # Far below the largest nothing is left to add; subnormal numbers would only be slow.
        kept = size - top >= _NEGLIGIBLE
        with np.errstate(invalid="ignore"):
            near = self.mantissa * kept
        return Scaled(shift(near, np.where(kept, exponent - top, 0)), top)

    @property
    def is_even(self) -> bool:
        """Whether all numbers have the same exponent."""
        return not np.any(self.exponent != self.exponent.reshape(-1)[:1])

    def sum(self, axis: int | tuple[int, ...] | None = None) -> Scaled:
        """Sum along `axis`, without leaving the range on the way."""
        return self.aligned(axis)._reduced(np.sum, axis)

    def mean(self, axis: int) -> Scaled:
        """Arithmetic mean along `axis`."""
        total = self.sum(axis)
        return Scaled(total.mantissa / self.mantissa.shape[axis], total.exponent)

    def min(self, axis: int) -> Scaled:
        """Smallest number along `axis` (of numbers that are not negative)."""
        exponent = np.broadcast_to(self.exponent, self.mantissa.shape)
        lowest = exponent.min(axis=axis, keepdims=True)
        # Under the lowest exponent the others may become infinite, but never the smallest.
        return Scaled(shift(self.mantissa, exponent - lowest), lowest)._reduced(np.min, axis)

    def max(self, axis: int) -> Scaled:
        """Largest number along `axis` (of numbers that are not negative)."""
        return self.aligned(axis)._reduced(np.max, axis)

    def _reduced(self, reduction: Any, axis: int | tuple[int, ...] | None) -> Scaled:
        """Reduce numbers that share their exponents along `axis`."""
        mantissa = np.asarray(reduction(self.mantissa, axis=axis))
        missing = self.mantissa.ndim - self.exponent.ndim
        exponent = self.exponent.reshape((1,) * missing + self.exponent.shape).max(axis=axis)
        return Scaled(mantissa, np.broadcast_to(exponent, mantissa.shape))

    def __add__(self, other: Scaled) -> Scaled:
        """Add element by element."""
        if not (self.exponent.any() or other.exponent.any()):
            total = self.mantissa + other.mantissa
            return Scaled(total, np.zeros(total.shape, dtype=np.int64))
        exponents = [np.broadcast_to(a.exponent, a.mantissa.shape) for a in (self, other)]
        return Scaled(np.stack([self.mantissa, other.mantissa]), np.stack(exponents)).sum(axis=0)

    def sqrt(self) -> Scaled:
        """Square roots."""
        odd = self.exponent % 2
        return Scaled(np.sqrt(self.mantissa * 2.0**odd), (self.exponent - odd) // 2)

    def norm(self) -> Scaled:
        """Euclidean (Frobenius) norm over all elements, as one number."""
        a = self.aligned()
        total = norms(a.mantissa.reshape(-1))
        return Scaled(total.mantissa, total.exponent + a.exponent.reshape(-1)[0])


def shift(mantissa: Array, exponent: Exponents | int) -> Array:
    """Multiply by powers of two, exactly, with 0 and ±inf where float64 ends."""
    if not np.any(exponent):
        return mantissa
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if np.abs(exponent).max() <= 1000:
            # One power of two for a whole row is cheaper than ldexp for each of its numbers.
            return np.asarray(mantissa * np.ldexp(1.0, np.asarray(exponent, dtype=np.intc)))
        bounded = np.clip(exponent, -_LARGEST_SHIFT, _LARGEST_SHIFT).astype(np.intc)
        return np.asarray(np.ldexp(mantissa, bounded))


def norms(rows: Array) -> Scaled:
    """Euclidean norms along the last axis, which neither overflow nor underflow.

    Parameters
    ----------
    rows : (..., n) array

    Returns
    -------
    Scaled of shape (...)
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.asarray(np.einsum("...i,...i->...", rows, rows))
        exponent = np.zeros(squares.shape, dtype=np.int64)
        odd = outside(squares)
        if not odd.any():
            return Scaled(np.sqrt(squares), exponent)
        some = rows[odd]
        size = exponent_of(np.abs(some).max(axis=-1, initial=0.0))
        unit = shift(some, -size[..., None])
        squares[odd] = np.einsum("...i,...i->...", unit, unit)
        exponent[odd] = size
        return Scaled(np.sqrt(squares), exponent)


def near_one(rows: Array) -> Scaled:
    """Move the size of each row along the last axis to its exponent, if it is far from 1.

    Parameters
    ----------
    rows : (..., n) array

    Returns
    -------
    Scaled of shape (..., n), its exponents (..., 1)
    """
    found = norms(rows)
    size = (found.exponent + exponent_of(found.mantissa))[..., None]
    size = np.where(np.abs(size) < NEAR, 0, size)
    return Scaled(shift(rows, -size), size)


def outside(squares: Array) -> NDArray[np.bool_]:
    """Tell which sums of squares may have lost digits to the ends of float64's range."""
    return ~((squares >= _SAFE_LOW) & (squares <= _SAFE_HIGH))


def exponent_of(size: Array) -> Exponents:
    """Return the binary exponent of each number; 0 for zero and for what is not finite."""
    exponent = np.frexp(size)[1].astype(np.int64)
    return np.where(np.isfinite(size), exponent, 0)
