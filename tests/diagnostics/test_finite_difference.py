"""A finite difference agrees with backpropagation where both are right."""

import numpy as np
import pytest

from bpttcli.diagnostics.finite_difference import finite_difference
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import Trajectory, unroll
from tests.runs import network as one_layer
from tests.runs import probe, random_parameters, silence


@pytest.mark.parametrize(("cell", "gates"), [("tanh", 1), ("linear", 1), ("lstm", 4), ("gru", 3)])
def test_every_parameter_agrees_with_the_engine(cell, gates):
    """At h = 6e-6 a central difference errs by h²·f‴/6 and by ε/h: 1e-8 is far above both."""
    rng = np.random.default_rng(0)
    parameters = random_parameters(rng, gates, inputs=2, hidden=3, layers=2)
    network = Network.from_parameters(cell_named(cell), parameters)
    trajectory = unroll(network, rng.normal(size=(4, 2, 2)))
    objective = probe(network, trajectory.x, vector=[0.5, -1.0, 2.0])
    gradient = backpropagate(trajectory, objective).gradient
    for name, value in gradient.items():
        index = (0,) * value.value.ndim
        found = finite_difference(trajectory, objective, name, index)
        assert found.index == index
        assert found.value == pytest.approx(value.value[index], rel=1e-7, abs=1e-9)


def test_of_a_power_of_a_weight():
    """h_3 = w³ h_0, so ∂h_3/∂w = 3 w² h_0 = 0.108."""
    network = one_layer("linear", 0.0, 0.2)
    trajectory = unroll(network, silence(3), ((np.full((1, 1), 0.9),),))
    found = finite_difference(trajectory, probe(network, trajectory.x), "weight_hh_l0", (0, 0))
    assert found.value == pytest.approx(0.108, rel=1e-9)


def test_the_same_whatever_the_windows():
    network = one_layer("tanh", 0.3, 0.8)
    x = np.ones((7, 1, 1))
    values = [
        finite_difference(
            unroll(network, x, window=window), probe(network, x), "weight_hh_l0", (0, 0)
        ).value
        for window in (None, 2)
    ]
    assert values[0] == values[1]


def test_a_loss_that_overflows_gives_no_number_and_no_warning():
    network = one_layer("linear", 1e200, 1e200)
    trajectory = unroll(network, np.ones((3, 1, 1)))
    found = finite_difference(trajectory, probe(network, trajectory.x), "weight_hh_l0", (0, 0))
    assert not np.isfinite(found.value)


def test_a_moved_network_that_is_undefined_gives_no_number():
    """Both units overflow at step 1, and at step 2 meet as ∞ − ∞."""
    network = one_layer("relu", [[1e308], [1e308]], [[0.0, 0.0], [1.0, -1.0]])
    x = np.full((2, 1, 1), 10.0)
    trajectory = Trajectory(network, x, ((np.zeros((1, 2)),),), 2)
    found = finite_difference(trajectory, probe(network, x), "weight_ih_l0", (0, 0))
    assert np.isnan(found.value)
