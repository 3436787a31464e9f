"""What an estimator of the gradient lets pass of the last target step's adjoint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.reach import Reach, growth_per_step
from bpttcli.engine.edges import Edges
from bpttcli.engine.scaled import Array
from bpttcli.record import Record
from bpttcli.truncation.estimator import Estimator

# Numbers of edges that are looked at together, and steps: most cuts are near.
_NUMBERS, _STEPS = 2**20, 256
# Growths of weights that differ by less are one.
_SAME = 1e-9


class Passage(Record, frozen=True):
    """What the edges of an estimate do to the propagated adjoint, whatever the network does.

    Parameters
    ----------
    label : str
        The estimator's.
    random : bool
        Whether another draw would cut elsewhere.
    cut_lag : int or None
        The largest lag at which anything passes in any sequence; None where the longest way
        back, to step 1, is not cut.
    weighs : bool
        Whether what passes is not passed as it is.
    growth : float or None
        What the weights on the edges add to the growth per step, by the same fit: a factor,
        1 where all passes as it is. None where there is no growth, or where sequences that
        end apart meet different weights.
    """

    label: str
    random: bool
    cut_lag: int | None
    weighs: bool
    growth: float | None


def passage_of(
    estimator: Estimator, edges: Edges, last_target: NDArray[np.int64], reach: Reach
) -> Passage:
    """Follow the edges of an estimate back from the last target steps.

    Parameters
    ----------
    estimator : Estimator
    edges : Edges
        That it made.
    last_target : (N,) array of int
        τ, from 1 to T.
    reach : Reach
        Of the propagated adjoint under these edges.
    """
    ends = np.unique(last_target)
    passed = [share_passed(edges, int(step)) for step in ends]
    furthest = max(len(share) for share in passed) - 1
    alive = np.flatnonzero(reach.by_lag.mantissa != 0)
    growths = []
    for share in passed:
        with np.errstate(divide="ignore"):
            found = growth_per_step(np.log(share), alive[alive < len(share)])
        if found is not None:
            growths.append(found)
    growth = None
    if growths and reach.growth_per_step is not None:
        same = max(growths) - min(growths) <= _SAME * max(growths)
        growth = growths[-1] if same else None
    cut_lag = furthest if furthest < ends[-1] - 1 else None
    weighs = any((share != 1).any() for share in passed)
    return Passage(estimator.label, estimator.random, cut_lag, weighs, growth)


def share_passed(edges: Edges, step: int) -> Array:
    """Multiply the edges from a target step back: the share of its adjoint at each lag.

    Parameters
    ----------
    edges : Edges
    step : int
        From 1 to T.

    Returns
    -------
    (n,) array
        By lag, from 0, up to step 1 or to the last lag at which anything passes.
    """
    weights = edges.entering(step - 1, step)
    alive = np.ones(edges.rows) if weights is None else weights[0]
    found = [alive.sum(keepdims=True)]
    longest = max(1, min(_STEPS, _NUMBERS // edges.rows))
    # The edge of step 1 leads to the initial state, not to a step.
    for stop in range(step, 1, -longest):
        along = alive * np.cumprod(edges.passing(max(1, stop - longest), stop)[::-1], axis=0)
        found.append(along.sum(axis=1))
        alive = along[-1]
        if not alive.any():
            break
    share = np.concatenate(found)
    return np.asarray(share[: int(np.flatnonzero(share)[-1]) + 1])
