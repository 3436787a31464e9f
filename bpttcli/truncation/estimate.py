"""One estimate of the gradient, and nothing else: what training needs of a sweep."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.edges import Edges, into_rows
from bpttcli.engine.gradient import GradientSum
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record


class Estimate(Record, frozen=True):
    """An estimate of ∂L/∂θ.

    Parameters
    ----------
    loss : (N,) array
        ℓ_n of each sequence; L is their mean.
    gradient : dict of str to Scaled
        The estimate, under PyTorch's names.
    """

    loss: Array
    gradient: dict[str, Scaled]


def estimate(trajectory: Trajectory, objective: Objective, edges: Edges | None = None) -> Estimate:
    """Sweep back once and gather the gradient, skipping steps that nothing reaches.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    edges : Edges, optional
        What passes from step to step; everything unless given.

    Returns
    -------
    Estimate

    Raises
    ------
    RunError
        The forward pass, made again, is undefined (see `unroll`).
    """
    network, batch = trajectory.network, trajectory.batch
    rows = 1 if edges is None else edges.rows
    sweep, gradient = Sweep(network, batch, rows), GradientSum(trajectory)
    loss = np.zeros(batch)
    for window in trajectory.windows():
        for part in window.parts(sweep.longest):
            top = part.tapes[-1].states[0][1:]
            with np.errstate(all="ignore"):
                source = objective.source(network, top, part.start, part.stop)
                loss += source.loss
            if source.hidden is None and sweep.silent:
                continue
            weights = None if edges is None else edges.entering(part.start, part.stop)
            passing = None if edges is None else edges.passing(part.start, part.stop)
            entering = into_rows(source.hidden, weights, rows)
            layers = sweep.through(part, entering, passing)
            gradient.add(part, source, tuple(layer.summed() for layer in layers))
    return Estimate(loss, gradient.total())
