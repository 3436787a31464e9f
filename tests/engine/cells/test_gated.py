"""With its gates pinned by their biases a gated cell is a linear recurrence with a closed form."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.cells import cell_named
from bpttcli.engine.cells.gated import saturated_share
from tests.runs import network, probe, silence, sweep_back


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def pinned(cell, hidden=1, **biases):
    """No weights; each gate's bias for all units, 0 unless given."""
    gates = cell_named(cell).gates
    bias = np.concatenate([np.full(hidden, float(biases.get(gate, 0.0))) for gate in gates])
    rows = len(bias)
    return network(cell, np.zeros((rows, 1)), np.zeros((rows, hidden)), bias_ih_l0=bias)


def start_of(net, rng):
    return (tuple(rng.normal(size=(1, net.layers[0].hidden)) for _ in net.cell.states),)


BIAS = st.one_of(st.floats(-30, 30), st.sampled_from([-40.0, -5.0, 0.0, 5.0, 40.0, 800.0]))


@settings(max_examples=50, deadline=None)
@given(BIAS, st.floats(-30, 30), st.floats(-3, 3), st.integers(2, 60), st.integers(0, 2**32))
def test_an_lstm_with_pinned_gates_is_a_linear_recurrence(forget, entry, candidate, steps, seed):
    """c_t = f c_{t−1} + i g, so that ∂ℓ/∂c falls by f a step: f^lag."""
    net = pinned("lstm", hidden=3, i=entry, f=forget, g=candidate)
    start = start_of(net, np.random.default_rng(seed))
    x = silence(steps)
    layer = sweep_back(net, x, start=start).layers[0]
    f = sigmoid(forget)
    lag = np.arange(steps - 1, -1, -1)
    log10 = layer.norm[1].log10[:, 0]
    np.testing.assert_allclose(log10 - log10[-1], lag * math.log10(f), rtol=1e-12, atol=1e-12)
    through = layer.adjoint[1][-1].value
    np.testing.assert_allclose(layer.start[1].value, through * f**steps, rtol=1e-12, atol=1e-300)
    c = start[0][1][0]
    for _ in range(steps):
        c = f * c + sigmoid(entry) * math.tanh(candidate)
    # o = ½ and v = 1: ∂ℓ/∂c_T = ½ sech²(c_T).
    np.testing.assert_allclose(through[0], 0.5 / np.cosh(c) ** 2, rtol=1e-11)


@settings(max_examples=25, deadline=None)
@given(BIAS, st.floats(-3, 3), st.integers(2, 60))
def test_a_gru_with_pinned_gates_is_a_linear_recurrence(update, candidate, steps):
    """h_t = z h_{t−1} + (1−z) n: ‖g_t‖ falls by z a step."""
    layer = sweep_back(pinned("gru", hidden=2, z=update, n=candidate), silence(steps)).layers[0]
    lag = np.arange(steps - 1, -1, -1)
    log10 = layer.norm[0].log10[:, 0]
    wanted = lag * math.log10(sigmoid(update))
    np.testing.assert_allclose(log10 - log10[-1], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("cell", "state", "gate"), [("lstm", 1, "f"), ("gru", 0, "z")])
def test_a_closed_carry_gate_is_followed_beyond_the_range_of_float64(cell, state, gate):
    """Bias −30 for 1000 steps: 999 log10 σ(−30) = −13016.0…"""
    layer = sweep_back(pinned(cell, **{gate: -30.0}), silence(1000)).layers[0]
    log10 = layer.norm[state].log10[:, 0]
    assert log10[0] - log10[-1] == pytest.approx(999 * math.log10(sigmoid(-30)), abs=1e-9)


