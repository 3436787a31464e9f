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
    adjoint : Scaled of shape (T, N)
        ‖∂ℓ_n/∂h_t‖ of the top layer, as far as the edges let it pass.
    """

    loss: Array
    gradient: dict[str, Scaled]
    adjoint: Scaled


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
    shape = trajectory.steps, batch
    adjoint = Scaled(np.zeros(shape), np.zeros(shape, dtype=np.int64))
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
            summed = tuple(layer.summed() for layer in layers)
            gradient.add(part, source, summed)
            norm = summed[-1].norm[0]
            adjoint.mantissa[part.start : part.stop] = norm.mantissa[:, 0]
            adjoint.exponent[part.start : part.stop] = norm.exponent[:, 0]
    return Estimate(loss, gradient.total(), adjoint)
