"""Elman cells: h_t = φ(A x_t + B h_{t-1} + b) (Elman 1990, Cognitive Science 14:179)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.cells.smooth import tanh_slope
from bpttcli.engine.cells.views import Views
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array


class Elman:
    """What the Elman cells share: all but φ and its slope.

    J_t = diag(φ′(a_t)) B, so δ_t = φ′(a_t) ∘ g_t and g_{t-1} gets Bᵀ δ_t.
    """

    name: ClassVar[str]
    gates: ClassVar[tuple[str, ...]] = ("",)
    states: ClassVar[tuple[str, ...]] = ("h",)
    logistic: ClassVar[tuple[str, ...]] = ()
    carry: ClassVar[str | None] = None
    entry: ClassVar[str | None] = None

    def activate(self, a: Array, out: Array) -> None:
        """Write φ(a) to `out`."""
        raise NotImplementedError

    def slope(self, a: Array, h: Array) -> Array:
        """φ′(a), given h = φ(a); may overwrite `a`."""
        raise NotImplementedError

    def saturated(self, tape: Tape) -> Array:
        """Share of saturated units in each step: (n,) array from 0 to 1."""
        raise NotImplementedError

    def drive_bias(self, layer: Layer) -> Array | None:
        """Sum both biases, which add (see `Cell.drive_bias`)."""
        return layer.bias

    def recurrent_delta(self, tape: Tape, delta: Array) -> Array:
        """The same as ∂ℓ_n/∂(A x_t) (see `Cell.recurrent_delta`)."""
        return delta

    def mean_slope(self, tape: Tape) -> Array:
        """Mean φ′(a_t) of each step: (n,) array."""
        return np.asarray(tape.slopes[0].mean(axis=(1, 2)))

    def jacobian(self, tape: Tape, layer: Layer, index: int, sequence: int) -> tuple[Array, Array]:
        """Linearise one step of one sequence (see `Cell.jacobian`)."""
        slope = tape.slopes[0][index, sequence, :, None]
        return slope * layer.B, slope * layer.A

    def advance(self, drive: Array, layer: Layer, start: tuple[Array, ...]) -> Tape:
        """Run forward over a window (see `Cell.advance`)."""
        h = np.empty((len(drive) + 1, *start[0].shape))
        h[0] = start[0]
        transposed = np.ascontiguousarray(layer.B.T)
        recurrent = np.empty(start[0].shape)
        dot, add, activate = np.dot, np.add, self.activate
        # At N = 1 calls are the cost: no allocation, no slicing, nothing looked up twice.
        for a, before, after in zip(drive, h[:-1], h[1:], strict=True):
            dot(before, transposed, recurrent)
            add(a, recurrent, a)
            activate(a, after)
        return Tape((h,), (self.slope(drive, h[1:]),))

    def retreat(
        self,
        slopes: tuple[Array, ...],
        layer: Layer,
        adjoint: tuple[Array, ...],
        delta: Array,
        inject: Array | None,
        edges: Array | None,
    ) -> None:
        """Run the adjoint backward over n steps, in place (see `Cell.retreat`)."""
        views, B = Views(adjoint, inject, edges), layer.B
        (g,) = views.states
        flat_delta = delta.reshape(len(delta), views.flat.shape[1], -1)
        dot, add, multiply = np.dot, np.add, np.multiply
        backward = zip(
            g[:0:-1],
            views.by_row(slopes[0])[::-1],
            delta.reshape(g[1:].shape)[::-1],
            flat_delta[::-1],
            views.flat[-2::-1],
            views.inject,
            views.entered,
            range(len(delta) - 1, -1, -1),
            strict=True,
        )
        for arrived, slope, d, flat_d, below, said, entered, i in backward:
            if said is not None:
                add(entered, said, entered)
            multiply(arrived, slope, d)
            dot(flat_d, B, below)
            if views.edges is not None:
                multiply(g[i], views.edges[i], g[i])


class Tanh(Elman):
    """φ = tanh; a unit with |h| > 0.95 is saturated."""

    name = "tanh"

    def activate(self, a: Array, out: Array) -> None:
        """Write tanh(a) to `out`."""
        np.tanh(a, out)

    def slope(self, a: Array, h: Array) -> Array:
        """1 − tanh²(a), to full relative precision however saturated the unit is."""
        return tanh_slope(a, h)

    def saturated(self, tape: Tape) -> Array:
        """Share of units with |h| > 0.95."""
        h = tape.states[0][1:]
        return np.asarray(np.count_nonzero(np.abs(h) > 0.95, axis=(1, 2)) / h[0].size)


class Relu(Elman):
    """φ = max(0, ·), with φ′(0) = 0; a unit with a ≤ 0 is saturated."""

    name = "relu"

    def activate(self, a: Array, out: Array) -> None:
        """Write max(0, a) to `out`."""
        np.maximum(a, 0.0, out=out)

    def slope(self, a: Array, h: Array) -> Array:
        """1 where a > 0, else 0; NaN where a is."""
        slope = np.greater(a, 0.0, out=np.empty_like(a))
        if np.isnan(h).any():
            slope[np.isnan(h)] = np.nan
        return slope

    def saturated(self, tape: Tape) -> Array:
        """Share of units with a ≤ 0."""
        slope = tape.slopes[0]
        return np.asarray(np.count_nonzero(slope == 0, axis=(1, 2)) / slope[0].size)


class Linear(Elman):
    """φ(a) = a; never saturated."""

    name = "linear"

    def activate(self, a: Array, out: Array) -> None:
        """Write a to `out`."""
        out[...] = a

    def slope(self, a: Array, h: Array) -> Array:
        """One, wherever the state is."""
        return np.ones_like(a)

    def saturated(self, tape: Tape) -> Array:
        """Nothing: (n,) zeros."""
        return np.zeros(len(tape.slopes[0]))
