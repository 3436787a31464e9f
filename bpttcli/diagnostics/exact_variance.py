"""The variance of randomized truncation, exactly, with a loss at any step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpttcli.diagnostics.adjoint_covariance import AdjointCovariance
from bpttcli.diagnostics.contribution_variance import ContributionVariance, delay
from bpttcli.diagnostics.one_step import one_step
from bpttcli.diagnostics.state_jacobian import state_size
from bpttcli.diagnostics.weight_groups import weight_groups
from bpttcli.engine.losses import Objective
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import Trajectory
from bpttcli.truncation.randomized import Moments

# Numbers in the arrays that linearise a part of the steps: 8 MiB, whatever their number.
_PART_NUMBERS = 2**20


def exact_variance(
    trajectory: Trajectory,
    objective: Objective,
    moments: Moments,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Scaled]:
    """Compute tr Cov of the gradient's estimate with independent factors on all edges.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
        Any loss at any steps.
    moments : Moments
        Mean and variance of the factors. They are shared by the layers, by the states and by
        the sequences of the batch; the edge into the initial state always passes.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    dict of str to Scaled of shape ()
        For each parameter, the variances of its entries added up, under PyTorch's names. The
        readout's are exactly 0: nothing that is cut leads to it. NaN where the forward pass
        has overflowed.

    Raises
    ------
    RunError
        The forward pass, made again, is undefined (see `unroll`).

    Notes
    -----
    One sweep from the last step to the first carries the covariance of the adjoint (see
    `AdjointCovariance`) and what the parameters make of it (`ContributionVariance`), both
    with exponents. `variance_cost` tells beforehand how much that is.

    Without cuts the estimate is the gradient, so that the variance of a factor that always is
    1 is 0. With the loss at the last step alone this is, for a cut probability p = 1 − q and
    what passes multiplied by 1/q, p Σ_j q^−j ‖gradient − its part that crosses less than j
    edges‖², as in Beatson & Adams 2019 (arXiv:1905.07006).
    """
    network, batch, steps = trajectory.network, trajectory.batch, trajectory.steps
    zero = Scaled.of(0.0)
    variances = dict.fromkeys(network.parameters, zero)
    if moments.variance == 0:
        return variances
    adjoint = AdjointCovariance(batch, state_size(network), _top(network), moments)
    sums = []
    for group in weight_groups(trajectory):
        length = delay(batch, steps, sum(group.widths))
        made = ContributionVariance(batch, group.gates, group.heard, group.widths, length)
        sums.append((group, made))
    with np.errstate(all="ignore"):
        for window in trajectory.windows():
            for part in window.parts(_part_length(network, batch)):
                source = objective.source(
                    network, part.tapes[-1].states[0][1:], part.start, part.stop
                )
                if source.hidden is None and adjoint.silent:
                    continue
                maps = one_step(network, part)
                for group, summed in sums:
                    summed.enter(group.fed(trajectory, part))
                for index in reversed(range(part.stop - part.start)):
                    adjoint.receive(None if source.hidden is None else source.hidden[index])
                    if not adjoint.certain:
                        for group, summed in sums:
                            summed.add(index, group.by_delta(maps)[index], adjoint)
                    if part.start + index:
                        K = adjoint.back(maps.J[index])
                        for _, summed in sums:
                            summed.back(K, moments.mean)
                    if progress is not None:
                        progress(1.0 - (part.start + index) / steps)
    for group, summed in sums:
        for names, found in zip(group.names, summed.total(), strict=True):
            mean = Scaled(found.mantissa / batch**2, found.exponent)
            variances.update(dict.fromkeys(names, mean))
    return variances


def variance_cost(trajectory: Trajectory) -> float:
    """Count the floating-point operations of `exact_variance`.

    Parameters
    ----------
    trajectory : Trajectory

    Returns
    -------
    float
        Multiplications and additions, but for what is small beside them. The adjoint's
        covariance takes of the order of T N² H³, the rest T N H⁴/L with L ≈ √(2H/N).
    """
    network, n, steps = trajectory.network, trajectory.batch, trajectory.steps
    states = state_size(network)
    each = 4.0 * n**2 * states**3
    for group in weight_groups(trajectory):
        gates, size, width = group.gates, group.heard, sum(group.widths)
        length = delay(n, steps, width)
        covariances = 2.0 * n**2 * gates * size**2 * (1.0 + length / 2.0)
        since = 2.0 * n * size**2 * (size + gates)
        carried = 2.0 * n * width * gates * size * (size / length + n + 1.0)
        each += covariances + since + (0.0 if length == steps else carried)
    return each * steps


def _top(network: Network) -> slice:
    """Where the hidden states of the top layer stand."""
    hidden = network.layers[-1].hidden
    begin = state_size(network) - len(network.cell.states) * hidden
    return slice(begin, begin + hidden)


def _part_length(network: Network, batch: int) -> int:
    """Steps that are linearised at a time."""
    size = state_size(network)
    a_step: int = batch * size * (size + sum(layer.B.shape[0] for layer in network.layers))
    return max(1, _PART_NUMBERS // a_step)
