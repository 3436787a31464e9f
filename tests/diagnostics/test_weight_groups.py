"""Parameters that meet the same δ are worked on together."""

import numpy as np
import pytest

from bpttcli.diagnostics.weight_groups import weight_groups
from bpttcli.engine.cells import CELLS
from bpttcli.engine.unroll import unroll
from tests.runs import network, silence
from tests.truncation.cases import run


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "gru"])
def test_all_weights_of_a_layer_are_one_group(cell):
    trajectory, _ = run(cell, layers=2)
    lower, upper = weight_groups(trajectory)
    assert lower.names == (("weight_ih_l0",), ("weight_hh_l0",), ("bias_ih_l0", "bias_hh_l0"))
    assert lower.widths == (2, 3, 1)
    assert upper.widths == (3, 3, 1)
    assert lower.heard == 2 * upper.heard


def test_a_gru_has_two_groups_a_layer():
    trajectory, _ = run("gru")
    fed, own = weight_groups(trajectory)
    assert (fed.names, fed.recurrent) == ((("weight_ih_l0",), ("bias_ih_l0",)), False)
    assert (own.names, own.recurrent) == ((("weight_hh_l0",), ("bias_hh_l0",)), True)


def test_a_bias_that_is_not_there_is_in_no_group():
    trajectory = unroll(network("tanh", 1.0, 1.0), silence(3))
    (group,) = weight_groups(trajectory)
    assert group.names == (("weight_ih_l0",), ("weight_hh_l0",))


def test_weights_are_fed_the_input_the_state_before_and_ones():
    trajectory, _ = run(layers=2)
    (window,) = trajectory.windows()
    lower, upper = weight_groups(trajectory)
    x, before, ones = lower.fed(trajectory, window)
    np.testing.assert_array_equal(x, trajectory.x)
    np.testing.assert_array_equal(before, window.tapes[0].states[0][:-1])
    assert ones.shape == (8, 2, 1)
    assert (ones == 1).all()
    np.testing.assert_array_equal(upper.fed(trajectory, window)[0], window.tapes[0].states[0][1:])


def test_only_symbols_that_occur_take_room():
    net = network("tanh", np.ones((1, 100)), 1.0)
    trajectory = unroll(net, np.array([[7], [99], [7]]))
    (window,) = trajectory.windows()
    (group,) = weight_groups(trajectory)
    assert group.widths[0] == 2
    np.testing.assert_array_equal(group.fed(trajectory, window)[0][:, 0], [[1, 0], [0, 1], [1, 0]])
