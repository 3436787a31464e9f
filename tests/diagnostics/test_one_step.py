"""Each step of a stack by itself, against the cells' own Jacobians and differences."""

import numpy as np
import pytest

from bpttcli.diagnostics.one_step import one_step
from bpttcli.diagnostics.state_jacobian import state_jacobian, state_size
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from tests.runs import network, random_parameters, silence, stack


def parameters(cell, layers, seed=0):
    gates = len(cell_named(cell).gates)
    return random_parameters(np.random.default_rng(seed), gates, layers=layers)


def run(cell, named, steps=1, batch=1):
    net = Network.from_parameters(cell_named(cell), named)
    x = np.random.default_rng(1).normal(size=(steps, batch, 3))
    start = tuple(
        tuple(np.full((batch, layer.hidden), 0.3) for _ in net.cell.states) for layer in net.layers
    )
    return net, unroll(net, x, start, window=steps)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_every_step_of_every_sequence_has_its_jacobian(cell, layers):
    net, trajectory = run(cell, parameters(cell, layers), steps=4, batch=2)
    window = next(trajectory.windows())
    J = one_step(net, window).J.value
    assert J.shape == (4, 2, state_size(net), state_size(net))
    for index, n in np.ndindex(4, 2):
        wanted = state_jacobian(net, window, index, n)
        np.testing.assert_allclose(J[index, n], wanted, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", ["bias_ih", "bias_hh"])
def test_a_pre_activation_moves_the_states_of_its_layer_and_those_above(cell, layers, bias):
    """By central differences of a bias that adds to it: error of the order 1e-8."""
    named = parameters(cell, layers)
    net, trajectory = run(cell, named)
    found = one_step(net, next(trajectory.windows()))
    linear = found.fed if bias == "bias_ih" else found.own

    def after(k, moved):
        end = run(cell, {**named, f"{bias}_l{k}": moved})[1].end()
        return np.concatenate([state[0] for layer in end for state in layer])

    begin, nudge = 0, 1e-4
    for k, layer in enumerate(net.layers):
        at = named[f"{bias}_l{k}"]
        wanted = [
            (after(k, at + nudge * e) - after(k, at - nudge * e)) / (2 * nudge)
            for e in np.eye(len(at))
        ]
        assert not np.array(wanted)[:, :begin].any()
        np.testing.assert_allclose(
            linear[k].value[0, 0], np.array(wanted)[:, begin:], rtol=1e-6, atol=1e-7
        )
        begin += len(net.cell.states) * layer.hidden


def test_only_a_gru_tells_the_two_products_apart():
    for cell in CELLS:
        net, trajectory = run(cell, parameters(cell, 1))
        found = one_step(net, next(trajectory.windows()))
        assert (found.own[0] is found.fed[0]) is (cell != "gru")


def test_a_dead_unit_is_an_exact_zero():
    net = network("relu", [[1.0], [1.0]], np.eye(2), bias_ih_l0=np.array([1.0, -1.0]))
    window = next(unroll(net, silence(1)).windows())
    np.testing.assert_array_equal(one_step(net, window).J.value[0, 0], np.diag([1.0, 0.0]))


def test_paths_through_layers_keep_exponents_beyond_the_range_of_float64():
    """Layer 0 reaches layer 2 by 1e-200 · 1e-200 within one step."""
    one, small = np.array([[1.0]]), np.array([[1e-200]])
    net = stack("linear", [(one, one), (small, one), (small, one)])
    found = one_step(net, next(unroll(net, silence(1)).windows()))
    np.testing.assert_allclose(found.J.log10[0, 0, 2], [-400.0, -200.0, 0.0], atol=1e-10)
    np.testing.assert_allclose(found.fed[0].log10[0, 0, 0], [0.0, -200.0, -400.0], atol=1e-10)
