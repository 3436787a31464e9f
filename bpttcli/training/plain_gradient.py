"""The gradient in plain float64, for the many updates in which nothing leaves its range."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.cells.cell import Cell, Tape
from bpttcli.engine.contributions import parameter_gradient
from bpttcli.engine.edges import Edges
from bpttcli.engine.losses import Objective, Source
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.unroll import Input, Trajectory, Window
from bpttcli.record import Record
from bpttcli.truncation.estimate import estimate


class Found(Record, frozen=True):
    """What an update needs to know.

    Parameters
    ----------
    loss : (N,) array
        ℓ_n of each sequence; L is their mean.
    gradient : dict of str to Scaled
        An estimate of ∂L/∂θ, under PyTorch's names.
    """

    loss: Array
    gradient: dict[str, Scaled]


def gradient(trajectory: Trajectory, objective: Objective, edges: Edges | None = None) -> Found:
    """Estimate the gradient: as `estimate` does, at about half the cost.

    The adjoints carry no exponents. What is too small for float64 becomes 0, which no update
    could tell apart; where anything becomes infinite, `estimate` does it all again.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    edges : Edges, optional
        What passes from step to step; everything unless given.

    Returns
    -------
    Found

    Raises
    ------
    RunError
        The forward pass, made again, is undefined (see `bpttcli.engine.unroll.unroll`).
    """
    if edges is not None and edges.rows > 1:
        return _with_exponents(trajectory, objective, edges)
    sweep = _PlainSweep(trajectory)
    loss = np.zeros(trajectory.batch)
    with np.errstate(all="ignore"):
        for window in trajectory.windows():
            top = window.tapes[-1].states[0][1:]
            source = objective.source(trajectory.network, top, window.start, window.stop)
            loss += source.loss
            sweep.through(window, source, objective, edges)
        sums = sweep.total()
        # A sum is finite only if every term is.
        if not all(np.isfinite(value.sum()) for value in sums.values()):
            return _with_exponents(trajectory, objective, edges)
    return Found(loss, {name: Scaled.of(value) for name, value in sums.items()})


def _with_exponents(trajectory: Trajectory, objective: Objective, edges: Edges | None) -> Found:
    """Take the sweep that nothing can leave."""
    found = estimate(trajectory, objective, edges)
    return Found(found.loss, found.gradient)


class _PlainSweep:
    """Adjoints on their way from the last window to the first, and what they add up to."""

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory, self._network = trajectory, trajectory.network
        self._cell: Cell = trajectory.network.cell
        self._flows: list[tuple[Array, ...] | None] = [None] * len(self._network.layers)
        self._sums: dict[str, Array] = {}

    def through(
        self, window: Window, source: Source, objective: Objective, edges: Edges | None
    ) -> None:
        """Carry the adjoints through a window, and add what its steps contribute."""
        if source.hidden is None and self._flows[-1] is None:
            return
        inject, arriving = self._entering(window, source, objective)
        passing = None
        if edges is not None:
            passing = edges.passing(window.start, window.stop)[:, :, None, None]
            entering = edges.entering(window.start, window.stop)
            if entering is not None and inject is not None:
                inject = inject * entering[:, :, None, None]
        for k in reversed(range(len(self._network.layers))):
            layer, tape = self._network.layers[k], window.tapes[k]
            delta = self._layer(k, layer, tape, inject, arriving, passing)
            self._add(k, layer, tape, self._trajectory.layer_input(window, k), delta)
            inject, arriving = (np.dot(delta, layer.A) if k else None), None
        if source.output is not None:
            self._add_readout(source.output, window.tapes[-1].states[0][1:])

    def _entering(
        self, window: Window, source: Source, objective: Objective
    ) -> tuple[Array | None, Array | None]:
        """What the loss says to each step, or to the last one where it says nothing to others."""
        hidden = source.hidden
        if hidden is None:
            return None, None
        targets = objective.weights[window.start : window.stop]
        if len(targets) > 1 and not targets[:-1].any():
            # Nothing has to be added at the other steps.
            return None, hidden[-1]
        return hidden[:, None], None

    def _layer(
        self,
        k: int,
        layer: Layer,
        tape: Tape,
        inject: Array | None,
        arriving: Array | None,
        passing: Array | None,
    ) -> Array:
        """Sweep through one layer; δ_t = ∂ℓ_n/∂(A x_t), (n, 1, N, G·H)."""
        n, batch = tape.slopes[0].shape[:2]
        slots = tuple(np.empty((n + 1, 1, batch, layer.hidden)) for _ in self._cell.states)
        flow = self._flows[k]
        for s, slot in enumerate(slots):
            slot[n] = 0.0 if flow is None else flow[s]
        if arriving is not None:
            slots[0][n] += arriving
        delta = np.empty((n, 1, batch, layer.B.shape[0]))
        self._cell.retreat(tape.slopes, layer, slots, delta, inject, passing)
        self._flows[k] = tuple(slot[0].copy() for slot in slots)
        return delta

    def _add(self, k: int, layer: Layer, tape: Tape, fed: Input, delta: Array) -> None:
        """Add what the steps contribute to the parameters of a layer."""
        delta = delta[:, 0]
        own = self._cell.recurrent_delta(tape, delta)
        rows = delta.reshape(-1, delta.shape[2])
        own_rows = rows if own is delta else own.reshape(rows.shape)
        before = tape.states[0][:-1].reshape(len(rows), -1)
        if fed.ndim == 2:
            self._put(
                f"weight_ih_l{k}",
                parameter_gradient(Scaled.of(delta), fed, layer.A.shape[1]).value * fed.shape[1],
            )
        else:
            self._put(f"weight_ih_l{k}", np.dot(rows.T, fed.reshape(len(rows), -1)))
        self._put(f"weight_hh_l{k}", np.dot(own_rows.T, before))
        if layer.bias_ih is not None:
            self._put(f"bias_ih_l{k}", rows.sum(axis=0))
        if layer.bias_hh is not None:
            self._put(f"bias_hh_l{k}", own_rows.sum(axis=0))

    def _add_readout(self, output: Array, top: Array) -> None:
        """Add what the steps contribute to the parameters of the readout."""
        rows = output.reshape(-1, output.shape[2])
        self._put("readout.weight", np.dot(rows.T, top.reshape(len(rows), -1)))
        self._put("readout.bias", rows.sum(axis=0))

    def _put(self, name: str, value: Array) -> None:
        if name in self._sums:
            self._sums[name] += value
        else:
            self._sums[name] = value

    def total(self) -> dict[str, Array]:
        """The means over the batch, in the order of the network's parameters."""
        batch = self._trajectory.batch
        return {
            name: self._sums[name] / batch if name in self._sums else np.zeros(value.shape)
            for name, value in self._network.parameters.items()
        }
