"""A derivative without backpropagation: the loss of a network whose one weight is moved."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.losses import Objective
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import Trajectory, unroll
from bpttcli.errors import RunError
from bpttcli.record import Record

# Where the errors of a central difference, h² of the formula and ε/h of rounding, are equal.
_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)


class FiniteDifference(Record, frozen=True):
    """∂L/∂θ_i from two runs forward.

    Parameters
    ----------
    index : tuple of int
        i, from 0.
    value : float
        (L(θ_i + h) − L(θ_i − h))/2h; NaN or infinite where a loss is, NaN also where the moved
        network has none.
    """

    index: tuple[int, ...]
    value: float


def finite_difference(
    trajectory: Trajectory, objective: Objective, name: str, index: tuple[int, ...]
) -> FiniteDifference:
    """Move one entry of one parameter up and down, and see how the loss follows.

    Parameters
    ----------
    trajectory : Trajectory
        The run that is to be varied.
    objective : Objective
    name : str
        PyTorch's name of the parameter.
    index : tuple of int
        Of the entry, from 0.

    Returns
    -------
    FiniteDifference
    """
    network = trajectory.network
    at = float(network.parameters[name][index])
    h = _STEP * max(1.0, abs(at))
    # What float64 makes of θ ± h, not h itself, is the distance that was moved.
    up, down = at + h, at - h
    with np.errstate(all="ignore"):
        rise = _loss(trajectory, objective, _moved(network, name, index, up)) - _loss(
            trajectory, objective, _moved(network, name, index, down)
        )
        return FiniteDifference(index, float(rise / (up - down)))


def _moved(network: Network, name: str, index: tuple[int, ...], value: float) -> Network:
    """The network with one entry of one parameter replaced."""
    parameters = dict(network.parameters)
    changed = parameters[name].copy()
    changed[index] = value
    return Network.from_parameters(network.cell, parameters | {name: changed})


def _loss(trajectory: Trajectory, objective: Objective, network: Network) -> np.float64:
    """L of another network on the same sequences; NaN where its forward pass is undefined."""
    try:
        run = unroll(network, trajectory.x, trajectory.start)
    except RunError:
        return np.float64(np.nan)
    loss = np.zeros(run.batch)
    for window in run.windows(backward=False):
        top = window.tapes[-1].states[0][1:]
        loss += objective.source(network, top, window.start, window.stop).loss
    return np.float64(loss.mean())
