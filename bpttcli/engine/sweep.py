"""The backward sweep of a stack of layers, from the last window of steps to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bpttcli.engine.losses import Objective, Source
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep_layer import Flow, LayerSweep, sweep_layer
from bpttcli.engine.unroll import Trajectory, Window


@dataclass(frozen=True, slots=True, eq=False)
class WindowSweep:
    """The backward sweep of all layers over one window of n steps.

    Parameters
    ----------
    window : Window
    source : Source
        Where the loss enters.
    layers : tuple of LayerSweep
        From the input upward.
    """

    window: Window
    source: Source
    layers: tuple[LayerSweep, ...]


Rows = Callable[[Source, Window], Array]
"""Makes of a source the hidden adjoints that enter the top layer, (n, R, N, H)."""


def one_row(source: Source, window: Window) -> Array:
    """The gradient of the loss itself, alone."""
    return source.hidden[:, None]


def sweep(
    trajectory: Trajectory,
    objective: Objective,
    *,
    rows: Rows = one_row,
    n_rows: int = 1,
    edges: Array | None = None,
) -> Iterator[WindowSweep]:
    """Carry adjoints from the last step to the first, window by window.

    g_t = ∂ℓ_n/∂h_t obeys g_t = (through o_t) + J_{t+1}ᵀ g_{t+1} with J_t = ∂h_t/∂h_{t-1}
    (Werbos 1990, Proc. IEEE 78:1550). What a layer passes to the one below it, Aᵀ δ_t, enters there
    as an output's gradient does at the top.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    rows : callable, optional
        What enters the top layer; several rows share the trajectory.
    n_rows : int
        Number of rows R that `rows` makes.
    edges : (T, R) array, optional
        Factor on what passes from each step to the one before it, in all layers alike.

    Yields
    ------
    WindowSweep
        From the last window to the first.
    """
    network = trajectory.network
    flows = [
        Flow.none(network.cell, n_rows, trajectory.batch, layer.hidden) for layer in network.layers
    ]
    for window in trajectory.windows():
        with np.errstate(all="ignore"):
            top = window.tapes[-1].states[0][1:]
            source = objective.source(network, top, window.start, window.stop)
            inject = Scaled.of(rows(source, window))
        swept: list[LayerSweep] = []
        for k in reversed(range(len(network.layers))):
            layer = network.layers[k]
            part = sweep_layer(
                network.cell,
                layer,
                window.tapes[k],
                flows[k],
                inject,
                None if edges is None else edges[window.start : window.stop],
            )
            flows[k] = part.out
            swept.append(part)
            if k:
                with np.errstate(all="ignore"):
                    inject = Scaled(np.dot(part.delta, layer.A), part.exponent[..., None])
        yield WindowSweep(window, source, tuple(reversed(swept)))
