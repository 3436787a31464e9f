"""The gradient by the number of steps that it crosses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.gradient_geometry import Geometry
from bpttcli.diagnostics.lag_profile import lag_profile, profile_at_one_step, terms_by_lag
from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.sliding import Sliding
from tests.runs import close, mask_of, network, probe
from tests.truncation.cases import flat, run, runs, targets


def profile(trajectory, objective, lags):
    exact = estimate(trajectory, objective).gradient
    return lag_profile(trajectory, objective, exact, Geometry(exact), lags)


@given(runs(), st.integers(1, 9))
@settings(deadline=None, max_examples=60)
def test_its_sums_are_windows_of_every_length(given_run, lags):
    trajectory, objective = given_run
    lags = min(lags, trajectory.steps)
    terms, *_ = terms_by_lag(trajectory, objective, lags)
    for length in range(1, lags + 1):
        edges = Sliding(length).mean(targets(objective))
        wanted = estimate(trajectory, objective, edges).gradient
        for name, value in terms.items():
            close(value.value[:length].sum(axis=0), wanted[name].value, rtol=1e-12)


@given(runs())
@settings(deadline=None, max_examples=40)
def test_the_bias_at_a_lag_is_that_of_the_window(given_run):
    trajectory, objective = given_run
    exact = estimate(trajectory, objective).gradient
    found = profile(trajectory, objective, trajectory.steps)
    if not np.isfinite(found.bias["all"]).all():
        assert not flat(exact).any()
        return
    total = np.linalg.norm(flat(exact))
    for lag in range(trajectory.steps):
        kept = estimate(trajectory, objective, Sliding(lag + 1).mean(targets(objective)))
        off = np.linalg.norm(flat(kept.gradient) - flat(exact)) / total
        assert found.bias["all"][lag] == pytest.approx(off, abs=1e-13)
        share = flat(kept.gradient) @ flat(exact) / total**2
        assert found.share["all"][lag] == pytest.approx(share, abs=1e-12)
    assert found.share["all"][-1] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_with_the_loss_at_the_last_step_a_lag_is_a_step(cell):
    trajectory, objective = run(cell, steps=20)
    terms, adjoint, _ = terms_by_lag(trajectory, objective, 20)
    tails = LagTails(trajectory, objective)
    for name, value in terms.items():
        norms = np.linalg.norm(value.value.reshape(20, -1), axis=1)
        close(norms, tails.of(name).term.value, rtol=1e-12)
    exact = estimate(trajectory, objective).adjoint.value.mean(axis=1)
    close(adjoint.value, exact[::-1], rtol=1e-13)


def test_a_stationary_scalar_has_powers_of_b():
    """x ≡ 1, the state constant, ℓ the mean of h_t: w_k ∝ b^k (T − k)."""
    b, steps = 0.9, 300
    net = network("linear", 1.0, b)
    x = np.ones((steps, 1, 1))
    trajectory = unroll(net, x, ((np.full((1, 1), 1 / (1 - b)),),))
    objective = probe(net, x, np.ones((steps, 1), dtype=bool))
    found = profile(trajectory, objective, 100)
    lag = np.arange(100)
    weight = b**lag * (steps - lag)
    total = sum(b**k * (steps - k) for k in range(steps))
    np.testing.assert_allclose(found.norm["B"], weight / total, rtol=1e-11)
    np.testing.assert_allclose(found.share["A"], np.cumsum(weight) / total, rtol=1e-12)
    np.testing.assert_allclose(found.adjoint.value, weight / steps, rtol=1e-12)


def test_the_readout_crosses_nothing():
    trajectory, objective = run(steps=12)
    found = profile(trajectory, objective, 12)
    assert found.norm["C"][0] == pytest.approx(1, rel=1e-14)
    assert not found.norm["C"][1:].any()


def test_there_are_no_more_lags_than_steps():
    trajectory, objective = run(steps=6)
    assert profile(trajectory, objective, 200).lags == 6


@pytest.mark.parametrize("at", [20, 13, 1])
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_a_loss_at_one_step_has_the_same_profile_from_its_tails(cell, at):
    trajectory, objective = run(cell, steps=20, layers=2, mask=mask_of(20, [at], [at]))
    found = estimate(trajectory, objective)
    exact, geometry = found.gradient, Geometry(found.gradient)
    wanted = lag_profile(trajectory, objective, exact, geometry, at)
    tails, adjoint = LagTails(trajectory, objective), found.adjoint.mean(axis=1)
    quick = profile_at_one_step(tails, adjoint, exact, geometry, 99)
    assert quick.lags == at
    for figure in ("norm", "share", "bias"):
        for group, values in getattr(wanted, figure).items():
            np.testing.assert_allclose(getattr(quick, figure)[group], values, rtol=1e-9, atol=1e-13)
    close(quick.adjoint.value, wanted.adjoint.value, rtol=1e-12)
