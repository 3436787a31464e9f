"""The figures of grad-norms, from networks whose answer is known."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.diagnostics.verdict import Limits
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.losses import SquaredError, last_step, target_weights
from bpttcli.engine.network import Network
from tests.runs import (
    mask_of,
    network,
    probe,
    random_parameters,
    silence,
    stack,
    sweep_back,
)


def figures(net, x, objective=None, **options):
    return grad_norms(net, sweep_back(net, x, objective), **options)


def scalar_linear(b, steps):
    return figures(network("linear", 1.0, b), silence(steps))


@pytest.mark.parametrize(
    ("b", "verdict"), [(0.5, "vanishing"), (1.0, "stable"), (2.0, "exploding")]
)
def test_adjoint_of_a_scalar_linear_network_is_a_power_of_b(b, verdict):
    """With the loss at the last step, ‖g_t‖ = |b|^(T-t) ‖g_T‖."""
    result = scalar_linear(b, steps=40)
    lag = np.arange(39, -1, -1)
    np.testing.assert_allclose(result.hidden / result.hidden[-1], b**lag, rtol=1e-12)
    assert result.verdict.name == verdict
    assert result.steps == 40


def test_an_orthogonal_matrix_keeps_the_norm_to_rounding():
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    result = figures(network("linear", np.ones((6, 1)), q), silence(500))
    np.testing.assert_allclose(result.hidden, result.hidden[-1], rtol=1e-12)
    assert result.reach.growth_per_step == pytest.approx(1, abs=1e-14)
    assert result.reach.horizon_is_bound


@pytest.mark.parametrize(("b", "log10"), [(0.1, -999.0), (10.0, 999.0)])
def test_a_thousand_steps_are_reported_beyond_the_range_of_float64(b, log10):
    result = scalar_linear(b, steps=1000)
    assert abs(result.hidden_log10[0] - log10) < 1e-9
    assert result.hidden[0] == (0.0 if b < 1 else np.inf)
    assert result.reach.growth_per_step == pytest.approx(b, rel=1e-11)


def test_the_round_case():
    """THEORY: L = 100, growth 0.9, half-life 6.578813, horizon 43, log10 −45.711733."""
    net = network("linear", 1.0, 0.9, **{"readout.weight": [[1.0]]})
    objective = SquaredError(np.zeros((1, 1, 1)), target_weights(last_step(1000, 1)))
    result = figures(net, np.ones((1000, 1, 1)), objective)
    assert result.loss == pytest.approx(100, rel=1e-12)
    assert result.reach.growth_per_step == pytest.approx(0.9, rel=1e-12)
    assert result.reach.half_life == pytest.approx(6.578813, abs=5e-7)
    assert result.reach.horizon == 43
    assert result.reach.log10_ratio == pytest.approx(-45.711733, abs=5e-7)
    norms = {name: value.value.item() for name, value in result.parameters.items()}
    wanted = {"weight_ih_l0": 200, "weight_hh_l0": 2000, "readout.weight": 200}
    assert norms == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("B", "radius", "norm"),
    [
        ([[0.9, 10], [0, 0.9]], 0.9, math.sqrt(50.81 + math.sqrt(50.81**2 - 0.9**4))),
        ([[0, -2], [2, 0]], 2.0, 2.0),
        ([[0, 1], [0, 0]], 0.0, 1.0),
        ([[0, 0], [0, 0]], 0.0, 0.0),
        ([[3e300, 0], [0, -1e300]], 3e300, 3e300),
        ([[3e-300, 0], [0, 1e-300]], 3e-300, 3e-300),
    ],
)
def test_radius_and_norm_are_the_largest_eigenvalue_and_singular_value(B, radius, norm):
    """Of [[λ, d], [0, λ]]: σ₁² is the larger root of s² − (2λ² + d²) s + λ⁴."""
    result = figures(network("linear", np.ones((2, 1)), np.array(B, dtype=float)), silence(3))
    assert result.spectral_radius[0] == pytest.approx(radius, rel=1e-7, abs=1e-16)
    assert result.spectral_norm[0] == pytest.approx(norm, rel=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_a_gated_cell_has_a_radius_and_a_norm_for_each_gate(cell):
    cell = cell_named(cell)
    hidden = 3
    blocks = [(k + 1.0) * np.eye(hidden) for k in range(len(cell.gates))]
    net = network(cell.name, np.zeros((len(blocks) * hidden, 1)), np.vstack(blocks))
    result = figures(net, silence(3))
    wanted = {gate: k + 1.0 for k, gate in enumerate(cell.gates)}
    for found in (result.spectral_radius[0], result.spectral_norm[0]):
        assert found == (1.0 if len(blocks) == 1 else pytest.approx(wanted))


@pytest.mark.parametrize("cell", CELLS)
def test_norms_of_the_batch_are_mean_smallest_and_largest(cell):
    rng = np.random.default_rng(0)
    cell = cell_named(cell)
    net = Network.from_parameters(cell, random_parameters(rng, len(cell.gates), layers=2))
    x = rng.normal(size=(9, 4, 3))
    adjoints = sweep_back(net, x, probe(net, x, rng.uniform(size=(9, 4)) < 0.5 + last_step(9, 4)))
    result = grad_norms(net, adjoints)
    for k, layer in enumerate(result.layers):
        each = np.linalg.norm(adjoints.layers[k].adjoint[0].value, axis=2)
        np.testing.assert_allclose(layer.hidden.value, each.mean(axis=1), rtol=1e-13)
        np.testing.assert_allclose(layer.hidden_min.value, each.min(axis=1), rtol=1e-13)
        np.testing.assert_allclose(layer.hidden_max.value, each.max(axis=1), rtol=1e-13)
        np.testing.assert_allclose(
            layer.propagated.value, adjoints.layers[k].propagated[0].value.mean(axis=1), rtol=1e-13
        )
        assert layer.layer == k
        if len(cell.states) > 1:
            each = np.linalg.norm(adjoints.layers[k].adjoint[1].value, axis=2)
            np.testing.assert_allclose(layer.cell.value, each.mean(axis=1), rtol=1e-13)
        else:
            assert layer.cell is None


def test_a_readout_belongs_to_the_top_layer_alone():
    rng = np.random.default_rng(1)
    parameters = random_parameters(rng, layers=2, outputs=2)
    net = Network.from_parameters(cell_named("tanh"), parameters)
    result = figures(net, silence(4, inputs=3))
    assert result.layers[0].C is None
    assert result.layers[1].C.mantissa.shape == (4,)


def test_the_norm_of_a_parameter_is_that_of_its_gradient():
    rng = np.random.default_rng(2)
    net = Network.from_parameters(cell_named("tanh"), random_parameters(rng, layers=2, outputs=2))
    x, y = rng.normal(size=(6, 3, 3)), rng.normal(size=(6, 3, 2))
    result = figures(net, x, SquaredError(y, target_weights(np.ones((6, 3), dtype=bool))))
    assert list(result.parameters) == list(net.parameters)
    for name, norm in result.parameters.items():
        wanted = np.linalg.norm(result.gradient[name].value)
        np.testing.assert_allclose(norm.value, wanted, rtol=1e-14)


def test_figures_are_of_the_top_layer_and_up_to_the_last_target():
    """The lower layer explodes, the top one halves; nothing after step 20 counts."""
    net = stack("linear", [(np.eye(1), 3 * np.eye(1)), (np.eye(1), 0.5 * np.eye(1))])
    x = silence(60)
    result = figures(net, x, probe(net, x, mask_of(60, [20])))
    assert result.reach.growth_per_step == pytest.approx(0.5, rel=1e-12)
    assert result.verdict.name == "vanishing"
    assert len(result.reach.by_lag.mantissa) == 20
    assert not result.hidden[20:].any()


def test_the_growth_of_a_loss_at_every_step_is_that_of_the_last_steps_loss():
    """‖g_t‖ itself levels off at 1/(1 − b)."""
    net, x = network("linear", 1.0, 0.5), silence(60)
    result = figures(net, x, probe(net, x, np.ones((60, 1), dtype=bool)))
    assert result.reach.growth_per_step == pytest.approx(0.5, rel=1e-12)
    np.testing.assert_allclose(result.hidden[0] * 60, 2.0, rtol=1e-14)


def test_the_first_jacobian_is_not_counted_among_the_slopes():
    """It leads back to the initial state alone: step 1 is saturated, the others are not."""
    x = silence(30)
    x[0] = 100.0
    cause = figures(network("tanh", 1.0, 1e-9), x).verdict.cause
    assert "by 1 through the slope" in cause
    assert "(3% of the units" in cause  # 1 of 30 steps


@pytest.mark.parametrize(("epsilon", "horizon"), [(0.5, 1), (0.1, 3), (0.01, 6)])
def test_epsilon_says_what_still_counts_as_reached(epsilon, horizon):
    net = network("linear", 1.0, 0.5)
    assert figures(net, silence(40), epsilon=epsilon).reach.horizon == horizon


def test_the_limits_of_the_verdict_can_be_set():
    net = network("linear", 1.0, 0.5)
    limits = Limits(vanishing_below=1e-30, exploding_above=1e30)
    assert figures(net, silence(40), limits=limits).verdict.name == "stable"


# Zeros that no decay explains.


def test_dead_units_are_named_with_their_step():
    x = np.ones((9, 1, 2))
    x[3] = -10.0
    verdict = figures(network("relu", np.eye(2), np.eye(2)), x).verdict
    assert (verdict.name, verdict.zero_beyond_lag) == ("vanishing", 5)
    assert "dead (a ≤ 0) at step 4" in verdict.cause


@pytest.mark.parametrize("cell", ["tanh", "relu", "linear"])
def test_a_recurrence_of_zero_is_named(cell):
    verdict = figures(network(cell, 1.0, 0.0), np.ones((9, 1, 1))).verdict
    assert (verdict.name, verdict.zero_beyond_lag) == ("vanishing", 0)
    assert "B (hidden → hidden) is zero" in verdict.cause


@pytest.mark.parametrize("x", [silence(9), np.ones((9, 1, 1))], ids=["silent", "fed"])
def test_a_nilpotent_recurrence_is_not_taken_for_dead_units(x):
    verdict = figures(network("linear", np.ones((3, 1)), np.eye(3, k=1)), x).verdict
    assert (verdict.name, verdict.zero_beyond_lag) == ("vanishing", 2)
    assert "dead (" not in verdict.cause
    assert "nilpotent" in verdict.advice


def test_no_step_is_named_for_sequences_that_end_apart():
    x = np.ones((9, 2, 1))
    x[3, 0], x[2, 1] = -10.0, -10.0
    net = network("relu", 1.0, 1.0)
    verdict = figures(net, x, probe(net, x, mask_of(9, [9], [8]))).verdict
    assert verdict.zero_beyond_lag == 5
    assert "at step" not in verdict.cause


def test_no_gradient_at_all_is_said():
    net, x = network("tanh", 1.0, 0.5), silence(5)
    result = figures(net, x, probe(net, x, vector=0.0))
    assert result.verdict.name == "no-gradient"
    assert result.reach.horizon is None


def test_a_last_target_whose_loss_is_at_its_minimum_is_no_decay():
    """The other targets still send a gradient back."""
    net, x = network("linear", 1.0, 0.5, **{"readout.weight": [[1.0]]}), silence(5)
    y = np.ones((5, 1, 1))
    y[-1] = 0.0
    result = figures(net, x, SquaredError(y, target_weights(np.ones((5, 1), dtype=bool))))
    assert result.verdict.name == "no-gradient"
    assert "last target step" in result.verdict.cause
    assert result.hidden[0] > 0


# What leaves the range of float64.


def test_an_overflow_is_a_warning_with_its_place_and_adjoints_stay_exact():
    result = figures(network("linear", 1.0, 10.0), np.ones((400, 1, 1)))
    assert len(result.warnings) == 1
    assert "at step 310 (layer 0, unit 1)" in result.warnings[0]
    assert not np.isfinite(result.loss)
    assert result.verdict.name == "exploding"
    np.testing.assert_allclose(result.hidden_log10[0], 399, rtol=1e-13)


def test_a_loss_alone_that_overflows_is_a_warning_too():
    net = network("linear", 1.0, 0.5, **{"readout.weight": [[1.0]]})
    objective = SquaredError(np.full((1, 1, 1), 1e200), target_weights(last_step(5, 1)))
    result = figures(net, np.ones((5, 1, 1)), objective)
    assert result.loss == np.inf
    assert "the loss leaves the range" in result.warnings[0]
    assert result.verdict.name == "stable"
    np.testing.assert_allclose(result.hidden, 2e200 * 0.5 ** np.arange(4, -1, -1.0), rtol=1e-14)


def test_a_gradient_that_is_no_number_is_undefined():
    net = network("linear", 1.0, 10.0, **{"readout.weight": [[1.0]]})
    objective = SquaredError(np.zeros((1, 1, 1)), target_weights(last_step(400, 1)))
    result = figures(net, np.ones((400, 1, 1)), objective)
    assert result.verdict.name == "undefined"
    assert result.reach.horizon is None


def test_an_ordinary_run_has_no_warnings():
    assert scalar_linear(0.9, 10).warnings == ()


@pytest.mark.parametrize("cell", CELLS)
def test_a_run_of_one_step_has_every_figure(cell):
    cell = cell_named(cell)
    parameters = random_parameters(np.random.default_rng(3), len(cell.gates))
    result = figures(Network.from_parameters(cell, parameters), np.ones((1, 1, 3)))
    assert result.steps == 1
    assert result.reach.horizon in (0, None)  # None where all relu units are dead
    assert result.reach.growth_per_step is None
