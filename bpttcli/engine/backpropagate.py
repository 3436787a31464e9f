"""Backpropagation through time: adjoints of every step, exact gradients, contributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.cells.gated import saturated_share
from bpttcli.engine.edges import Edges, into_rows, rows_entered
from bpttcli.engine.gradient import GradientSum
from bpttcli.engine.losses import Objective, Source
from bpttcli.engine.overflow import Overflow, first_overflow
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Trajectory, Window
from bpttcli.record import Record


class LayerAdjoints(Record, frozen=True):
    """What the sweep says of one layer, step by step.

    Parameters
    ----------
    norm : tuple of Scaled of shape (T, N)
        ‖∂ℓ_n/∂(state) of t‖, one for each state of the cell, the hidden state first.
    propagated : tuple of Scaled of shape (T, N)
        The same of the last target step's part of ℓ_n alone.
    A, B : Scaled of shape (T,)
        Frobenius norms of what step t adds to ∂L/∂A and ∂L/∂B.
    saturated, slope : (T,) array
        Share of saturated units; mean |φ′(a_t)|, NaN for a gated cell.
    gates, gates_saturated : (gates, T) array
        Mean of each logistic gate, in the order of the cell's `logistic`, and the share of
        its units outside [0.05, 0.95]; no rows for a cell without gates.
    carried : Scaled of shape (T, N) or None
        Of the last of `propagated`, what travels by the cell's own path alone, never through
        B: its norm. None for a cell without such a path.
    start : tuple of Scaled of shape (N, H)
        ∂L/∂(state) before the first step.
    adjoint : tuple of Scaled of shape (T, N, H), or None
        ∂ℓ_n/∂(state) of t, where they were asked for.
    """

    norm: tuple[Scaled, ...]
    propagated: tuple[Scaled, ...]
    A: Scaled
    B: Scaled
    saturated: Array
    slope: Array
    gates: Array
    gates_saturated: Array
    carried: Scaled | None
    start: tuple[Scaled, ...]
    adjoint: tuple[Scaled, ...] | None


class Adjoints(Record, frozen=True):
    """The outcome of backpropagation through time.

    Parameters
    ----------
    loss : (N,) array
        ℓ_n of each sequence; L is their mean.
    last_target : (N,) array of int
        τ, the last step of each sequence that carries a target, from 1 to T.
    layers : tuple of LayerAdjoints
        From the input upward.
    C : Scaled of shape (T,)
        Frobenius norm of what step t adds to ∂L/∂C; zeros without a readout.
    gradient : dict of str to Scaled
        ∂L/∂θ under PyTorch's names.
    overflow : Overflow or None
        Where the forward state first left float64's range, if it did.
    edges : Edges or None
        What passed from step to step; None if everything did.
    """

    loss: Array
    last_target: NDArray[np.int64]
    layers: tuple[LayerAdjoints, ...]
    C: Scaled
    gradient: dict[str, Scaled]
    overflow: Overflow | None
    edges: Edges | None = None


def backpropagate(
    trajectory: Trajectory,
    objective: Objective,
    *,
    edges: Edges | None = None,
    keep_adjoints: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Adjoints:
    """Run backpropagation through time over a trajectory.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    edges : Edges, optional
        What passes from step to step; everything unless given. All adjoints and gradients are
        then those of this estimate.
    keep_adjoints : bool
        Keep ∂ℓ_n/∂h_t itself for every step, not only its norm: (T, N, H) a layer.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    Adjoints

    Raises
    ------
    RunError
        The forward pass, made again, is undefined (see `unroll`).
    """
    gathered = _Gathered(trajectory, objective, edges, keep_adjoints)
    for window in trajectory.windows():
        for part in window.parts(gathered.sweep.longest):
            gathered.add(part)
            if progress is not None:
                progress(1 - part.start / trajectory.steps)
    return gathered.adjoints()


class _Gathered:
    """Arrays over all steps, filled window by window."""

    def __init__(
        self, trajectory: Trajectory, objective: Objective, edges: Edges | None, keep: bool
    ) -> None:
        steps, batch = trajectory.steps, trajectory.batch
        network = trajectory.network
        targets = objective.weights > 0
        self.trajectory = trajectory
        self.last_target = steps - np.argmax(targets[::-1], axis=0)
        self.objective = objective
        self.edges = edges
        self.rows = 1 if edges is None else edges.rows
        self.last_rows = rows_entered(edges, self.last_target)
        # With one target step the propagated adjoint is the adjoint, and no row of its own.
        self.alone = 0 if (targets.sum(axis=0) == 1).all() else len(self.last_rows)
        self.sweep = Sweep(network, batch, self.rows + self.alone)
        self.own = None
        if network.cell.carry is not None:
            self.own = Sweep(network, batch, len(self.last_rows), own=True)
        self.gradient = GradientSum(trajectory)
        self.loss = np.zeros(batch)
        self.C: Scaled | None = None
        depth, states = len(network.layers), len(network.cell.states)
        self.norm = [[_blank(steps, batch) for _ in range(states)] for _ in range(depth)]
        self.propagated = self.norm
        if self.alone:
            self.propagated = [[_blank(steps, batch) for _ in range(states)] for _ in range(depth)]
        self.A = [_blank(steps) for _ in range(depth)]
        self.B = [_blank(steps) for _ in range(depth)]
        self.saturated = np.empty((depth, steps))
        self.slope = np.empty((depth, steps))
        self.gates = np.empty((depth, len(network.cell.logistic), steps))
        self.gates_saturated = np.empty_like(self.gates)
        self.carried = [_blank(steps, batch) for _ in network.layers if self.own is not None]
        self.start: list[tuple[Scaled, ...]] = [()] * depth
        self.overflow: Overflow | None = None
        self.kept: list[tuple[Scaled, ...]] | None = None
        if keep:
            self.kept = [
                tuple(
                    Scaled(
                        np.empty((steps, batch, layer.hidden)),
                        np.zeros((steps, batch, 1), dtype=np.int64),
                    )
                    for _ in range(states)
                )
                for layer in network.layers
            ]

    def add(self, window: Window) -> None:
        """Sweep through one window, and take what it says."""
        trajectory, steps = self.trajectory, slice(window.start, window.stop)
        network = trajectory.network
        top = window.tapes[-1].states[0][1:]
        with np.errstate(all="ignore"):
            source = self.objective.source(network, top, window.start, window.stop)
            self.loss += source.loss
        entering, alone = self._entering(source, window)
        passing = passing_alone = None
        if self.edges is not None:
            passing = self.edges.passing(window.start, window.stop)
            passing_alone = passing[:, self.last_rows]
            if self.alone:
                passing = np.concatenate([passing, passing_alone], axis=1)
        swept_rows = self.sweep.through(window, entering, passing)
        layers = tuple(layer.summed(0, self.rows) for layer in swept_rows)
        alone_layers = layers
        if self.alone:
            alone_layers = tuple(layer.summed(self.rows) for layer in swept_rows)
        added = self.gradient.add(window, source, layers)
        # Windows come from the last to the first, so the first has the last word.
        self.overflow = first_overflow(window) or self.overflow
        if self.own is not None:
            kept = self.own.through(window, alone, passing_alone)
            for whole, part in zip(self.carried, kept, strict=True):
                _put(whole, steps, part.summed().norm[-1][:, 0])
        for k, swept in enumerate(layers):
            for s, norm in enumerate(swept.norm):
                _put(self.norm[k][s], steps, norm[:, 0])
                _put(self.propagated[k][s], steps, alone_layers[k].norm[s][:, 0])
                if self.kept is not None:
                    whole = self.kept[k][s]
                    whole.mantissa[steps] = swept.adjoint[s][:, 0]
                    whole.exponent[steps] = swept.exponent[:, 0, :, None]
            tape = window.tapes[k]
            _put(self.A[k], steps, added[f"weight_ih_l{k}"].norms())
            _put(self.B[k], steps, added[f"weight_hh_l{k}"].norms())
            self.saturated[k, steps] = network.cell.saturated(tape)
            slope = network.cell.mean_slope(tape)
            self.slope[k, steps] = np.nan if slope is None else slope
            for g, gate in enumerate(tape.gates):
                self.gates[k, g, steps] = gate.mean(axis=(1, 2))
                self.gates_saturated[k, g, steps] = saturated_share(gate)
            self.start[k] = tuple(
                Scaled(state[0] / self.trajectory.batch, swept.out.exponent[0, :, None])
                for state in swept.out.adjoint
            )
        if "readout.weight" in added:
            if self.C is None:
                # Windows before this one, which are later steps, had nothing to add.
                zeros = np.zeros(trajectory.steps)
                self.C = Scaled(zeros, np.zeros(zeros.shape, dtype=np.int64))
            _put(self.C, steps, added["readout.weight"].norms())

    def _entering(self, source: Source, window: Window) -> tuple[Array | None, Array | None]:
        """What the loss says to the rows of the sweep, and what its last target step alone."""
        hidden = source.hidden
        if hidden is None:
            return None, None
        weights = None
        if self.edges is not None:
            weights = self.edges.entering(window.start, window.stop)
        last = np.arange(window.start + 1, window.stop + 1)[:, None] == self.last_target
        alone = None
        if last.any():
            those = None if weights is None else weights[:, self.last_rows]
            said = np.where(last[..., None], hidden, 0.0)
            alone = into_rows(said, those, len(self.last_rows))
        entering = into_rows(hidden, weights, self.rows)
        if self.alone and entering is not None and alone is not None:
            entering = np.concatenate([entering, alone], axis=1)
        return entering, alone

    def adjoints(self) -> Adjoints:
        """Everything, once every window is in."""
        depth = len(self.trajectory.network.layers)
        layers = tuple(
            LayerAdjoints(
                tuple(self.norm[k]),
                tuple(self.propagated[k]),
                self.A[k],
                self.B[k],
                self.saturated[k],
                self.slope[k],
                self.gates[k],
                self.gates_saturated[k],
                self.carried[k] if self.carried else None,
                self.start[k],
                None if self.kept is None else self.kept[k],
            )
            for k in range(depth)
        )
        # Where no output says anything one zero stands for all steps.
        C = self.C or Scaled.of(np.broadcast_to(0.0, self.trajectory.steps))
        gradient = self.gradient.total()
        return Adjoints(self.loss, self.last_target, layers, C, gradient, self.overflow, self.edges)


def _blank(*shape: int) -> Scaled:
    """Room for numbers, not filled."""
    return Scaled(np.empty(shape), np.empty(shape, dtype=np.int64))


def _put(whole: Scaled, steps: slice, part: Any) -> None:
    """Fill in some steps."""
    whole.mantissa[steps] = part.mantissa
    whole.exponent[steps] = part.exponent
