"""The figures that are reported, against closed forms."""

import numpy as np
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.diagnostics.reach import reach_of
from bpttcli.diagnostics.verdict import Limits
from bpttcli.engine.scaled import Scaled
from tests import runs


def scalar_linear(b, steps):
    """ℓ = h_T of h_t = b h_{t-1}."""
    net = runs.network("linear", 1.0, b)
    return grad_norms(net, runs.sweep_back(net, runs.silence(steps)))


@pytest.mark.parametrize(
    ("b", "verdict"), [(0.5, "vanishing"), (1.0, "stable"), (2.0, "exploding")]
)
def test_adjoint_of_a_scalar_linear_network_is_a_power_of_b(b, verdict):
    """With the loss at the last step, ‖g_t‖ = |b|^(T-t) ‖g_T‖."""
    result = scalar_linear(b, steps=40)
    lag = np.arange(39, -1, -1)
    np.testing.assert_allclose(result.hidden / result.hidden[-1], b**lag, rtol=1e-12)
    assert result.verdict.name == verdict
    assert result.spectral_radius == result.spectral_norm == (b,)


def test_an_orthogonal_matrix_keeps_the_norm_to_rounding():
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    net = runs.network("linear", np.ones((6, 1)), q)
    result = grad_norms(net, runs.sweep_back(net, runs.silence(500)))
    np.testing.assert_allclose(result.hidden, result.hidden[-1], rtol=1e-12)
    assert result.reach.growth_per_step == pytest.approx(1, abs=1e-14)
    assert result.reach.horizon_is_bound


def test_a_matrix_that_is_zero_cuts_and_is_named():
    net = runs.network("tanh", np.ones((3, 1)), np.zeros((3, 3)))
    result = grad_norms(net, runs.sweep_back(net, runs.silence(9)))
    assert (result.verdict.name, result.verdict.zero_beyond_lag) == ("vanishing", 0)
    assert "B (hidden → hidden) is zero" in result.verdict.cause


def test_a_probe_of_nothing_gives_no_gradient():
    net = runs.network("tanh", np.ones((3, 1)), np.eye(3))
    x = runs.silence(9)
    result = grad_norms(net, runs.sweep_back(net, x, runs.probe(net, x, vector=0.0)))
    assert result.verdict.name == "no-gradient"
    assert result.reach.growth_per_step is None


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [(Limits(1e-12, 1e3), "stable"), (Limits(1e-11, 1e3), "vanishing")],
)
def test_the_limits_can_be_set(limits, verdict):
    """0.5^39 = 1.8e-12."""
    net = runs.network("linear", 1.0, 0.5)
    result = grad_norms(net, runs.sweep_back(net, runs.silence(40)), limits=limits)
    assert result.verdict.name == verdict


def test_lags_are_counted_from_each_sequences_own_last_target():
    """Two sequences that decay alike from different steps are one decay by lag."""
    lag = np.array([[4, 2], [3, 1], [2, 0], [1, -1], [0, -1]])
    p = np.where(lag >= 0, 0.5 ** np.maximum(lag, 0), 0.0)
    reach = reach_of(Scaled.of(p), np.array([5, 3]), 0.2)
    np.testing.assert_allclose(reach.by_lag.value, 0.5 ** np.arange(5), rtol=1e-15)
    assert reach.growth_per_step == pytest.approx(0.5, rel=1e-12)
    assert (reach.horizon, reach.horizon_is_bound) == (2, False)


def test_exact_zeros_are_left_out_of_the_growth():
    p = Scaled.of(np.array([0, 0, 0.25, 0.5, 1.0])[:, None])
    reach = reach_of(p, np.array([5]), 0.01)
    assert reach.growth_per_step == pytest.approx(0.5, rel=1e-12)
    assert (reach.zero_beyond_lag, reach.horizon) == (2, 2)


def test_a_single_step_has_no_growth():
    reach = reach_of(Scaled.of(np.ones((1, 1))), np.array([1]), 0.01)
    assert (reach.growth_per_step, reach.half_life, reach.horizon) == (None, None, 0)
