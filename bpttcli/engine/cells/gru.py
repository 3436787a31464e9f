"""The GRU of Cho et al. 2014, its reset gate after the recurrent product, as in PyTorch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.cells.gated import Gated
from bpttcli.engine.cells.smooth import complement, tanh_slope
from bpttcli.engine.cells.views import Views
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array


class Gru(Gated):
    """r, z = σ(a_r, a_z), n = tanh(A_n x + b_n + r u), h_t = (1−z) n + z h_{t-1}.

    Here u = B_n h_{t-1} + b_hn, with the recurrent bias of n, which r multiplies too.

    With g_t the adjoint: δ_n = g (1−z)(1−n²), δ_z = g (h_{t-1}−n) z(1−z), δ_r = δ_n u r(1−r).
    The recurrent product of n is multiplied by r, so B's own δ_n is r δ_n, and h_{t-1} gets
    Bᵀ (δ_r, δ_z, r δ_n) + z g.
    """

    name: ClassVar[str] = "gru"
    gates: ClassVar[tuple[str, ...]] = ("r", "z", "n")
    states: ClassVar[tuple[str, ...]] = ("h",)
    logistic: ClassVar[tuple[str, ...]] = ("r", "z")
    carry: ClassVar[str | None] = "z"

    def drive_bias(self, layer: Layer) -> Array | None:
        """Sum the biases, but for the recurrent one of n (see `Cell.drive_bias`)."""
        if layer.bias_hh is None:
            return layer.bias_ih
        outside = layer.bias_hh.copy()
        outside[2 * layer.hidden :] = 0.0
        return outside if layer.bias_ih is None else layer.bias_ih + outside

    def recurrent_delta(self, tape: Tape, delta: Array) -> Array:
        """The n block times r (see `Cell.recurrent_delta`)."""
        reset = tape.gates[0]
        own = delta.copy()
        own[..., 2 * reset.shape[-1] :] *= reset
        return own

    def advance(self, drive: Array, layer: Layer, start: tuple[Array, ...]) -> Tape:
        """Run forward over a window (see `Cell.advance`)."""
        n, batch, width = drive.shape
        hidden = width // 3
        h = np.empty((n + 1, batch, hidden))
        h[0] = start[0]
        candidate, u = (np.empty((n, batch, hidden)) for _ in range(2))
        gates = np.empty((n, batch, 2 * hidden))
        sign = np.repeat([-1.0, -1.0, 1.0], hidden)
        transposed = np.ascontiguousarray(layer.B.T * sign)
        drive *= sign
        bias = 0.0 if layer.bias_hh is None else layer.bias_hh[2 * hidden :]
        recurrent = np.empty((batch, width))
        logistic, rest = recurrent[:, : 2 * hidden], recurrent[:, 2 * hidden :]
        r_all, z_all = gates[..., :hidden], gates[..., hidden:]
        a_gates, a_rest = drive[..., : 2 * hidden], drive[..., 2 * hidden :]
        gated = np.empty((batch, hidden))
        dot, add, multiply = np.dot, np.add, np.multiply
        steps = zip(a_gates, a_rest, gates, r_all, z_all, u, candidate, h[:-1], h[1:], strict=True)
        for a, a_n, gate, r, z, u_t, n_t, before, after in steps:
            dot(before, transposed, recurrent)
            add(a, logistic, a)
            np.exp(a, gate)
            add(gate, 1.0, gate)
            np.reciprocal(gate, gate)
            add(rest, bias, u_t)
            multiply(r, u_t, gated)
            add(a_n, gated, a_n)
            np.tanh(a_n, n_t)
            np.subtract(before, n_t, after)
            multiply(z, after, after)
            add(after, n_t, after)
        not_z = complement(a_gates[..., hidden:], z_all)
        slope_r = r_all * complement(a_gates[..., :hidden], r_all)
        by_gate = np.empty((n, batch, 3, hidden))
        by_n = not_z * tanh_slope(a_rest.copy(), candidate)
        by_gate[:, :, 0] = by_n * u * slope_r
        by_gate[:, :, 1] = (h[:-1] - candidate) * z_all * not_z
        by_gate[:, :, 2] = by_n
        return Tape((h,), (by_gate, r_all, z_all), (r_all, z_all))

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
        by_gate, reset, keep = slopes
        views = Views(adjoint, inject, edges)
        (h,) = views.states
        n, hidden = len(delta), by_gate.shape[-1]
        own = by_gate.copy()
        own[:, :, 2] *= reset
        gate_delta = np.empty((*h.shape[1:-1], 3, hidden))
        flat_delta = gate_delta.reshape(-1, 3 * hidden)
        kept = np.empty(h.shape[1:])
        dot, add, multiply, B = np.dot, np.add, np.multiply, layer.B
        for t in range(n - 1, -1, -1):
            arrived, below = h[t + 1], h[t]
            if views.inject is not None:
                add(arrived, views.inject[t], arrived)
            multiply(arrived[..., None, :], own[t], gate_delta)
            dot(flat_delta, B, views.flat[t])
            multiply(arrived, keep[t], kept)
            add(below, kept, below)
            if views.edges is not None:
                multiply(below, views.edges[t], below)
        wide = delta.reshape(*h[1:].shape[:-1], 3, hidden)
        np.multiply(h[1:, ..., None, :], by_gate if h.ndim == 3 else by_gate[:, None], out=wide)

    def jacobian(self, tape: Tape, layer: Layer, index: int, sequence: int) -> tuple[Array, Array]:
        """Linearise one step of one sequence (see `Cell.jacobian`)."""
        by_gate, reset, keep = (slope[index, sequence] for slope in tape.slopes)
        own = by_gate.copy()
        own[2] *= reset
        recurrent = (own[:, :, None] * layer.B.reshape(3, layer.hidden, -1)).sum(axis=0)
        recurrent[np.diag_indices(layer.hidden)] += keep
        fed = (by_gate[:, :, None] * layer.A.reshape(3, layer.hidden, -1)).sum(axis=0)
        return recurrent, fed
