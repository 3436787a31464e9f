"""Backpropagation through time, against references, closed forms and exact arithmetic."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.losses import Probe, SquaredError, last_step, target_weights
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from tests import naive
from tests.runs import (
    close,
    mask_of,
    network,
    probe,
    random_parameters,
    readout_loss,
    silence,
    sweep_back,
)

REFERENCES = sorted((Path(__file__).parents[1] / "reference").glob("*.npz"))


@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_loss_gradients_and_adjoints_are_those_of_automatic_differentiation(path, window):
    cell, layers, name, where = path.stem.split("-")
    with np.load(path) as file:
        stored = dict(file)
    x, batch = stored["x"], stored["x"].shape[1]
    parameters = {
        key.removeprefix("param/"): stored[key] for key in stored if key.startswith("param/")
    }
    net = Network.from_parameters(cell_named(cell), parameters)
    zeros = (np.zeros_like(stored["h0"][0]),) * (len(net.cell.states) - 1)
    start = tuple((h, *zeros) for h in stored["h0"])
    mask = np.ones((len(x), batch), dtype=bool) if where == "every" else last_step(len(x), batch)

    found = sweep_back(
        net, x, readout_loss(name, stored["y"], mask), start, window=window, keep=window is None
    )

    close(found.loss.mean(), stored["loss"])
    for key, value in found.gradient.items():
        close(value.value, stored[f"grad/{key}"])
    for k in range(int(layers)):
        for state, adjoint in zip(net.cell.states, found.layers[k].adjoint, strict=True):
            # The references are adjoints of L, N times smaller than those of ℓ_n.
            close(adjoint.value / batch, stored[f"adjoint/{state}_l{k}"])


# Closed forms of the scalar linear network, THEORY: h_t = a x_t + b h_{t-1}, o_t = c h_t.


def scalar(steps, a=1.0, b=0.9, c=1.0, y=0.0):
    """x ≡ 1, squared error at the last step."""
    net = network("linear", a, b, **{"readout.weight": [[c]]})
    targets = np.full((1, 1, 1), y)
    return sweep_back(
        net, np.ones((steps, 1, 1)), SquaredError(targets, target_weights(last_step(steps, 1)))
    )


# Below b = −0.9 the terms of the sums alternate and cancel, in the formula as in the sweep.
@settings(max_examples=40)
@given(st.integers(1, 200), st.floats(0, 1.2), st.floats(0.5, 2), st.floats(-2, -0.5))
def test_the_scalar_linear_network_has_the_gradient_of_its_formula(steps, b, a, c):
    """The formula's fractions as the sums that they are, which do not cancel near b = 1."""
    found = scalar(steps, a, b, c, y=3.0)
    lag = np.arange(steps)
    power = np.sum(b**lag)  # (1 − b^T)/(1 − b)
    by_b = np.sum(lag[1:] * b ** (lag[1:] - 1.0))  # its derivative: the bracket
    s = 2 * (c * a * power - 3.0)
    np.testing.assert_allclose(found.loss, s * s / 4, rtol=1e-12)
    wanted = {
        "weight_ih_l0": c * s * power,
        "weight_hh_l0": a * c * s * by_b,
        "readout.weight": s * a * power,
    }
    for name, value in wanted.items():
        np.testing.assert_allclose(found.gradient[name].value, value, rtol=1e-12, atol=1e-300)


def test_the_round_case_is_round():
    """T = 1000, b = 0.9, y = 0: L = 100, ∂a = 200, ∂b = 2000, ∂c = 200."""
    found = scalar(1000)
    np.testing.assert_allclose(found.loss, 100, rtol=1e-12)
    wanted = {"weight_ih_l0": 200, "weight_hh_l0": 2000, "readout.weight": 200}
    for name, value in wanted.items():
        np.testing.assert_allclose(found.gradient[name].value, value, rtol=1e-12)
    log10 = found.layers[0].norm[0].log10[:, 0]
    np.testing.assert_allclose(log10[0] - log10[-1], 999 * np.log10(0.9), rtol=1e-13)


