"""J_t of a stack: what a change of the states before a step does to those after it."""

import numpy as np
import pytest

from bpttcli.diagnostics.state_jacobian import state_jacobian, state_jacobians, state_size
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from tests.runs import random_parameters, stack


def network(cell, layers, seed=0):
    rng = np.random.default_rng(seed)
    gates = len(cell_named(cell).gates)
    parameters = random_parameters(rng, gates, layers=layers)
    return Network.from_parameters(cell_named(cell), parameters)


def step(net, x, flat):
    """The states after one step, from those before it, all in one vector."""
    states, at = [], 0
    for layer in net.layers:
        parts = []
        for _ in net.cell.states:
            parts.append(flat[None, at : at + layer.hidden])
            at += layer.hidden
        states.append(tuple(parts))
    end = unroll(net, x, tuple(states)).end()
    return np.concatenate([state[0] for layer in end for state in layer])


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_it_is_the_derivative_of_a_step_by_the_states_before_it(cell, layers):
    """Central differences: their error is of the order 1e-12/1e-4 + 1e-8."""
    net = network(cell, layers)
    rng = np.random.default_rng(1)
    size = state_size(net)
    before, x = rng.normal(size=size), rng.normal(size=(1, 1, 3))
    h = 1e-4
    columns = [
        (step(net, x, before + h * e) - step(net, x, before - h * e)) / (2 * h)
        for e in np.eye(size)
    ]
    at, start = 0, []
    for layer in net.layers:
        start.append(
            tuple(
                before[None, at + s * layer.hidden : at + (s + 1) * layer.hidden]
                for s in range(len(net.cell.states))
            )
        )
        at += len(net.cell.states) * layer.hidden
    window = next(unroll(net, x, tuple(start)).windows())
    J = state_jacobian(net, window, 0)
    np.testing.assert_allclose(J, np.array(columns).T, atol=1e-7)


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_never_hears_the_one_above_it(cell):
    net = network(cell, 2)
    half = state_size(net) // 2
    for J in state_jacobians(unroll(net, np.ones((3, 1, 3)))):
        assert not J[:half, half:].any()
        assert J[half:, :half].any()


def test_a_linear_stack_has_the_product_of_its_weights_below_the_diagonal():
    rng = np.random.default_rng(2)
    A0, B0, A1, B1 = (rng.normal(size=shape) for shape in ((2, 1), (2, 2), (3, 2), (3, 3)))
    net = stack("linear", [(A0, B0), (A1, B1)])
    J = next(state_jacobians(unroll(net, np.zeros((1, 1, 1)))))
    np.testing.assert_allclose(J, np.block([[B0, np.zeros((2, 3))], [A1 @ B0, B1]]), rtol=1e-15)


def test_the_steps_come_in_either_order_whatever_the_window():
    net = network("tanh", 2)
    x = np.random.default_rng(3).normal(size=(11, 2, 3))
    forward = list(state_jacobians(unroll(net, x, window=4), 1))
    backward = list(state_jacobians(unroll(net, x), 1, backward=True))
    assert len(forward) == 11
    for J, K in zip(forward, reversed(backward), strict=True):
        np.testing.assert_allclose(J, K, rtol=1e-13)
