"""J_t of a whole stack of layers: the states after a step by the states before it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.engine.unroll import Trajectory, Window


def state_size(network: Network) -> int:
    """Count the numbers S that a network carries from step to step: all states, all layers."""
    return sum(len(network.cell.states) * layer.hidden for layer in network.layers)


def state_jacobian(network: Network, window: Window, index: int, sequence: int = 0) -> Array:
    """Linearise one step of the whole stack.

    J_t = ∂(states after step t)/∂(states before it), block lower triangular: a layer hears
    its own past, and at the same step what the layer below has just made of *its* past,

        ∂s^k_t/∂s_{t-1} = [∂s^k_t/∂s^k_{t-1}] + [∂s^k_t/∂h^{k-1}_t] · ∂h^{k-1}_t/∂s_{t-1}.

    Parameters
    ----------
    network : Network
    window : Window
        Of a trajectory of it.
    index : int
        Of the step in the window, from 0.
    sequence : int
        Of the batch, from 0.

    Returns
    -------
    (S, S) array
        Layers from the lowest, in each the states in the cell's order.
    """
    cell, layers, tapes = network.cell, network.layers, window.tapes
    if len(layers) == 1:
        return cell.jacobian(tapes[0], layers[0], index, sequence)[0]
    size = state_size(network)
    J = np.zeros((size, size))
    begin, below = 0, slice(0, 0)
    for layer, tape in zip(layers, tapes, strict=True):
        recurrent, fed = cell.jacobian(tape, layer, index, sequence)
        end = begin + len(recurrent)
        J[begin:end, begin:end] = recurrent
        if begin:
            J[begin:end, :begin] = fed @ J[below, :begin]
        below = slice(begin, begin + layer.hidden)  # h is the first of the states
        begin = end
    return J


def state_jacobians(
    trajectory: Trajectory, sequence: int = 0, *, backward: bool = False
) -> Iterator[Array]:
    """Yield J_1 … J_T, or J_T … J_1.

    Parameters
    ----------
    trajectory : Trajectory
    sequence : int
        Of the batch, from 0.
    backward : bool
        Begin with the last step.

    Yields
    ------
    (S, S) array
        See `state_jacobian`.
    """
    for window in trajectory.windows(backward=backward):
        steps = range(window.stop - window.start)
        for index in reversed(steps) if backward else steps:
            yield state_jacobian(trajectory.network, window, index, sequence)