@pytest.mark.parametrize(("ih", "hh", "kept"), [(0, 0, 8.9e-16), (1, 0, 1.6e-7), (1, 1, 1.76e-3)])
def test_both_biases_of_a_forget_gate_add(ih, hh, kept):
    """σ(0)^50, σ(1)^50, σ(2)^50: forget bias 1 set in both is an effective 2."""
    zero = np.zeros((8, 2))
    biases = {"bias_ih_l0": np.zeros(8), "bias_hh_l0": np.zeros(8)}
    biases["bias_ih_l0"][2:4], biases["bias_hh_l0"][2:4] = ih, hh
    layer = sweep_back(network("lstm", zero[:, :1], zero, **biases), silence(51)).layers[0]
    cell = layer.norm[1].value[:, 0]
    assert cell[0] / cell[-1] == pytest.approx(sigmoid(ih + hh) ** 50, rel=1e-12)
    assert cell[0] / cell[-1] == pytest.approx(kept, rel=0.02)


@pytest.mark.parametrize(
    ("cell", "block"), [*product(["lstm"], range(4)), *product(["gru"], range(3))]
)
def test_only_the_second_block_of_the_biases_carries(cell, block):
    """PyTorch's order, i, f, g, o and r, z, n; Keras has the GRU's z first."""
    gates = cell_named(cell).gates
    net = pinned(cell, **{gates[block]: 40.0})
    carried = sweep_back(net, silence(20)).layers[0].norm[-1].value[:, 0]
    assert carried[0] / carried[-1] == pytest.approx(1.0 if block == 1 else 0.5**19, rel=1e-12)


def test_the_reset_gate_acts_after_the_recurrent_product():
    """n = tanh(r (B_n h + b_hn)) with r = ½: its two biases do not simply add."""
    B = np.array([[0.0], [0.0], [0.6]])
    biases = {"bias_ih_l0": np.zeros(3), "bias_hh_l0": np.array([0.0, -800.0, 0.4])}
    net = network("gru", np.zeros((3, 1)), B, **biases)
    found = sweep_back(net, silence(1), start=((np.array([[0.5]]),),))
    assert found.loss[0] == pytest.approx(math.tanh(0.5 * (0.6 * 0.5 + 0.4)), rel=1e-15)


@pytest.mark.parametrize(
    ("gate", "share"), [(0.05, 0.0), (0.95, 0.0), (0.0499, 1.0), (0.9501, 1.0), (0.5, 0.0)]
)
def test_a_gate_is_saturated_outside_its_middle_nine_tenths(gate, share):
    np.testing.assert_array_equal(saturated_share(np.full((2, 3, 4), gate)), [share, share])


def test_the_gates_of_every_step_are_reported_in_their_order():
    net = pinned("lstm", hidden=2, i=-5.0, f=5.0, o=1.0)
    layer = sweep_back(net, silence(3)).layers[0]
    for mean, a in zip(layer.gates, (-5.0, 5.0, 1.0), strict=True):
        np.testing.assert_allclose(mean, sigmoid(a), rtol=1e-14)
    np.testing.assert_array_equal(layer.gates_saturated, [[1.0] * 3, [1.0] * 3, [0.0] * 3])
    np.testing.assert_allclose(layer.saturated, 2 / 3, rtol=1e-14)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_drive_that_is_not_a_number_is_undefined_in_every_slope(cell):
    net = pinned(cell, hidden=2)
    rows = len(net.layers[0].B)
    zeros = tuple(np.zeros((1, 2)) for _ in net.cell.states)
    with np.errstate(all="ignore"):
        tape = net.cell.advance(np.full((1, 1, rows), np.nan), net.layers[0], zeros)
    assert all(np.isnan(slope).all() for slope in tape.slopes)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_loss_at_every_step_enters_at_every_step(cell):
    """Kept by k a step and fed anew: the sum of a geometric series."""
    gate = cell_named(cell).carry
    net, x = pinned(cell, **{gate: 1.0}), silence(30)
    layer = sweep_back(net, x, probe(net, x, np.ones((30, 1), dtype=bool))).layers[0]
    k = sigmoid(1.0)
    lag = np.arange(29, -1, -1)
    total = layer.norm[-1].value[:, 0]
    np.testing.assert_allclose(total / total[-1], (1 - k ** (lag + 1)) / (1 - k), rtol=1e-12)
