"""The engine's backward sweep, one step at a time, so that every part of an adjoint is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpttcli.engine.cells.cell import Cell, Tape
from bpttcli.engine.losses import Source
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.sweep_layer import Flow, LayerSweep
from bpttcli.engine.unroll import Trajectory, Window
from bpttcli.record import Record


class LayerParts(Record, frozen=True):
    """Adjoints of one layer at every step, for R rows that share the trajectory.

    Parameters
    ----------
    arriving : tuple of Scaled of shape (T, R, N, H)
        For each state of the cell, what reaches it from the next step; zeros at step T.
    adjoint : tuple of Scaled of shape (T, R, N, H)
        ∂ℓ_n/∂(state), all paths.
    delta : Scaled of shape (T, R, N, G·H)
        ∂ℓ_n/∂(A x_t).
    own : Scaled of shape (T, R, N, G·H)
        ∂ℓ_n/∂(B h_{t-1}).
    """

    arriving: tuple[Scaled, ...]
    adjoint: tuple[Scaled, ...]
    delta: Scaled
    own: Scaled


def whole_window(trajectory: Trajectory) -> Window:
    """All steps of a trajectory as one window, whatever windows it was run in."""
    windows = list(trajectory.windows(backward=False))
    if len(windows) == 1:
        return windows[0]
    tapes = tuple(_joined(list(tapes)) for tapes in zip(*(w.tapes for w in windows), strict=True))
    return Window(0, trajectory.steps, tapes)


def sweep_by_step(
    network: Network,
    whole: Window,
    hidden: list[Array | None],
    edges: Array,
    groups: tuple[int, ...] | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[LayerParts, ...]:
    """Run the sweep through windows of one step.

    Parameters
    ----------
    network : Network
    whole : Window
        Steps 1 … T.
    hidden : list of (R, N, H) arrays or None
        What the loss says to the top layer's hidden state, for each step and row.
    edges : (T, R) array
        Factor on what passes from each step to the one before it; 0 cuts.
    groups : tuple of int, optional
        How many rows in turn are added up to one; every row by itself unless given.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    tuple of LayerParts
        From the input upward.
    """
    steps, batch = whole.stop, whole.tapes[0].states[0].shape[1]
    sweep = Sweep(network, batch, edges.shape[1])
    swept: list[tuple[LayerSweep, ...]] = []
    for t in range(steps - 1, -1, -1):
        said = hidden[t]
        fresh = None if said is None else said[None]
        layers = sweep.through(whole.part(t, t + 1), fresh, edges[t : t + 1])
        if groups is not None and len(groups) < edges.shape[1]:
            # At once, so that a window of many rows is never held for all steps.
            layers = tuple(_grouped(layer, groups) for layer in layers)
        swept.append(layers)
        if progress is not None:
            progress(1 - t / steps)
    swept.reverse()
    return tuple(
        _stacked(network.cell, tape, [layers[k] for layers in swept])
        for k, tape in enumerate(whole.tapes)
    )


def step_sources(
    source: Callable[[Network, Array, int, int], Source], network: Network, whole: Window
) -> list[Source]:
    """What the loss says at each step by itself."""
    top = whole.tapes[-1].states[0][1:]
    with np.errstate(all="ignore"):
        return [source(network, top[t : t + 1], t, t + 1) for t in range(whole.stop)]


def _joined(tapes: list[Tape]) -> Tape:
    """One tape of several windows in a row; each state stands at the end of one, too."""
    first = tapes[0]
    return Tape(
        tuple(
            np.concatenate([state, *(tape.states[s][1:] for tape in tapes[1:])])
            for s, state in enumerate(first.states)
        ),
        tuple(np.concatenate([t.slopes[s] for t in tapes]) for s in range(len(first.slopes))),
        tuple(np.concatenate([t.gates[s] for t in tapes]) for s in range(len(first.gates))),
    )


def _grouped(layer: LayerSweep, groups: tuple[int, ...]) -> LayerSweep:
    """Add up rows of one step in groups."""
    ends = np.cumsum(groups).tolist()
    parts = [layer.summed(end - rows, rows) for end, rows in zip(ends, groups, strict=True)]
    states = range(len(layer.adjoint))
    return LayerSweep(
        tuple(np.concatenate([part.adjoint[s] for part in parts], axis=1) for s in states),
        np.concatenate([part.delta for part in parts], axis=1),
        np.concatenate([part.exponent for part in parts], axis=1),
        tuple(
            Scaled(
                np.concatenate([part.norm[s].mantissa for part in parts], axis=1),
                np.concatenate([part.norm[s].exponent for part in parts], axis=1),
            )
            for s in states
        ),
        Flow(
            tuple(np.concatenate([part.out.adjoint[s] for part in parts]) for s in states),
            np.concatenate([part.out.exponent for part in parts]),
        ),
    )


def _stacked(cell: Cell, tape: Tape, steps: list[LayerSweep]) -> LayerParts:
    """Put the steps of one layer together."""
    exponent = np.concatenate([step.exponent for step in steps])[..., None]
    delta = np.concatenate([step.delta for step in steps])
    with np.errstate(all="ignore"):
        rows = [cell.recurrent_delta(tape, delta[:, row]) for row in range(delta.shape[1])]
    # What leaves a step arrives at the one before it; nothing leaves step T + 1.
    out = [step.out for step in steps[1:]]
    sent = np.zeros_like(exponent)
    sent[:-1, ..., 0] = [flow.exponent for flow in out] if out else 0
    arriving = []
    for s in range(len(cell.states)):
        mantissa = np.zeros((len(steps), *steps[0].adjoint[s].shape[1:]))
        if out:
            mantissa[:-1] = [flow.adjoint[s] for flow in out]
        arriving.append(Scaled(mantissa, sent))
    return LayerParts(
        tuple(arriving),
        tuple(
            Scaled(np.concatenate([step.adjoint[s] for step in steps]), exponent)
            for s in range(len(cell.states))
        ),
        Scaled(delta, exponent),
        Scaled(np.stack(rows, axis=1), exponent),
    )
