"""The backward sweep of one layer over a window, with a power-of-two exponent a sequence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.cells.cell import Cell, Tape
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array, Exponents, Scaled, exponent_of, norms, shift
from bpttcli.record import Record

# Steps between two looks at the exponent: a look costs as much as one step or two.
_BLOCK = 128
# Mantissas within 2^±64 are left as they are, so that ordinary runs carry exponent 0.
_IDLE = 64
_NO_SIZE = -(2**62)


class Flow(Record, frozen=True):
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

    @property
    def silent(self) -> bool:
        """Whether nothing arrives."""
        return not any(state.any() for state in self.adjoint)


class LayerSweep(Record, frozen=True):
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

    def deltas(self, cell: Cell, tape: Tape, row: int = 0) -> tuple[Scaled, Scaled]:
        """∂ℓ_n/∂(A x_t) and ∂ℓ_n/∂(B h_{t-1}) of one row, (n, N, G·H); one object if equal."""
        exponent = self.exponent[:, row, :, None]
        # Out of several rows, once, since all that reads it would have to make a copy.
        delta = np.ascontiguousarray(self.delta[:, row])
        own = cell.recurrent_delta(tape, delta)
        fed = Scaled(delta, exponent)
        return fed, fed if own is delta else Scaled(own, exponent)

    def summed(self, first: int = 0, rows: int | None = None) -> LayerSweep:
        """Add up the rows from index `first` on, so many of them or all, to one."""
        those = slice(first, None if rows is None else first + rows)
        exponent = self.exponent[:, those]
        adjoint = tuple(state[:, those] for state in self.adjoint)
        delta = self.delta[:, those]
        leaving = tuple(state[those] for state in self.out.adjoint)
        if exponent.shape[1] == 1:
            norm = tuple(norm[:, those] for norm in self.norm)
            out = Flow(leaving, self.out.exponent[those])
            return LayerSweep(adjoint, delta, exponent, norm, out)
        *sums, total = _sums((*adjoint, delta), exponent, axis=1)
        found = [norms(state.mantissa) for state in sums]
        gone = _sums(leaving, self.out.exponent[those], axis=0)
        return LayerSweep(
            tuple(state.mantissa for state in sums),
            total.mantissa,
            total.exponent,
            tuple(Scaled(norm.mantissa, norm.exponent + total.exponent) for norm in found),
            Flow(tuple(state.mantissa for state in gone), gone[0].exponent),
        )


def sweep_layer(
    cell: Cell,
    layer: Layer,
    tape: Tape,
    flow: Flow,
    inject: Scaled | None = None,
    edges: Array | None = None,
    own: bool = False,
) -> LayerSweep:
    """Carry the adjoint of one layer from the last step of a window to the first.

    Mantissas are brought back towards 1 every few steps, by powers of two, which change no
    digit; a block of steps in which they came near the ends of float64's range is done
    again in smaller blocks, down to a single step that starts at 1. Only a step that shrinks
    an adjoint by more than 2^-1000 by itself can make it an exact zero.

    Parameters
    ----------
    cell : Cell
    layer : Layer
    tape : Tape
        Of the window's n steps.
    flow : Flow
        What arrives at the last step from later ones.
    inject : Scaled of shape (n, R′, N, H), optional
        The hidden adjoint from outside the recurrence, with exponents (n, R′, N, 1); it enters
        the first R′ ≤ R rows.
    edges : (n, R) array, optional
        Factor on what passes from each step to the one before it; 0 cuts.
    own : bool
        Go by the cell's own path alone, never through B.

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
    apart = cell.carry is None and not layer.B.any()
    passed = _passed(cell, n, rows, edges, own, apart=apart)
    last, arriving = n, flow
    with np.errstate(all="ignore"):
        # 0 · ∞ is no number, but nothing crosses a cut: then each step's cut is made by hand.
        by_hand = edges is not None and not _is_finite(flow, inject)
        longest = length = 1 if by_hand else _BLOCK
        while last:
            first = max(0, last - length)
            added, idle = None, _IDLE if length > 1 else 1
            level = _level(arriving, None, idle)
            if fresh is not None and fresh.present(first, last):
                level = _level(arriving, fresh.level(first, last), idle)
                added = fresh.scaled(first, last, level)
            for slot, state in zip(slots, arriving.adjoint, strict=True):
                slot[last] = shift(state, (arriving.exponent - level)[..., None])
            slopes = tuple(slope[first:last] for slope in tape.slopes)
            block_slots = tuple(slot[first : last + 1] for slot in slots)
            cut = None if wide_edges is None else wide_edges[first:last]
            if own:
                cell.carry_back(slopes, block_slots, delta[first:last], added, cut)
            else:
                cell.retreat(slopes, layer, block_slots, delta[first:last], added, cut)
            if by_hand and cut is not None:
                for slot in block_slots:
                    np.copyto(slot[0], 0.0, where=cut[0] == 0)
            found = [norms(slot) for slot in block_slots]
            unsafe = not all(
                _is_safe(block, state, passes[first:last])
                for block, state, passes in zip(found, arriving.adjoint, passed, strict=True)
            )
            if fresh is not None and added is not None:
                # What enters beside much larger ones may be lost without a living neighbour.
                unsafe |= fresh.lost(first, last, found[0])
            if length > 1 and unsafe:
                length = max(1, (last - first) // 2)
                continue
            exponent[first:last] = level
            for kept, block in zip(norm, found, strict=True):
                kept.mantissa[first:last] = block.mantissa[1:]
                kept.exponent[first:last] = block.exponent[1:] + level
            arriving = Flow(tuple(slot[first].copy() for slot in slots), level)
            last, length = first, min(2 * length, longest)
    return LayerSweep(tuple(slot[1:] for slot in slots), delta, exponent, norm, arriving)


def _is_finite(flow: Flow, inject: Scaled | None) -> bool:
    """Tell whether all that enters a window is finite, by sums that are finite only then."""
    entering = [state.sum() for state in flow.adjoint]
    if inject is not None:
        entering.append(inject.mantissa.sum())
    return bool(np.isfinite(entering).all())


class _Injection(Record, frozen=True):
    """The adjoint from outside, and the binary exponent of its norms."""

    mantissa: Array  # (n, R′, N, H), for the first R′ ≤ R rows
    exponent: Exponents  # (n, R′, N)
    size: Exponents  # (n, R′, N); _NO_SIZE where there is nothing

    @classmethod
    def of(cls, inject: Scaled) -> _Injection:
        """Measure it."""
        found = norms(inject.mantissa)
        exponent = np.broadcast_to(inject.exponent, (*found.exponent.shape, 1))[..., 0]
        size = exponent + found.exponent + exponent_of(found.mantissa)
        return cls(inject.mantissa, exponent, np.where(found.mantissa == 0, _NO_SIZE, size))

    def present(self, first: int, last: int) -> bool:
        """Whether anything enters in a block."""
        return bool((self.size[first:last] != _NO_SIZE).any())

    def level(self, first: int, last: int) -> Exponents:
        """Return the largest size in a block, for each row and sequence."""
        return np.asarray(self.size[first:last].max(axis=0))

    def lost(self, first: int, last: int, norm: Scaled) -> bool:
        """Whether something enters a block where the norms of its n + 1 adjoints have nothing."""
        entering = self.size[first:last] != _NO_SIZE
        return bool((entering & (norm.mantissa[1:, : entering.shape[1]] == 0)).any())

    def scaled(self, first: int, last: int, level: Exponents) -> Array:
        """Mantissas of a block under the exponent `level`."""
        exponent = self.exponent[first:last]
        return shift(self.mantissa[first:last], (exponent - level[: exponent.shape[1]])[..., None])


def _sums(arrays: tuple[Array, ...], exponent: Exponents, axis: int) -> list[Scaled]:
    """Add up rows of arrays that share their exponents; the sums share theirs."""
    if not exponent.any():
        level = exponent.max(axis=axis, keepdims=True)
        return [Scaled(array.sum(axis=axis, keepdims=True), level) for array in arrays]
    size = np.maximum.reduce([np.abs(array).max(axis=-1) for array in arrays])
    found = np.where(size > 0, exponent + exponent_of(size), _NO_SIZE)
    level = found.max(axis=axis, keepdims=True)
    level = np.where(level == _NO_SIZE, 0, level)
    moved = (exponent - level)[..., None]
    return [Scaled(shift(array, moved).sum(axis=axis, keepdims=True), level) for array in arrays]


def _level(arriving: Flow, fresh: Exponents | None, idle: int) -> Exponents:
    """Choose a block's exponent: the size of the larger of what arrives and what is added."""
    size = np.abs(arriving.adjoint[0]).max(axis=-1)
    for state in arriving.adjoint[1:]:
        size = np.maximum(size, np.abs(state).max(axis=-1))
    level = np.where(size > 0, arriving.exponent + exponent_of(size), _NO_SIZE)
    if fresh is not None:
        entered = level[: len(fresh)]
        np.maximum(entered, fresh, out=entered)
    level = np.where(level == _NO_SIZE, arriving.exponent, level)
    return np.where(np.abs(level - arriving.exponent) < idle, arriving.exponent, level)


def _passed(
    cell: Cell, n: int, rows: int, edges: Array | None, own: bool, *, apart: bool
) -> list[NDArray[np.bool_]]:
    """Tell for each state where something passes to the step before, (n, R, 1) each."""
    passed = np.ones((n, rows, 1), dtype=bool) if edges is None else edges[..., None] != 0
    if apart:
        # B = 0: zeros are the rule, and to look at each of them would take a sweep of its own.
        passed = np.zeros_like(passed)
    each = [passed] * len(cell.states)
    if own and len(each) > 1:
        # Only the last state is carried: the hidden state ends at once, and nothing is lost.
        each[0] = np.zeros_like(passed)
    return each


def _is_safe(norm: Scaled, arriving: Array, passed: NDArray[np.bool_]) -> bool:
    """Whether no digit was lost on a block's way, given the norms of its n + 1 adjoints.

    A sum of squares far from 1 tells that they are on their way out of the range. A single
    step may leave it at once: then a zero or a NaN stands next to what is neither, and only
    a smaller block can tell whether an edge, a slope or the weights made it.
    """
    if norm.exponent.any() or np.isinf(norm.mantissa).any():
        return False
    alive = norm.mantissa > 0
    lost = alive[1:] & ~alive[:-1] & passed
    return not (lost.any() or ((np.abs(arriving).max(axis=-1) > 0) & ~alive[-1]).any())