@pytest.mark.parametrize(("steps", "b"), [(10, 0.5), (100, 0.9), (100, -1.1), (7, 1.0), (5, 0.0)])
def test_with_a_loss_at_every_step_an_adjoint_is_the_sum_of_all_later_losses(steps, b):
    """g_t = c Σ_{k≥t} s_k b^(k-t)."""
    net = network("linear", 1.0, b, **{"readout.weight": [[2.0]]})
    x, y = np.random.default_rng(0).normal(size=(2, steps, 1, 1))
    found = sweep_back(net, x, SquaredError(y, target_weights(np.ones((steps, 1), dtype=bool))))
    h = [0.0]
    for value in x[:, 0, 0]:
        h.append(value + b * h[-1])
    s = 2 * (2 * np.array(h[1:]) - y[:, 0, 0]) / steps
    wanted = [2 * np.sum(s[t:] * b ** np.arange(steps - t)) for t in range(steps)]
    close(found.layers[0].adjoint[0].value[:, 0, 0], wanted, rtol=1e-12)


def test_a_gradient_through_two_steps_by_hand():
    """A = 5, B = 4, h_0 = 7, x = (2, 3), ℓ = h_2: ∂A = 11, ∂B = 66, ∂b = 5, ∂h_0 = 16."""
    net = network("linear", 5.0, 4.0, bias_ih_l0=[0.0])
    found = sweep_back(net, np.reshape([2.0, 3.0], (2, 1, 1)), start=((np.full((1, 1), 7.0),),))
    assert found.loss == 167
    assert found.layers[0].start[0].value == 16
    values = {name: value.value.item() for name, value in found.gradient.items()}
    assert values == {"weight_ih_l0": 11, "weight_hh_l0": 66, "bias_ih_l0": 5}


def test_a_power_has_its_derivative():
    """h_3 = w³ h_0 with w = 0.2, h_0 = 0.9: ∂/∂w = 3 w² h_0 = 0.108."""
    found = sweep_back(network("linear", 1.0, 0.2), silence(3), start=((np.full((1, 1), 0.9),),))
    np.testing.assert_allclose(found.gradient["weight_hh_l0"].value, 0.108, rtol=1e-15)


# Windows, batches, propagated adjoints.


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("window", [1, 2, 7, 31])
@pytest.mark.parametrize("keep", [True, False])
def test_windows_change_no_figure(cell, window, keep):
    rng = np.random.default_rng(3)
    parameters = random_parameters(rng, len(cell_named(cell).gates), layers=2, outputs=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    x, y = rng.normal(size=(31, 3, 3)), rng.normal(size=(31, 3, 2))
    objective = SquaredError(y, target_weights(rng.uniform(size=(31, 3)) < 0.3))
    whole, parts = (
        sweep_back(net, x, objective, window=size, keep=kept)
        for size, kept in ((None, True), (window, keep))
    )
    close(parts.loss, whole.loss)
    close(parts.C.value, whole.C.value)
    for a, b in zip(parts.layers, whole.layers, strict=True):
        for s in range(len(net.cell.states)):
            close(a.norm[s].value, b.norm[s].value)
            close(a.propagated[s].value, b.propagated[s].value)
            close(a.adjoint[s].value, b.adjoint[s].value)
            close(a.start[s].value, b.start[s].value)
        close(a.A.value, b.A.value)
        close(a.B.value, b.B.value)
        np.testing.assert_array_equal(a.saturated, b.saturated)


@pytest.mark.parametrize("window", [1, 7, 31])
def test_tapes_made_again_give_the_same_figures_to_the_last_bit(window):
    rng = np.random.default_rng(3)
    net = Network.from_parameters(cell_named("tanh"), random_parameters(rng, layers=2))
    x = rng.normal(size=(31, 3, 3))
    kept, again = (sweep_back(net, x, window=window, keep=keep) for keep in (True, False))
    for name, value in kept.gradient.items():
        np.testing.assert_array_equal(again.gradient[name].value, value.value)
    for a, b in zip(kept.layers, again.layers, strict=True):
        np.testing.assert_array_equal(a.norm[0].value, b.norm[0].value)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(list(CELLS)))
