"""What an estimate costs, counted: the steps that losses go back, and the arrays kept."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.record import Record
from bpttcli.truncation.estimator import Estimator, Targets
from bpttcli.truncation.sliding import Sliding

# Draws of the edges alone, which cost nothing, over which a random cost is averaged.
_DRAWS = 32


class Cost(Record, frozen=True):
    """Counts that do not depend on the machine.

    Parameters
    ----------
    edges : float
        Steps that a loss goes back, on average over the losses.
    segment : float
        Steps of the longest piece that has to be kept at once.
    rows : int
        Adjoints that travel at once.
    """

    edges: float
    segment: float
    rows: int

    def peak_bytes(self, network: Network, batch: int) -> int:
        """Bytes of the states and slopes of a segment, and of the adjoints and their δ."""
        a_step = sum(
            layer.B.shape[0] + len(network.cell.states) * layer.hidden for layer in network.layers
        )
        return int(8 * batch * a_step * (self.segment + self.segment * self.rows))


def cost_of(estimator: Estimator, targets: Targets, seeds: list[np.random.SeedSequence]) -> Cost:
    """Count what an estimator costs; of a random one, the mean over some draws.

    Parameters
    ----------
    estimator : Estimator
    targets : (T,) array of bool
    seeds : list of SeedSequence
        Of draws of the edges.
    """
    steps = len(targets)
    if isinstance(estimator, Sliding) and estimator.length < steps:
        back = np.minimum(np.arange(steps), estimator.length - 1)
        edges = estimator.edges(targets, np.random.default_rng(0))
        assert edges is not None
        return Cost(float(back[targets].mean()), estimator.length, edges.rows)
    if not estimator.random:
        return Cost(*_of_cuts(_factors(estimator, targets, np.random.SeedSequence(0)), targets), 1)
    found = [_of_cuts(_factors(estimator, targets, seed), targets) for seed in seeds[:_DRAWS]]
    edges_kept, segment = np.mean(found, axis=0)
    return Cost(float(edges_kept), float(segment), 1)


def _factors(estimator: Estimator, targets: Targets, seed: np.random.SeedSequence) -> Array:
    edges = estimator.edges(targets, np.random.default_rng(seed))
    return np.ones(len(targets)) if edges is None else edges.passing(0, len(targets))[:, 0]


def _of_cuts(factor: Array, targets: Targets) -> tuple[float, float]:
    """Count the edges between each target and the cut before it, and the longest segment."""
    steps = len(factor)
    starts = np.concatenate([[0], np.flatnonzero(factor[1:] == 0) + 1])
    segment = np.searchsorted(starts, np.arange(steps), side="right") - 1
    back = np.arange(steps) - starts[segment]
    longest = np.diff(np.append(starts, steps)).max()
    return float(back[targets].mean()), float(longest)
