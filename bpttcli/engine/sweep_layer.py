"""The backward sweep of one layer over a window, with a power-of-two exponent a sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bpttcli.engine.cells.cell import Cell, Tape
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array, Exponents, Scaled, exponent_of, norms, outside, shift

# Steps between two looks at the exponent: a look costs as much as one step or two.
_BLOCK = 128
# Mantissas within 2^±64 are left as they are, so that ordinary runs carry exponent 0.
_IDLE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """The adjoint on its way from one step to the one before it.

    Parameters
    ----------
    adjoint : tuple of (R, N, H) arrays
        Mantissas, one array for each state of the cell.
    exponent : (R, N) array of int64
        Power of two that multiplies each sequence's mantissas.
    """

    adjoint: tuple[Array, ...]
    exponent: Exponents

    @classmethod
    def none(cls, cell: Cell, rows: int, batch: int, hidden: int) -> Flow:
        """Nothing arrives: the end of the sequence."""
        zeros = tuple(np.zeros((rows, batch, hidden)) for _ in cell.states)
        return cls(zeros, np.zeros((rows, batch), dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class LayerSweep:
    """Adjoints of one layer over a window of n steps, for R rows sharing a trajectory.

    Parameters
    ----------
    adjoint : tuple of (n, R, N, H) arrays
        ∂ℓ_n/∂(state) after each step, one array for each state of the cell (mantissas).
    delta : (n, R, N, G·H) array
        ∂ℓ_n/∂a_t (mantissas).
    exponent : (n, R, N) array of int64
        Power of two that multiplies both.
    norm : tuple of Scaled of shape (n, R, N)
        ‖adjoint‖ of each step, row and sequence.
    out : Flow
        What reaches the step before the window.
    """

    adjoint: tuple[Array, ...]
    delta: Array
    exponent: Exponents
    norm: tuple[Scaled, ...]
    out: Flow

    def delta_of(self, row: int) -> Scaled:
        """∂ℓ_n/∂a_t of one row: Scaled of shape (n, N, G·H)."""
        return Scaled(self.delta[:, row], self.exponent[:, row, :, None])


def sweep_layer(
    cell: Cell,
    layer: Layer,
    tape: Tape,
    flow: Flow,
    inject: Scaled | None = None,
    edges: Array | None = None,
) -> LayerSweep:
    """Carry the adjoint of one layer from the last step of a window to the first.

    Mantissas are brought back towards 1 every few steps, by powers of two, which change no
    digit; a block of steps in which they came near the ends of float64's range is done
    again in smaller blocks. Only a single step that shrinks an adjoint by more than 2^-600
    can make it an exact zero.

    Parameters
    ----------
    cell : Cell
    layer : Layer
    tape : Tape
        Of the window's n steps.
    flow : Flow
        What arrives at the last step from later ones.
    inject : Scaled of shape (n, R, N, H), optional
        The hidden adjoint from outside the recurrence, with exponents (n, R, N, 1).
    edges : (n, R) array, optional
        Factor on what passes from each step to the one before it; 0 cuts.

    Returns
    -------
    LayerSweep
    """
    n = len(tape.slopes[0])
    rows, batch, hidden = flow.adjoint[0].shape
    slots = tuple(np.empty((n + 1, rows, batch, hidden)) for _ in cell.states)
    delta = np.empty((n, rows, batch, layer.B.shape[0]))
    exponent = np.empty((n, rows, batch), dtype=np.int64)
    norm = tuple(Scaled(np.empty(exponent.shape), np.empty_like(exponent)) for _ in cell.states)
    fresh = None if inject is None else _Injection.of(inject)
    wide_edges = None if edges is None else edges[:, :, None, None]
    length, last, arriving = _BLOCK, n, flow
    with np.errstate(all="ignore"):
        while last:
            first = max(0, last - length)
            added, level = None, _level(arriving, None)
            if fresh is not None and fresh.present[first:last].any():
                level = _level(arriving, fresh.level(first, last))
                added = fresh.scaled(first, last, level)
            for slot, state in zip(slots, arriving.adjoint, strict=True):
                slot[last] = shift(state, (arriving.exponent - level)[..., None])
            cell.retreat(
                tuple(slope[first:last] for slope in tape.slopes),
                layer,
                tuple(slot[first : last + 1] for slot in slots),
                delta[first:last],
                added,
                None if wide_edges is None else wide_edges[first:last],
            )
            found = [_safe_norms(slot[first + 1 : last + 1]) for slot in slots]
            if last - first > 1 and not all(safe for _, safe in found):
                length = (last - first) // 2
                continue
            exponent[first:last] = level
            for kept, (block, _) in zip(norm, found, strict=True):
                kept.mantissa[first:last] = block.mantissa
                kept.exponent[first:last] = block.exponent + level
            arriving = Flow(tuple(slot[first].copy() for slot in slots), level)
            last, length = first, min(2 * length, _BLOCK)
    return LayerSweep(tuple(slot[1:] for slot in slots), delta, exponent, norm, arriving)


@dataclass(frozen=True, slots=True, eq=False)
class _Injection:
    """The adjoint from outside, its mantissas near 1, and where there is any."""

    mantissa: Array  # (n, R, N, H)
    exponent: Exponents  # (n, R, N)
    present: Array  # (n, R, N), of bool

    @classmethod
    def of(cls, inject: Scaled) -> _Injection:
        """Bring mantissas that stand near the ends of the range towards 1."""
        squares = np.einsum("...i,...i->...", inject.mantissa, inject.mantissa)
        exponent = np.broadcast_to(inject.exponent, (*squares.shape, 1))[..., 0]
        mantissa = inject.mantissa
        odd = outside(squares)
        if odd.any():
            size = np.where(odd, exponent_of(np.abs(mantissa).max(axis=-1)), 0)
            mantissa = shift(mantissa, -size[..., None])
            exponent = exponent + size
            squares = np.where(odd, np.abs(mantissa).max(axis=-1), squares)
        return cls(mantissa, exponent, squares != 0)

    def level(self, first: int, last: int) -> Exponents:
        """Return the largest exponent in a block, for each row and sequence; −2^62 for none."""
        used = np.where(self.present[first:last], self.exponent[first:last], -(2**62))
        return np.asarray(used.max(axis=0))

    def scaled(self, first: int, last: int, level: Exponents) -> Array:
        """Mantissas of a block under the exponent `level`."""
        by = self.exponent[first:last] - level
        return shift(self.mantissa[first:last], np.maximum(by, -(2**31))[..., None])


def _level(arriving: Flow, fresh: Exponents | None) -> Exponents:
    """Choose a block's exponent: the size of the larger of what arrives and what is added."""
    size = np.abs(arriving.adjoint[0]).max(axis=-1)
    for state in arriving.adjoint[1:]:
        size = np.maximum(size, np.abs(state).max(axis=-1))
    level = np.where(size > 0, arriving.exponent + exponent_of(size), -(2**62))
    if fresh is not None:
        level = np.maximum(level, fresh)
    level = np.where(level == -(2**62), arriving.exponent, level)
    return np.where(np.abs(level - arriving.exponent) < _IDLE, arriving.exponent, level)


def _safe_norms(block: Array) -> tuple[Scaled, bool]:
    """Return the norms of a block's adjoints, and whether no digit was lost on the way.

    NaN is nobody's rounding error. Neither is an exact zero: in a block that is in range
    only an edge, a slope or weights that are 0 make it.
    """
    found = norms(block)
    return found, not (found.exponent.any() or np.isinf(found.mantissa).any())
