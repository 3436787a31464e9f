"""Many draws of one random estimator, as rows of one sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Trajectory
from bpttcli.truncation.estimator import Estimator, Targets
from bpttcli.truncation.row_gradients import RowGradients

# Draws that share a sweep: always so many, so that no sum depends on the number of workers.
_SHARD = 20

Gradients = dict[str, Scaled]
"""(R, …) under PyTorch's names: a row a draw."""


def draw_gradients(
    trajectory: Trajectory,
    objective: Objective,
    estimator: Estimator,
    seeds: list[np.random.SeedSequence],
    *,
    workers: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[Gradients, Array]]:
    """Draw estimates of the gradient, a few at a time.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    estimator : Estimator
        A random one whose edges are one row.
    seeds : list of SeedSequence
        One for each draw.
    workers : int
        Threads; the result does not depend on their number.
    progress : callable, optional
        Called with the share of the draws that are done, from 0 to 1.

    Yields
    ------
    dict of str to Scaled
        The gradients of some draws, a row each; the readout's, which no truncation touches,
        are left out.
    (R, T) array
        The factors of their edges.
    """
    targets = np.asarray((objective.weights > 0).any(axis=1))
    shards = [seeds[i : i + _SHARD] for i in range(0, len(seeds), _SHARD)]

    def run(shard: list[np.random.SeedSequence]) -> tuple[Gradients, Array]:
        factors = np.stack([_factors(estimator, targets, seed) for seed in shard])
        return gradients_of_rows(trajectory, objective, factors), factors

    with ThreadPoolExecutor(workers) as pool:
        for i, found in enumerate(pool.map(run, shards), start=1):
            if progress is not None:
                progress(i / len(shards))
            yield found


def _factors(estimator: Estimator, targets: Targets, seed: np.random.SeedSequence) -> Array:
    """Draw the edges of one estimate, (T,)."""
    edges = estimator.edges(targets, np.random.default_rng(seed))
    if edges is None:
        return np.ones(len(targets))
    return np.asarray(edges.passing(0, len(targets))[:, 0])


def gradients_of_rows(trajectory: Trajectory, objective: Objective, factors: Array) -> Gradients:
    """Sweep back over several sets of edges at once.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    factors : (R, T) array
        On what passes from step t to t − 1; the first of each row must be 1.

    Returns
    -------
    dict of str to Scaled
        The gradient of each row, (R, …), without the readout's.
    """
    rows = len(factors)
    sweep = Sweep(trajectory.network, trajectory.batch, rows)
    gathered = RowGradients(trajectory, rows)
    for window in trajectory.windows():
        for part in window.parts(sweep.longest):
            top = part.tapes[-1].states[0][1:]
            with np.errstate(all="ignore"):
                source = objective.source(trajectory.network, top, part.start, part.stop)
            if source.hidden is None and sweep.silent:
                continue
            entering = None
            if source.hidden is not None:
                wide = source.hidden[:, None]
                entering = np.broadcast_to(wide, (len(wide), rows, *source.hidden.shape[1:]))
            passing = np.ascontiguousarray(factors[:, part.start : part.stop].T)
            gathered.add(part, sweep.through(part, entering, passing))
    return gathered.total()
