"""Where an entry of a gradient stopped being a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.edges import Edges, into_rows
from bpttcli.engine.losses import Objective, Source
from bpttcli.engine.scaled import Array
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.sweep_layer import LayerSweep
from bpttcli.engine.unroll import Input, Trajectory, Window


def first_not_finite(
    trajectory: Trajectory,
    objective: Objective,
    edges: Edges | None,
    name: str,
    index: tuple[int, ...],
) -> int | None:
    """Find the first step whose contribution to an entry of the gradient is not finite.

    It costs another sweep, and is asked only of a gradient that failed.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    edges : Edges or None
        What passes from step to step; None if everything does.
    name : str
        PyTorch's name of the parameter.
    index : tuple of int
        Of the entry, from 0.

    Returns
    -------
    int or None
        From 1 to T; None if every contribution is finite, though their sum is not.
    """
    network, rows = trajectory.network, 1 if edges is None else edges.rows
    sweep, first = Sweep(network, trajectory.batch, rows), None
    for window in trajectory.windows():
        for part in window.parts(sweep.longest):
            top, span = part.tapes[-1].states[0][1:], (part.start, part.stop)
            with np.errstate(all="ignore"):
                source = objective.source(network, top, *span)
            weights = None if edges is None else edges.entering(*span)
            passing = None if edges is None else edges.passing(*span)
            swept = sweep.through(part, into_rows(source.hidden, weights, rows), passing)
            layers = tuple(layer.summed() for layer in swept)
            delta, fed = _factors(trajectory, part, source, layers, name)
            if delta is None:
                continue
            wrong = np.flatnonzero(_touched(delta, fed, index).any(axis=1))
            if len(wrong):
                # Windows come from the last to the first, so the first has the last word.
                first = part.start + int(wrong[0]) + 1
    return first


def _factors(
    trajectory: Trajectory,
    window: Window,
    source: Source,
    layers: tuple[LayerSweep, ...],
    name: str,
) -> tuple[Array | None, Input | None]:
    """δ and u, whose products are the contributions to a parameter; no u for a bias."""
    is_bias = "bias" in name
    if name.startswith("readout"):
        return source.output, None if is_bias else window.tapes[-1].states[0][1:]
    kind, _, layer = name.rpartition("_l")
    k, tape = int(layer), window.tapes[int(layer)]
    fed, own = layers[k].deltas(trajectory.network.cell, tape)
    if kind.endswith("ih"):
        return fed.mantissa, None if is_bias else trajectory.layer_input(window, k)
    return own.mantissa, None if is_bias else tape.states[0][:-1]


def _touched(delta: Array, fed: Input | None, index: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell at which steps of which sequences an entry is made of what is not finite, (n, N)."""
    # Not by their product, which may leave the range where neither factor does.
    wrong = ~np.isfinite(delta[..., index[0]])
    if fed is None:
        return np.asarray(wrong)
    if fed.ndim == 2:
        return np.asarray(wrong & (fed == index[1]))
    return np.asarray(wrong | ~np.isfinite(fed[..., index[1]]))
