"""What travels by a cell's own path alone is what a network whose B is zero would pass on."""

import msgspec
import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import unroll
from tests.runs import mask_of, probe, random_parameters, sweep_back

STEPS, BATCH, HIDDEN = 9, 2, 4
GATED = [name for name in CELLS if cell_named(name).carry]


def trajectory(cell, layers=2, window=None):
    rng = np.random.default_rng(3)
    gates = len(cell_named(cell).gates)
    net = Network.from_parameters(cell_named(cell), random_parameters(rng, gates, layers=layers))
    return unroll(net, rng.normal(size=(STEPS, BATCH, 3)), window=window)


def arrays(part):
    """What a sweep found, as plain numbers."""
    exponent = part.exponent[..., None]
    return [Scaled(array, exponent).value for array in (*part.adjoint, part.delta)]


@pytest.mark.parametrize("cell", GATED)
@pytest.mark.parametrize("edges", [None, [1.0, 0.0, 0.5, 2.0, 1.0, 1.0, 0.0, 1.0, 1.0]])
def test_the_own_path_is_the_way_back_of_a_network_whose_b_is_zero(cell, edges):
    run = trajectory(cell)
    (window,) = run.windows()
    hidden = np.random.default_rng(4).normal(size=(STEPS, 2, BATCH, HIDDEN))
    if edges is not None:
        edges = np.repeat(np.array(edges)[:, None], 2, axis=1)
    own = Sweep(run.network, BATCH, rows=2, own=True).through(window, hidden, edges)
    without = msgspec.structs.replace(
        run.network,
        layers=tuple(
            msgspec.structs.replace(layer, B=np.zeros_like(layer.B)) for layer in run.network.layers
        ),
    )
    wanted = Sweep(without, BATCH, rows=2).through(window, hidden, edges)
    for found, expected in zip(own, wanted, strict=True):
        for pair in zip(arrays(found), arrays(expected), strict=True):
            np.testing.assert_allclose(*pair, rtol=1e-13)


@pytest.mark.parametrize("cell", GATED)
@pytest.mark.parametrize("window", [None, 4])
def test_what_is_carried_belongs_to_the_last_target_step_alone(cell, window):
    """As if the earlier targets were not there, whatever the windows."""
    run = trajectory(cell, window=window)
    every, last = ([[2, 5, 9], [3, 7]], [[9], [7]])
    found, wanted = (
        sweep_back(run.network, run.x, probe(run.network, run.x, mask), window=window).layers
        for mask in (mask_of(STEPS, *every), mask_of(STEPS, *last))
    )
    # The mean over three targets and over two: each one's part of ℓ_n is that much smaller.
    share = np.array([3.0, 2.0])
    for layer, alone in zip(found, wanted, strict=True):
        np.testing.assert_allclose(
            layer.carried.value * share, alone.carried.value, rtol=1e-12, atol=1e-15
        )


def test_a_cell_without_an_own_path_carries_nothing():
    run = trajectory("tanh")
    for layer in sweep_back(run.network, run.x).layers:
        assert layer.carried is None
        assert layer.gates.shape == (0, STEPS)
