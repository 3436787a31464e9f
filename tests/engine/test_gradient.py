"""The gradient is the sum of what all steps contribute, under PyTorch's names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.losses import SquaredError, target_weights
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from tests.runs import mask_of, network, probe, random_parameters, silence, sweep_back


def random_case(seed, cell="tanh", steps=8, batch=3, *, symbols=False, outputs=2):
    rng = np.random.default_rng(seed)
    gates = len(cell_named(cell).gates)
    parameters = random_parameters(rng, gates, layers=2, outputs=outputs)
    x = rng.normal(size=(steps, batch, 3))
    if symbols:
        x = rng.integers(3, size=(steps, batch))
    y = rng.normal(size=(steps, batch, outputs))
    weights = target_weights(np.ones((steps, batch), dtype=bool))
    return parameters, x, SquaredError(y, weights)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_the_contributions_of_all_steps_sum_to_the_gradient(seed, steps, batch, symbols):
    """A window of one step is one contribution; its norm is the one that is reported."""
    parameters, x, objective = random_case(seed, steps=steps, batch=batch, symbols=symbols)
    net = Network.from_parameters(cell_named("tanh"), parameters)
    found = sweep_back(net, x, objective)
    for k in range(2):
        delta = recurrent_deltas(net, found, k, x)
        fed = [x if x.ndim == 3 else np.eye(3)[x], *hidden_states(net, x)]
        before = np.concatenate([np.zeros((1, batch, 4)), fed[k + 1][:-1]])
        for name, norm, u in (
            (f"weight_ih_l{k}", found.layers[k].A, fed[k]),
            (f"weight_hh_l{k}", found.layers[k].B, before),
        ):
            each = np.einsum("tnd,tni->tdi", delta, u) / batch
            np.testing.assert_allclose(
                norm.value, np.linalg.norm(each, axis=(1, 2)), rtol=1e-11, atol=1e-14
            )
            np.testing.assert_allclose(
                found.gradient[name].value, each.sum(axis=0), rtol=1e-11, atol=1e-14
            )


def hidden_states(net, x):
    """h_1 … h_T of each tanh layer, in NumPy's plainest words."""
    below = x if x.ndim == 3 else np.eye(3)[x]
    found = []
    for layer in net.layers:
        h = np.zeros((x.shape[1], layer.hidden))
        states = []
        for x_t in below:
            h = np.tanh(x_t @ layer.A.T + h @ layer.B.T + layer.bias_ih + layer.bias_hh)
            states.append(h)
        below = np.array(states)
        found.append(below)
    return found


def recurrent_deltas(net, found, k, x):
    """δ_t = (1 − h_t²) ∘ g_t."""
    return (1 - hidden_states(net, x)[k] ** 2) * found.layers[k].adjoint[0].value


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("window", [1, 2, 7, 8])
@pytest.mark.parametrize("keep", [True, False])
def test_windows_change_the_gradient_by_rounding_alone(cell, window, keep):
    parameters, x, objective = random_case(0, cell)
    net = Network.from_parameters(cell_named(cell), parameters)
    whole = sweep_back(net, x, objective).gradient
    for name, value in sweep_back(net, x, objective, window=window, keep=keep).gradient.items():
        np.testing.assert_allclose(value.value, whole[name].value, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_has_the_parameters_that_the_network_has(cell):
    parameters, x, objective = random_case(1, cell)
    zero = {name: value * 0 if "bias" in name else value for name, value in parameters.items()}
    whole = sweep_back(Network.from_parameters(cell_named(cell), zero), x, objective).gradient
    assert list(whole) == list(parameters)
    for dropped in [name for name in parameters if "bias" in name]:
        fewer = {name: value for name, value in zero.items() if name != dropped}
        found = sweep_back(Network.from_parameters(cell_named(cell), fewer), x, objective).gradient
        assert list(found) == list(fewer)
        for name, value in found.items():
            np.testing.assert_allclose(value.value, whole[name].value, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cell", ["tanh", "relu", "linear"])
def test_two_biases_that_add_have_one_gradient(cell):
    parameters, x, objective = random_case(2, cell)
    found = sweep_back(Network.from_parameters(cell_named(cell), parameters), x, objective)
    for k in (0, 1):
        np.testing.assert_array_equal(
            found.gradient[f"bias_ih_l{k}"].value, found.gradient[f"bias_hh_l{k}"].value
        )


def test_a_probe_asks_nothing_of_the_readout():
    parameters, x, _ = random_case(3)
    net = Network.from_parameters(cell_named("tanh"), parameters)
    found = sweep_back(net, x, probe(net, x))
    assert not found.gradient["readout.weight"].value.any()
    assert not found.gradient["readout.bias"].value.any()
    assert not found.C.value.any()


@pytest.mark.parametrize("window", [None, 50])
@pytest.mark.parametrize(("b", "steps"), [(0.1, 300), (10.0, 300), (0.1, 330), (1e-3, 90)])
def test_states_and_adjoints_of_opposite_ends_meet_in_the_gradient(b, steps, window):
    """h_t = b^t h_0 and g_t = b^(T-t): ∂h_T/∂b = T b^(T-1) h_0, each step adding the same."""
    net = network("linear", 1.0, b)
    h0 = 1e290 if b < 1 else 1e-10
    start = ((np.full((1, 1), h0),),)
    found = sweep_back(net, silence(steps), start=start, window=window)
    wanted = np.log10(h0) + (steps - 1) * np.log10(b)
    np.testing.assert_allclose(found.layers[0].B.log10, wanted, rtol=1e-12)
    np.testing.assert_allclose(
        found.gradient["weight_hh_l0"].log10, [[wanted + np.log10(steps)]], rtol=1e-12
    )


@pytest.mark.parametrize("window", [None, 50])
def test_an_input_far_before_the_loss_does_not_hide_behind_silence(window):
    """x is 0 where the adjoint is largest, as in most of the adding problem."""
    x = silence(600)
    x[550:] = 1.0
    found = sweep_back(network("linear", 1.0, 100.0), x, window=window)
    wanted = np.log10(np.sum(100.0 ** np.arange(50)))
    np.testing.assert_allclose(found.gradient["weight_ih_l0"].log10, [[wanted]], rtol=1e-13)


@pytest.mark.parametrize("window", [1, 40, None])
def test_the_sum_over_windows_leaves_float64_with_its_terms(window):
    """B = 10^20: the windows contribute from 1 to 1e1980."""
    steps = 100
    x = silence(steps)
    x[...] = 1.0
    net = network("linear", 1.0, 1e20, bias_ih_l0=np.zeros(1))
    found = sweep_back(net, x, probe(net, x, mask_of(steps, [steps])), window=window)
    for name in ("weight_ih_l0", "bias_ih_l0"):
        assert isinstance(found.gradient[name], Scaled)
        np.testing.assert_allclose(found.gradient[name].log10, 1980, rtol=1e-14)


def test_a_loss_that_says_nothing_to_the_outputs_leaves_their_gradient_zero_whatever_the_state():
    """h_4 overflows, and 0 times it would be no number."""
    net = network("linear", 1.0, 1e100, **{"readout.weight": [[1.0]], "readout.bias": [0.0]})
    gradient = sweep_back(net, np.ones((6, 1, 1)), probe(net, np.ones((6, 1, 1)))).gradient
    assert gradient["readout.weight"].value.tolist() == [[0.0]]
    assert gradient["readout.bias"].value.tolist() == [0.0]
