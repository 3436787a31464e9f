"""Elman cells: h_t = φ(A x_t + B h_{t-1} + b) (Elman 1990, Cognitive Science 14:179)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array


class Elman:
    """What the Elman cells share: all but φ and its slope.

    J_t = diag(φ′(a_t)) B, so δ_t = φ′(a_t) ∘ g_t and g_{t-1} gets Bᵀ δ_t.
    """

    name: ClassVar[str]
    gates: ClassVar[tuple[str, ...]] = ("",)
    states: ClassVar[tuple[str, ...]] = ("h",)

    def activate(self, a: Array, out: Array) -> None:
        """Write φ(a) to `out`."""
        raise NotImplementedError

    def slope(self, a: Array, h: Array) -> Array:
        """φ′(a), given h = φ(a); may overwrite `a`."""
        raise NotImplementedError

    def saturated(self, tape: Tape) -> Array:
        """Share of saturated units in each step: (n,) array from 0 to 1."""
        raise NotImplementedError

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
        g, B = adjoint[0], layer.B
        rows = g.shape[1] * g.shape[2]
        flat_g = g.reshape(len(g), rows, -1)
        flat_delta = delta.reshape(len(delta), rows, -1)
        if g.shape[1] == 1:
            # One row needs no broadcasting, and NumPy is faster without it.
            g, delta = flat_g, flat_delta
            inject = None if inject is None else inject[:, 0]
            edges = None if edges is None else edges[:, 0]
        dot, add, multiply = np.dot, np.add, np.multiply
        backward = zip(
            g[:0:-1],
            slopes[0][::-1],
            delta[::-1],
            flat_delta[::-1],
            flat_g[-2::-1],
            range(len(delta) - 1, -1, -1),
            strict=True,
        )
        for arrived, slope, d, flat_d, below, i in backward:
            if inject is not None:
                add(arrived, inject[i], arrived)
            multiply(arrived, slope, d)
            dot(flat_d, B, below)
            if edges is not None:
                multiply(g[i], edges[i], g[i])


class Tanh(Elman):
    """φ = tanh; a unit with |h| > 0.95 is saturated."""

    name = "tanh"

    def activate(self, a: Array, out: Array) -> None:
        """Write tanh(a) to `out`."""
        np.tanh(a, out)

    def slope(self, a: Array, h: Array) -> Array:
        """1 − tanh²(a), to full relative precision however saturated the unit is."""
        # 1 − h² cancels as |h| → 1 and is 0 from |a| = 19 on: a gradient that merely is
        # small would be reported as cut. sech² from a has no such limit.
        steep = np.nonzero(np.abs(h) > 0.95)
        e = np.exp(-2.0 * np.abs(a[steep]))
        slope = np.multiply(h, h, out=a)
        np.subtract(1.0, slope, out=slope)
        slope[steep] = 4.0 * e / (1.0 + e) ** 2
        return slope

    def saturated(self, tape: Tape) -> Array:
        """Share of units with |h| > 0.95."""
        h = tape.states[0][1:]
        return np.asarray(np.count_nonzero(np.abs(h) > 0.95, axis=(1, 2)) / h[0].size)


class Relu(Elman):
    """φ = max(0, ·), with φ′(0) = 0; a unit with a ≤ 0 is saturated."""

    name = "relu"

    def activate(self, a: Array, out: Array) -> None:
        """Write max(0, a) to `out`."""
        np.maximum(a, 0.0, out)

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
