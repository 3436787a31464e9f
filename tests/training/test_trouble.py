"""The first value that is not finite, or too large, by step and unit."""

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.training.feed import Batch
from bpttcli.training.parameters import Parameters
from bpttcli.training.trouble import in_forward_pass, in_gradient, in_parameters
from tests.runs import network, probe, random_parameters, readout_loss, stack


def batch_of(net, x):
    return Batch(x, probe(net, x), None)


def found_in(net, x):
    return in_forward_pass(net, batch_of(net, x), 4, "stop")


def test_a_scalar_that_grows_tenfold_leaves_the_range_at_step_310():
    found = found_in(network("linear", 1.0, 10.0), np.ones((400, 1, 1)))
    assert (found.tensor, found.step, found.unit) == ("h_l0", 310, 1)
    assert found.value == np.inf
    assert found.last_finite == pytest.approx(1.111111e308, rel=1e-6)
    assert found.update == 4


def test_a_trouble_far_from_the_first_steps_is_counted_from_the_first():
    """What is looked at piece by piece has one count of steps."""
    found = found_in(network("linear", 1.0, 2.0), np.ones((1100, 1, 1)))
    assert found.step == 1024


def test_the_lowest_layer_is_where_it_starts():
    net = stack("linear", [([[1.0]], [[10.0]]), ([[1e300]], [[1.0]])])
    upper = found_in(net, np.ones((400, 1, 1)))
    assert (upper.tensor, upper.step) == ("h_l1", 10)
    net = stack("linear", [([[1.0]], [[10.0]]), ([[1.0]], [[0.0]])])
    assert found_in(net, np.ones((400, 1, 1))).tensor == "h_l0"


def test_a_value_that_is_only_large_is_named_where_it_is_largest():
    found = found_in(
        network("linear", [[1.0], [1.0]], [[1.0, 0.0], [0.0, 3.0]]), np.ones((20, 1, 1))
    )
    assert (found.tensor, found.step, found.unit) == ("h_l0", 20, 2)
    assert found.last_finite == pytest.approx(found.value / 3, rel=1e-6)


def test_states_that_are_small_leave_the_output_to_blame():
    big = {"readout.weight": np.array([[1.0], [1e200]])}
    net = network("tanh", 1.0, 0.5, **big)
    x = np.linspace(0.1, 0.9, 7)[:, None, None]
    objective = readout_loss("mse", np.zeros((7, 1, 2)), np.ones((7, 1), dtype=bool))
    found = in_forward_pass(net, Batch(x, objective, None), 1, "stop")
    assert (found.what, found.tensor, found.step, found.unit) == ("output", "output", 7, 2)
    assert "the output is" in str(found)


def test_a_gradient_is_named_by_parameter_row_and_the_step_that_adds_most():
    """The input of step 3 is 1e300, and so is all that the gradient of A gets of it."""
    net = Network.from_parameters(
        cell_named("linear"), random_parameters(np.random.default_rng(0), inputs=1, hidden=2)
    )
    parameters = Parameters(net)
    x = np.ones((5, 1, 1))
    x[2] = 1e300
    g = np.zeros(parameters.size)
    g[1] = np.inf
    found = in_gradient(parameters, g, unroll(net, x), batch_of(net, x), 2.5, 6, "skip")
    assert (found.tensor, found.step, found.unit) == ("weight_ih_l0", 3, 2)
    assert (found.last_finite, found.action) == (2.5, "skip")
    assert str(found).startswith("diverged at update 6: the gradient of weight_ih_l0 is inf")


def test_a_parameter_is_named_by_its_row_and_what_it_was():
    net = network("tanh", [[1.0], [2.0]], np.eye(2))
    parameters = Parameters(net)
    before = parameters.theta.copy()
    parameters.theta[4] = np.nan
    found = in_parameters(parameters, before, 9, "stop")
    assert (found.tensor, found.step, found.unit) == ("weight_hh_l0", None, 2)
    assert found.last_finite == 0.0
