"""What passes between the steps, and into which row of a sweep a loss enters."""

import numpy as np
import pytest

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.edges import Factors, into_rows, rows_entered
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.sliding import Windows
from tests.runs import mask_of, network, probe, random_parameters

WINDOWS = Windows(3, np.array([0, 1, 2]))


@pytest.mark.parametrize(
    ("edges", "steps", "rows"),
    [
        (None, [7], [0]),
        (Factors(np.ones(9)), [7, 3], [0]),
        (WINDOWS, [9], [0]),
        (WINDOWS, [7, 7, 4], [1]),
        (WINDOWS, [8, 9], [0, 2]),
        (Windows(5, np.array([4])), [9], [0]),
    ],
)
def test_the_rows_that_some_losses_enter(edges, steps, rows):
    assert rows_entered(edges, np.array(steps)).tolist() == rows


def test_what_does_not_enter_may_well_be_infinite():
    hidden = np.array([[[np.inf, 1.0]]])
    entering = into_rows(hidden, np.array([[0.0, 0.5]]), 2)
    assert entering[0, :, 0].tolist() == [[0.0, 0.0], [np.inf, 0.5]]


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("targets", [([8], [8]), ([2, 5, 8], [8]), ([1, 4, 8], [3, 6])])
def test_the_propagated_adjoint_needs_no_rows_but_those_of_the_last_losses(cell, targets):
    """Windows in three rows against the last losses alone, each in windows of its own."""
    rng = np.random.default_rng(0)
    gates = {"tanh": 1, "lstm": 4, "gru": 3}[cell]
    net = network(cell, 0, 0, **random_parameters(rng, gates))
    trajectory = unroll(net, rng.normal(size=(8, 2, 3)))
    mask, vector = mask_of(8, *targets), rng.normal(size=4)
    # All losses share the number of targets that their sequence is divided by.
    objective = probe(net, trajectory.x, mask, vector)
    found = backpropagate(trajectory, objective, edges=WINDOWS).layers[0]
    last = mask_of(8, *([steps[-1]] for steps in targets))
    alone = probe(net, trajectory.x, last, vector)
    wanted = backpropagate(trajectory, alone, edges=WINDOWS).layers[0]
    count = mask.sum(axis=0)
    for s, norm in enumerate(found.propagated):
        np.testing.assert_allclose(norm.value, wanted.norm[s].value / count, rtol=1e-13)
    if found.carried is not None:
        np.testing.assert_allclose(
            found.carried.value, wanted.carried.value / count, rtol=1e-13, atol=1e-300
        )
