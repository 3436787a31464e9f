"""The loss of a network on sequences that it is not trained on, and how often it is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.losses import CrossEntropy, Objective
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.record import Record
from bpttcli.training.feed import Batch


class Evaluation(Record, frozen=True):
    """What a network achieves.

    Parameters
    ----------
    loss : float
        L.
    accuracy : float or None
        Share of the judged steps whose class is the network's first choice; None for losses
        without classes.
    """

    loss: float
    accuracy: float | None


def evaluate(network: Network, batch: Batch, judged: NDArray[np.bool_] | None = None) -> Evaluation:
    """Run a network forward and compare it with what is asked.

    Parameters
    ----------
    network : Network
    batch : Batch
    judged : (T, N) array of bool, optional
        Steps that count for the accuracy; all that carry a target unless given.

    Raises
    ------
    RunError
        The forward pass is undefined (see `unroll`).
    """
    trajectory = unroll(network, batch.x, batch.start)
    loss = np.zeros(trajectory.batch)
    right = total = 0
    for window in trajectory.windows():
        top = window.tapes[-1].states[0][1:]
        with np.errstate(all="ignore"):
            loss += batch.objective.source(network, top, window.start, window.stop).loss
        found = _right(network, batch.objective, top, window.start, judged)
        right, total = right + found[0], total + found[1]
    return Evaluation(float(loss.mean()), right / total if total else None)


def _right(
    network: Network,
    objective: Objective,
    h: NDArray[np.float64],
    start: int,
    judged: NDArray[np.bool_] | None,
) -> tuple[int, int]:
    """Count the answers of a window that are right, and all of them."""
    if not isinstance(objective, CrossEntropy) or network.C is None:
        return 0, 0
    steps = slice(start, start + len(h))
    counts = (objective.weights if judged is None else judged)[steps] > 0
    if not counts.any():
        return 0, 0
    # The targets are those of the last steps where there are fewer of them than steps.
    first = len(objective.weights) - len(objective.y)
    step, sequence = np.nonzero(counts)
    o = np.dot(h[step, sequence], network.C.T)
    if network.c is not None:
        o += network.c
    wanted = objective.y[step + start - first, sequence]
    return int((o.argmax(axis=1) == wanted).sum()), len(step)
