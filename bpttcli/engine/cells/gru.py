"""The GRU of Cho et al. 2014, its reset gate after the recurrent product, as in PyTorch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.cells.gated import Gated, keep_back
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
    entry: ClassVar[str | None] = None

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
        candidate, u_all = (np.empty((n, batch, hidden)) for _ in range(2))
        gates = np.empty((n, batch, 2 * hidden))
        # A logistic gate is 1/(1 + exp(−a)): its sign goes into the weights once and for all.
        sign = np.repeat([-1.0, -1.0, 1.0], hidden)
        transposed = np.ascontiguousarray((layer.B * sign[:, None]).T)
        drive *= sign
        bias = 0.0 if layer.bias_hh is None else layer.bias_hh[2 * hidden :]
        recurrent = np.empty((batch, width))
        logistic, rest = recurrent[:, : 2 * hidden], recurrent[:, 2 * hidden :]
        gated = np.empty((batch, hidden))
        a_r, a_z, a_n = np.split(drive, 3, axis=-1)
        r_all, z_all = np.split(gates, 2, axis=-1)
        dot, add, multiply, exp = np.dot, np.add, np.multiply, np.exp
        reciprocal, subtract, tanh = np.reciprocal, np.subtract, np.tanh
        # At N = 1 calls are the cost: no allocation, no slicing, nothing looked up twice.
        steps = zip(
            *(drive[..., : 2 * hidden], a_n, gates, r_all, z_all),
            *(u_all, candidate, h[:-1], h[1:]),
            strict=True,
        )
        for a, an, gate, r, z, u, candid, before, after in steps:
            dot(before, transposed, recurrent)
            add(a, logistic, a)
            exp(a, a)
            add(a, 1.0, gate)
            reciprocal(gate, gate)
            add(rest, bias, u)
            multiply(r, u, gated)
            add(an, gated, an)
            tanh(an, candid)
            subtract(before, candid, after)
            multiply(z, after, after)
            add(after, candid, after)
        # ∂h_t/∂a takes the place of a, of which exp(−a) is left where it is σ's.
        tanh_slope(a_n, candidate)
        a_n *= complement(a_z, z_all)
        a_z *= z_all
        a_z *= h[:-1] - candidate
        complement(a_r, r_all)
        a_r *= r_all
        a_r *= u_all
        a_r *= a_n
        by_gate = drive.reshape(n, batch, 3, hidden)
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
        views, B = Views(adjoint, inject, edges), layer.B
        (h,) = views.states
        hidden = layer.hidden
        by_recurrent = by_gate.copy()
        by_recurrent[:, :, 2] *= reset
        gate_delta = np.empty((*h.shape[1:-1], 3, hidden))
        flat_delta = gate_delta.reshape(-1, 3 * hidden)
        kept = np.empty(h.shape[1:])
        dot, add, multiply = np.dot, np.add, np.multiply
        backward = zip(
            h[:0:-1],
            h[:0:-1, ..., None, :],
            h[-2::-1],
            views.flat[-2::-1],
            by_recurrent[::-1],
            views.by_row(keep)[::-1],
            views.inject,
            views.entered,
            range(len(delta) - 1, -1, -1),
            strict=True,
        )
        for g, g_wide, below, flat_below, by, z, said, entered, i in backward:
            if said is not None:
                add(entered, said, entered)
            multiply(g_wide, by, gate_delta)
            dot(flat_delta, B, flat_below)
            multiply(g, z, kept)
            add(below, kept, below)
            if views.edges is not None:
                multiply(below, views.edges[i], below)
        wide = delta.reshape(*h[1:].shape[:-1], 3, hidden)
        np.multiply(h[1:, ..., None, :], by_gate if h.ndim == 3 else by_gate[:, None], out=wide)

    def carry_back(
        self,
        slopes: tuple[Array, ...],
        adjoint: tuple[Array, ...],
        delta: Array,
        inject: Array | None,
        edges: Array | None,
    ) -> None:
        """Run backward through z alone, in place (see `Cell.carry_back`)."""
        by_gate, _, keep = slopes
        (h,) = adjoint
        keep_back(h, keep, inject, edges)
        wide = delta.reshape(*h[1:].shape[:-1], 3, -1)
        np.multiply(h[1:, ..., None, :], by_gate[:, None], out=wide)

    def jacobian(self, tape: Tape, layer: Layer, index: int, sequence: int) -> tuple[Array, Array]:
        """Linearise one step of one sequence (see `Cell.jacobian`)."""
        by_gate, reset, keep = (slope[index, sequence] for slope in tape.slopes)
        own = by_gate.copy()
        own[2] *= reset
        recurrent = (own[:, :, None] * layer.B.reshape(3, layer.hidden, -1)).sum(axis=0)
        recurrent[np.diag_indices(layer.hidden)] += keep
        fed = (by_gate[:, :, None] * layer.A.reshape(3, layer.hidden, -1)).sum(axis=0)
        return recurrent, fed
