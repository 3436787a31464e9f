"""What a gated cell carries by itself, where the paths through B have a closed form too."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.diagnostics.own_path import OwnPath
from bpttcli.engine.cells import CELLS, cell_named
from tests.runs import mask_of, network, probe, silence, sweep_back

BIASES = [-2.0, 0.0, 1.0, 2.0, 5.0]


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def silent_lstm(bias, gain, hidden=3):
    """No input, so h = c = 0: then i = o = ½, f = σ(bias), and only B's g block counts.

    Going back a step γ = ∂ℓ/∂c becomes (f + gain/4) γ: f by the own path, and gain/4 through
    i and B into h, and through o into c again; ∂ℓ/∂h is gain/2 times the γ after it.
    """
    B = np.vstack([np.zeros((2 * hidden, hidden)), gain * np.eye(hidden), np.zeros((hidden,) * 2)])
    biases = np.repeat([0.0, bias, 0.0, 0.0], hidden)
    return network("lstm", np.zeros((4 * hidden, 1)), B, bias_ih_l0=biases)


def figures(net, steps, mask=None, **options):
    x = silence(steps, 1 if mask is None else mask.shape[1])
    return grad_norms(net, sweep_back(net, x, probe(net, x, mask)), **options)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("gain", [0.0, 0.05, 1.0])
def test_the_own_path_is_a_power_of_the_forget_gate_and_b_adds_to_each_factor(bias, gain):
    layer = figures(silent_lstm(bias, gain), 40).layers[0]
    lag = np.arange(39, -1, -1)
    f = sigmoid(bias)
    carried, cell = layer.carried.log10, layer.cell.log10
    np.testing.assert_allclose(carried - carried[-1], lag * math.log10(f), atol=1e-12)
    np.testing.assert_allclose(cell - cell[-1], lag * math.log10(f + gain / 4), atol=1e-12)


@pytest.mark.parametrize("bias", BIASES)
def test_the_share_of_the_own_path_is_told_at_the_horizon(bias):
    """(f / (f + gain/4))^lag."""
    own = figures(silent_lstm(bias, 0.2), 60).own_path
    assert own.carry == pytest.approx(sigmoid(bias), rel=1e-14)
    assert own.half_life == pytest.approx(math.log(0.5) / math.log(sigmoid(bias)), rel=1e-12)
    assert own.share == pytest.approx((own.carry / (own.carry + 0.05)) ** own.lag, rel=1e-12)


def test_the_horizon_grows_with_the_forget_bias_as_its_sigma_predicts():
    """‖∂ℓ/∂h‖ is gain/4 (σ(β) + gain/4)^(lag − 1) of the first: above ε up to a known lag."""
    gain, epsilon = 0.05, 1e-3
    horizons = []
    for bias in BIASES[:-1]:
        reach = figures(silent_lstm(bias, gain), 200, epsilon=epsilon).reach
        steps = math.log(epsilon / (gain / 4)) / math.log(sigmoid(bias) + gain / 4)
        assert reach.horizon == 1 + math.floor(steps)
        horizons.append(reach.horizon)
    assert horizons == sorted(set(horizons))


def test_a_gru_without_weights_has_nothing_but_its_own_path():
    net = network("gru", np.zeros((6, 1)), np.zeros((6, 2)), bias_ih_l0=[0, 0, 3.0, 3.0, 0, 0])
    result = figures(net, 30)
    np.testing.assert_allclose(result.layers[0].carried.value, result.hidden, rtol=1e-13)
    assert result.own_path.gate == "z"
    assert result.own_path.share == pytest.approx(1.0, rel=1e-13)
    assert result.reach.growth_per_step == pytest.approx(sigmoid(3.0), rel=1e-12)


def test_gates_are_reported_by_name_with_their_saturation():
    layer = figures(silent_lstm(5.0, 0.0), 4).layers[0]
    assert list(layer.gates) == list(layer.gates_saturated) == ["i", "f", "o"]
    np.testing.assert_allclose(layer.gates["f"], sigmoid(5.0), rtol=1e-14)
    np.testing.assert_array_equal(layer.gates_saturated["f"], np.ones(4))
    np.testing.assert_array_equal(layer.gates_saturated["o"], np.zeros(4))


def test_steps_after_the_last_target_and_the_first_step_do_not_count():
    """Gate f is σ(3) at step 1 and from step 7 on, and ½ on the way between."""
    net = network("lstm", np.array([[0.0], [3.0], [0.0], [0.0]]), np.zeros((4, 1)))
    x = silence(9)
    x[[0, 6, 7, 8]] = 1.0
    result = grad_norms(net, sweep_back(net, x, probe(net, x, mask_of(9, [6]))))
    assert result.own_path.carry == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("mask", [mask_of(1, [1]), mask_of(5, [1])], ids=["one step", "first"])
def test_a_target_at_the_first_step_leaves_nothing_to_compare(mask):
    own = figures(silent_lstm(1.0, 0.5), len(mask), mask).own_path
    assert (own.share, own.lag) == (None, 1)


@pytest.mark.parametrize("carry", [0.0, 1.0])
def test_a_gate_that_is_shut_or_wide_open_has_no_half_life(carry):
    assert OwnPath("f", carry, None, 1).half_life is None


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_has_an_own_path_if_it_has_a_gate_that_carries(cell):
    rows = len(cell_named(cell).gates) * 2
    result = figures(network(cell, np.zeros((rows, 1)), np.zeros((rows, 2))), 3)
    for present in (result.own_path, result.layers[0].carried):
        assert (present is None) == (cell_named(cell).carry is None)


def test_a_hidden_state_that_is_cut_is_told_apart_from_a_cell_state_that_is_carried():
    verdict = figures(silent_lstm(2.0, 0.0), 9).verdict
    assert (verdict.name, verdict.zero_beyond_lag) == ("vanishing", 0)
    for words in ("hidden state is exactly zero", "own path keeps 0.8808", "gate f"):
        assert words in verdict.cause


@pytest.mark.parametrize(("bias", "words"), [(0.0, "forget_bias=4.1 "), (20.0, "--gain")])
def test_the_advice_opens_the_carry_gate_only_if_it_is_closed(bias, words):
    """ln 59 = 4.08; with f = 1 the way into the own path is what costs."""
    verdict = figures(silent_lstm(bias, 1e-9), 60).verdict
    assert verdict.name == "vanishing"
    assert words in verdict.advice
