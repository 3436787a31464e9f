"""The LSTM of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.cells.gated import Gated, keep_back
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
    entry: ClassVar[str | None] = "i"

    def advance(self, drive: Array, layer: Layer, start: tuple[Array, ...]) -> Tape:
        """Run forward over a window (see `Cell.advance`)."""
        n, batch, width = drive.shape
        hidden = width // 4
        h, c = (np.empty((n + 1, batch, hidden)) for _ in self.states)
        h[0], c[0] = start
        squashed_c = np.empty((n, batch, hidden))
        gates = np.empty_like(drive)
        # A logistic gate is 1/(1 + exp(−a)): its sign goes into the weights once and for all.
        sign = np.repeat([-1.0, -1.0, 1.0, -1.0], hidden)
        transposed = np.ascontiguousarray((layer.B * sign[:, None]).T)
        drive *= sign
        recurrent = np.empty((batch, width))
        new = np.empty((batch, hidden))
        a_i, a_f, a_g, a_o = np.split(drive, 4, axis=-1)
        i_all, f_all, g_all, o_all = np.split(gates, 4, axis=-1)
        dot, add, multiply, exp, tanh = np.dot, np.add, np.multiply, np.exp, np.tanh
        reciprocal = np.reciprocal
        # At N = 1 calls are the cost: no allocation, no slicing, nothing looked up twice.
        steps = zip(
            *(drive, drive[..., : 2 * hidden], a_g, a_o),
            *(gates, i_all, f_all, g_all, o_all),
            *(h[:-1], h[1:], c[:-1], c[1:], squashed_c),
            strict=True,
        )
        for a, a_if, ag, ao, gate, i, f, g, o, h_before, h_after, c_before, c_after, sq in steps:
            dot(h_before, transposed, recurrent)
            add(a, recurrent, a)
            exp(a_if, a_if)
            exp(ao, ao)
            add(a, 1.0, gate)
            reciprocal(gate, gate)
            tanh(ag, g)
            multiply(i, g, new)
            multiply(f, c_before, c_after)
            add(c_after, new, c_after)
            tanh(c_after, sq)
            multiply(o, sq, h_after)
        # ∂(what a gate feeds)/∂a takes the place of a, of which exp(−a) is left where it is σ's.
        for e, gate, fed in ((a_i, i_all, g_all), (a_f, f_all, c[:-1]), (a_o, o_all, squashed_c)):
            complement(e, gate)
            e *= gate
            e *= fed
        tanh_slope(a_g, g_all)
        a_g *= i_all
        by_gate = drive.reshape(n, batch, 4, hidden)
        through = tanh_slope(c[1:].copy(), squashed_c)
        through *= o_all
        return Tape((h, c), (by_gate, through, f_all), (i_all, f_all, o_all))

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
        views, B = Views(adjoint, inject, edges), layer.B
        h, c = views.states
        n, hidden = len(delta), layer.hidden
        flat_delta = delta.reshape(n, -1, 4 * hidden)
        gate_delta = delta.reshape(*h[1:].shape[:-1], 4, hidden)
        passed = np.empty(h.shape[1:])
        dot, add, multiply = np.dot, np.add, np.multiply
        backward = zip(
            h[:0:-1],
            c[:0:-1],
            c[:0:-1, ..., None, :],
            c[-2::-1],
            views.flat[-2::-1],
            views.by_row(through)[::-1],
            by_gate[::-1, :, :3],
            by_gate[::-1, :, 3],
            views.by_row(forget)[::-1],
            gate_delta[::-1, ..., :3, :],
            gate_delta[::-1, ..., 3, :],
            flat_delta[::-1],
            zip(views.inject, views.entered, range(n - 1, -1, -1), strict=True),
            strict=True,
        )
        for g, y, y_wide, y_below, below, k, by_c, by_h, f, d_c, d_h, flat_d, rest in backward:
            said, entered, i = rest
            if said is not None:
                add(entered, said, entered)
            multiply(g, k, passed)
            add(y, passed, y)
            multiply(y_wide, by_c, d_c)
            multiply(g, by_h, d_h)
            multiply(y, f, y_below)
            dot(flat_d, B, below)
            if views.edges is not None:
                multiply(h[i], views.edges[i], h[i])
                multiply(c[i], views.edges[i], c[i])

    def carry_back(
        self,
        slopes: tuple[Array, ...],
        adjoint: tuple[Array, ...],
        delta: Array,
        inject: Array | None,
        edges: Array | None,
    ) -> None:
        """Run backward through the cell state alone, in place (see `Cell.carry_back`)."""
        by_gate, through, forget = slopes
        h, c = adjoint
        h[:-1] = 0.0
        if inject is not None:
            h[1:, : inject.shape[1]] = inject
        entering = None if inject is None else inject * through[:, None]
        keep_back(c, forget, entering, edges)
        wide = delta.reshape(*c[1:].shape[:-1], 4, -1)
        np.multiply(c[1:, ..., None, :], by_gate[:, None, :, :3], out=wide[..., :3, :])
        np.multiply(h[1:], by_gate[:, None, :, 3], out=wide[..., 3, :])

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