def test_the_order_of_the_sequences_is_irrelevant(seed, cell):
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng, len(cell_named(cell).gates), outputs=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    x, y = rng.normal(size=(6, 4, 3)), rng.normal(size=(6, 4, 2))
    mask = rng.uniform(size=(6, 4)) < 0.5
    mask[rng.integers(6)] = True
    order = rng.permutation(4)
    found = sweep_back(net, x, SquaredError(y, target_weights(mask)))
    moved = sweep_back(net, x[:, order], SquaredError(y[:, order], target_weights(mask[:, order])))
    close(moved.loss, found.loss[order])
    np.testing.assert_array_equal(moved.last_target, found.last_target[order])
    close(moved.layers[0].norm[0].value, found.layers[0].norm[0].value[:, order])
    close(moved.layers[0].B.value, found.layers[0].B.value)
    for name, value in found.gradient.items():
        close(moved.gradient[name].value, value.value)


@pytest.mark.parametrize("cell", CELLS)
def test_a_batch_is_its_sequences_one_by_one(cell):
    rng = np.random.default_rng(4)
    parameters = random_parameters(rng, len(cell_named(cell).gates), layers=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    x = rng.normal(size=(9, 3, 3))
    whole = sweep_back(net, x)
    alone = [sweep_back(net, x[:, n : n + 1]) for n in range(3)]
    for k in range(2):
        norms = np.hstack([part.layers[k].norm[0].value for part in alone])
        close(whole.layers[k].norm[0].value, norms)
    for name, value in whole.gradient.items():
        close(value.value, np.mean([part.gradient[name].value for part in alone], axis=0))


def test_with_one_target_a_sequence_the_propagated_adjoint_is_the_adjoint():
    net, x = network("tanh", 1.0, 0.9), silence(8, batch=2)
    found = sweep_back(net, x, probe(net, x, mask_of(8, [8], [3])))
    assert found.layers[0].propagated[0] is found.layers[0].norm[0]
    np.testing.assert_array_equal(found.last_target, [8, 3])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("window", [None, 3])
def test_the_propagated_adjoint_is_that_of_the_last_targets_loss_alone(cell, window):
    """Of its part of ℓ_n: the weight stays 1/(number of targets)."""
    rng = np.random.default_rng(5)
    parameters = random_parameters(rng, len(cell_named(cell).gates), layers=2, outputs=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    x, y = rng.normal(size=(9, 3, 3)), rng.normal(size=(9, 3, 2))
    mask = mask_of(9, range(1, 10), [2, 5], [7])
    found = sweep_back(net, x, SquaredError(y, target_weights(mask)), window=window)
    np.testing.assert_array_equal(found.last_target, [9, 5, 7])
    alone = mask_of(9, [9], [5], [7])
    only = sweep_back(net, x, SquaredError(y, target_weights(alone)))
    count = mask.sum(axis=0)
    for k in range(2):
        for s in range(len(net.cell.states)):
            wanted = only.layers[k].norm[s].value / count
            close(found.layers[k].propagated[s].value, wanted)


def test_the_propagated_adjoint_decays_where_the_adjoint_is_fed_at_every_step():
    net, x = network("linear", 1.0, 0.5), silence(40)
    found = sweep_back(net, x, probe(net, x, np.ones((40, 1), dtype=bool))).layers[0]
    lag = np.arange(39, -1, -1)
    np.testing.assert_allclose(found.propagated[0].value[:, 0], 0.5**lag / 40, rtol=1e-14)
    wanted = 2 * (1 - 0.5 ** (lag + 1.0)) / 40
    np.testing.assert_allclose(found.norm[0].value[:, 0], wanted, rtol=1e-14)


# Initial states, zeros, the smallest cases.


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_the_initial_states_is_of_the_batch_mean(cell):
    """Of L, hence N times smaller than one step back from g_1 of ℓ_n."""
    rng = np.random.default_rng(6)
    cell = cell_named(cell)
    parameters = random_parameters(rng, len(cell.gates), inputs=2, hidden=2)
    x, vector = rng.normal(size=(4, 3, 2)), rng.normal(size=(3, 2))
    weights = target_weights(last_step(4, 3))
    start = (tuple(rng.normal(size=(3, 2)) for _ in cell.states),)
    net = Network.from_parameters(cell, parameters)
    found = sweep_back(net, x, Probe(vector, weights), start)
    for s in range(len(cell.states)):
        wanted = naive.start_gradient(
            cell.name, parameters, x, naive.probe(vector), weights, start, 0, s
        )
        close(found.layers[0].start[s].value, wanted, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_one_step_of_one_unit_of_one_sequence_is_a_run(cell, layers):
    rng = np.random.default_rng(7)
    cell = cell_named(cell)
    parameters = random_parameters(
        rng, len(cell.gates), inputs=1, hidden=1, layers=layers, outputs=1
    )
    parameters = {name: np.abs(value) for name, value in parameters.items()}  # no dead relu
    x, y = np.full((1, 1, 1), 0.5), np.full((1, 1, 1), 2.0)
    weights = target_weights(last_step(1, 1))
    found = sweep_back(Network.from_parameters(cell, parameters), x, SquaredError(y, weights))
    twin = naive.gradient(cell.name, parameters, x, naive.squared_error(y), weights)
    for name, wanted in twin.items():
        close(found.gradient[name].value, wanted, rtol=1e-12)


def zeros_beyond(net, x):
    """The lags at which the adjoint of a loss at the last step is exactly 0."""
    norm = sweep_back(net, x).layers[-1].norm[0]
    return np.flatnonzero(norm.mantissa[::-1, 0] == 0).tolist()


def test_without_a_recurrence_a_gradient_reaches_its_own_step():
    assert zeros_beyond(network("tanh", 1.0, 0.0), np.ones((5, 1, 1))) == [1, 2, 3, 4]


def test_a_nilpotent_recurrence_ends_after_as_many_steps_as_it_has_units():
    net = network("linear", np.ones((3, 1)), np.eye(3, k=1))
    assert zeros_beyond(net, silence(6)) == [3, 4, 5]


def test_where_every_unit_is_dead_nothing_passes():
    """relu′ is 0 where a ≤ 0, at exactly 0 too."""
    net = network("relu", np.eye(2), np.eye(2))
    x = np.ones((6, 1, 2))
    x[2] = -10
    assert zeros_beyond(net, x) == [4, 5]
    assert zeros_beyond(net, silence(6, inputs=2)) == [1, 2, 3, 4, 5]


def test_a_probe_of_zero_gives_zeros():
    net, x = network("tanh", 1.0, 0.5), silence(5)
    found = sweep_back(net, x, probe(net, x, vector=0.0))
    assert not found.layers[0].norm[0].mantissa.any()
    assert not any(value.value.any() for value in found.gradient.values())


def test_progress_ends_with_everything_done():
    told = []
    net, x = network("tanh", 1.0, 0.5), silence(10)
    backpropagate(unroll(net, x, window=4), probe(net, x), progress=told.append)
    np.testing.assert_allclose(told, [0.2, 0.6, 1.0])


def test_adjoints_are_kept_only_when_asked_for():
    net, x = network("tanh", 1.0, 0.5), silence(10)
    assert backpropagate(unroll(net, x), probe(net, x)).layers[0].adjoint is None
