"""Growth, half-life and horizon of an adjoint, from its norms by step."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.reach import reach_of
from bpttcli.engine.scaled import Scaled


def reach(by_step, last_target=None, epsilon=0.01):
    """Of norms by step, (T,) or (T, N); the target stands at the last step unless said."""
    norms = np.asarray(by_step, dtype=float)
    norms = norms[:, None] if norms.ndim == 1 else norms
    tau = np.full(norms.shape[1], len(norms)) if last_target is None else np.array(last_target)
    return reach_of(Scaled(norms, np.zeros(norms.shape, dtype=np.int64)), tau, epsilon)


def powers(log2_growth, lags, size=1.0):
    """Norms 2^(lag · log2_growth) · size by step, as far as an exponent reaches."""
    exponent = log2_growth * np.arange(lags - 1, -1, -1)
    norms = Scaled(np.full((lags, 1), size), exponent[:, None])
    return reach_of(norms, np.array([lags]), 0.01)


def geometric(b, lags=50):
    return np.asarray(b) ** np.arange(lags - 1, -1, -1.0)


def test_the_round_case():
    found = reach(geometric(0.9, 1000))
    assert found.growth_per_step == pytest.approx(0.9, rel=1e-12)
    assert found.half_life == pytest.approx(6.578813, abs=5e-7)
    assert found.horizon == 43
    assert found.log10_ratio == pytest.approx(-45.711733, abs=5e-7)
    assert (found.horizon_is_bound, found.zero_beyond_lag) == (False, None)


@settings(max_examples=40)
@given(st.floats(0.01, 100), st.integers(2, 60), st.floats(1e-100, 1e100))
def test_what_is_geometric_has_its_factor_as_growth_whatever_its_size(b, lags, size):
    assert reach(size * geometric(b, lags)).growth_per_step == pytest.approx(b, rel=1e-11)


def test_growth_is_the_least_squares_slope_of_the_logarithm():
    """ln‖p‖ = 0, 0, 3 at lags 0, 1, 2: slope (−1·0 + 0·0 + 1·3)/2."""
    found = reach([math.exp(3), 1.0, 1.0])
    assert found.growth_per_step == pytest.approx(math.exp(1.5), rel=1e-14)


def test_growth_leaves_exact_zeros_out():
    """A cut is no decay: lags 0, 1, 2 are 1, ½, ¼, then nothing."""
    found = reach([0.0, 0.0, 0.25, 0.5, 1.0])
    assert found.growth_per_step == pytest.approx(0.5, rel=1e-14)
    assert found.zero_beyond_lag == 2
    assert found.log10_ratio == -math.inf


@pytest.mark.parametrize("by_step", [[1.0], [0.0, 1.0], [0.0, 0.0, 3.0]])
def test_one_point_makes_no_growth(by_step):
    found = reach(by_step)
    assert (found.growth_per_step, found.half_life, found.horizon) == (None, None, 0)


@pytest.mark.parametrize(("b", "half_life"), [(0.5, 1.0), (0.25, 0.5), (1.0, None), (2.0, None)])
def test_half_life_is_that_of_what_shrinks(b, half_life):
    found = reach(geometric(b)).half_life
    assert found == (None if half_life is None else pytest.approx(half_life, rel=1e-12))


@pytest.mark.parametrize("size", [1.0, 3.0, 0.7, 1e-200, 1e200])
@pytest.mark.parametrize("lag", range(1, 12))
def test_the_horizon_includes_the_lag_that_is_exactly_at_epsilon(size, lag):
    by_step = size * geometric(0.5, 20)
    assert reach(by_step, epsilon=0.5**lag).horizon == lag
    assert reach(by_step, epsilon=np.nextafter(0.5**lag, 1)).horizon == lag - 1


def test_the_horizon_is_the_largest_lag_also_of_what_falls_and_rises_again():
    assert reach([1e-3, 0.5, 1e-3, 1e-3, 1.0]).horizon == 3


@pytest.mark.parametrize(
    ("by_step", "horizon"), [([0.5, 1.0], 1), ([9.0, 3.0, 1.0], 2), ([1.0], 0)]
)
def test_a_horizon_at_the_first_step_is_only_a_bound(by_step, horizon):
    found = reach(by_step)
    assert (found.horizon, found.horizon_is_bound) == (horizon, True)


@pytest.mark.parametrize("by_step", [[0.0, 0.0], [1.0, 0.0], [np.nan, 1.0], [1.0, np.inf]])
def test_without_a_gradient_at_the_target_there_is_nothing_to_follow(by_step):
    found = reach(by_step)
    assert (found.horizon, found.growth_per_step, found.zero_beyond_lag) == (None, None, None)
    assert found.horizon_is_bound is False


def test_the_logarithms_go_on_beyond_the_range_of_float64():
    found = powers(-10, 1000)
    assert found.log10_ratio == pytest.approx(-9990 * math.log10(2), rel=1e-14)
    assert found.growth_per_step == pytest.approx(2.0**-10, rel=1e-11)
    assert (found.horizon, found.zero_beyond_lag) == (0, None)
    assert powers(10, 1000).horizon == 999


def test_a_growth_beyond_the_range_is_infinite_and_nothing_warns():
    found = powers(1030, 5)
    assert (found.growth_per_step, found.half_life) == (math.inf, None)
    found = powers(-1100, 5)
    assert (found.growth_per_step, found.half_life) == (0.0, None)


def test_sequences_are_averaged_by_step():
    found = reach(np.stack([geometric(0.5, 3), 3 * geometric(0.25, 3)], axis=1))
    np.testing.assert_allclose(found.by_lag.value, [2, (0.5 + 0.75) / 2, (0.25 + 3 / 16) / 2])


def test_sequences_that_end_apart_are_averaged_by_lag_as_far_as_they_go():
    """τ = 4 and 2; the second has no lag beyond 1."""
    norms = np.array([[1, 20], [2, 40], [4, 0], [8, 0]])
    found = reach(norms, last_target=[4, 2])
    np.testing.assert_array_equal(found.by_lag.value, [24, 12, 2, 1])


def test_steps_after_the_last_target_do_not_count():
    found = reach([0.25, 0.5, 1.0, 0.0, 0.0], last_target=[3])
    np.testing.assert_array_equal(found.by_lag.value, [1, 0.5, 0.25])
    assert found.zero_beyond_lag is None
