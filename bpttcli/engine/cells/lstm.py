"""The LSTM of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.cells.gated import Gated
from bpttcli.engine.cells.smooth import complement, tanh_slope
from bpttcli.engine.cells.views import Views
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array


class Lstm(Gated):
    """i, f, o = σ(a_i, a_f, a_o), g = tanh(a_g), c_t = f c_{t-1} + i g, h_t = o tanh(c_t).

    With k = o sech²(c_t), the cell's adjoint is first completed by what h_t passes on,
    γ_t = ∂ℓ/∂c_t + k ∘ g_t; then δ_i = γ g i(1−i), δ_f = γ c_{t-1} f(1−f),
    δ_g = γ i (1−g²), δ_o = g_t tanh(c_t) o(1−o); c_{t-1} gets f γ_t and h_{t-1} gets Bᵀ δ.
    """

    name: ClassVar[str] = "lstm"
    gates: ClassVar[tuple[str, ...]] = ("i", "f", "g", "o")
    states: ClassVar[tuple[str, ...]] = ("h", "c")
    logistic: ClassVar[tuple[str, ...]] = ("i", "f", "o")
    carry: ClassVar[str | None] = "f"

    def advance(self, drive: Array, layer: Layer, start: tuple[Array, ...]) -> Tape:
        """Run forward over a window (see `Cell.advance`)."""
        n, batch, width = drive.shape
        hidden = width // 4
        h, c = (np.empty((n + 1, batch, hidden)) for _ in self.states)
        h[0], c[0] = start
        squashed_c = np.empty((n, batch, hidden))
        gates = np.empty_like(drive)
        # The logistic gates want exp(−a): the sign goes into the weights once and for all.
        sign = np.repeat([-1.0, -1.0, 1.0, -1.0], hidden)
        transposed = np.ascontiguousarray(layer.B.T * sign)
        drive *= sign
        recurrent = np.empty((batch, width))
        candidate = slice(2 * hidden, 3 * hidden)
        part = [gates[..., k * hidden : (k + 1) * hidden] for k in range(4)]
        new = np.empty((batch, hidden))
        squashed_g = np.empty((batch, hidden))
        dot, add, multiply = np.dot, np.add, np.multiply
        steps = zip(drive, gates, *part, h[:-1], h[1:], c[:-1], c[1:], squashed_c, strict=True)
        for a, gate, i, f, g, o, h_before, h_after, c_before, c_after, squashed in steps:
            dot(h_before, transposed, recurrent)
            add(a, recurrent, a)
            np.tanh(a[:, candidate], squashed_g)
            np.exp(a, gate)
            add(gate, 1.0, gate)
            np.reciprocal(gate, gate)
            g[...] = squashed_g
            multiply(i, g, new)
            multiply(f, c_before, c_after)
            add(c_after, new, c_after)
            np.tanh(c_after, squashed)
            multiply(o, squashed, h_after)
        slopes = self._slopes(drive, part, c, squashed_c)
        return Tape((h, c), slopes, (part[0], part[1], part[3]))

    def _slopes(
        self, a: Array, part: list[Array], c: Array, squashed_c: Array
    ) -> tuple[Array, ...]:
        """∂(what a gate feeds)/∂a for the four gates (n, N, 4, H); o sech²(c); f."""
        i, f, g, o = part
        n, batch, hidden = i.shape
        minus_a = a.reshape(n, batch, 4, hidden)
        by_gate = np.empty((n, batch, 4, hidden))
        for k, (gate, fed) in enumerate(((i, g), (f, c[:-1]), (g, i), (o, squashed_c))):
            if k == 2:
                slope = tanh_slope(minus_a[:, :, k].copy(), gate)
            else:
                slope = gate * complement(minus_a[:, :, k], gate)
            np.multiply(slope, fed, out=by_gate[:, :, k])
        return by_gate, o * tanh_slope(c[1:].copy(), squashed_c), f

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
        by_gate, through, forget = slopes
        views = Views(adjoint, inject, edges)
        h, c = views.states
        n, hidden = len(delta), by_gate.shape[-1]
        flat_delta = delta.reshape(n, -1, 4 * hidden)
        gate_delta = delta.reshape(*(h[1:].shape[:-1]), 4, hidden)
        passed = np.empty(h.shape[1:])
        dot, add, multiply, B = np.dot, np.add, np.multiply, layer.B
        for t in range(n - 1, -1, -1):
            h_arrived, c_arrived, d = h[t + 1], c[t + 1], gate_delta[t]
            if views.inject is not None:
                add(h_arrived, views.inject[t], h_arrived)
            multiply(h_arrived, through[t], passed)
            add(c_arrived, passed, c_arrived)
            by = by_gate[t]
            multiply(c_arrived[..., None, :], by[:, :3], d[..., :3, :])
            multiply(h_arrived, by[:, 3], d[..., 3, :])
            multiply(c_arrived, forget[t], c[t])
            dot(flat_delta[t], B, views.flat[t])
            if views.edges is not None:
                multiply(h[t], views.edges[t], h[t])
                multiply(c[t], views.edges[t], c[t])

    def jacobian(self, tape: Tape, layer: Layer, index: int, sequence: int) -> tuple[Array, Array]:
        """Linearise one step of one sequence (see `Cell.jacobian`)."""
        by_gate, through, forget = (slope[index, sequence] for slope in tape.slopes)
        hidden = layer.hidden

        def by(weights: Array) -> tuple[Array, Array]:
            """∂(h_t, c_t)/∂u through the gates, for a = weights u."""
            blocks = by_gate[:, :, None] * weights.reshape(4, hidden, -1)
            cell = blocks[:3].sum(axis=0)
            return through[:, None] * cell + blocks[3], cell

        h_by_h, c_by_h = by(layer.B)
        own = np.diag(forget)
        recurrent = np.block([[h_by_h, through[:, None] * own], [c_by_h, own]])
        return recurrent, np.concatenate(by(layer.A))
