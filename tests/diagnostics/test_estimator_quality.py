"""The figures that follow from bias, spread and cost."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality, Quality
from bpttcli.engine.scaled import Scaled


@pytest.mark.parametrize(
    ("bias", "std", "rmse"),
    [(0.3, 0.4, 0.5), (0.0, 0.2, 0.2), (0.1, 0.0, 0.1), (1e200, 1e200, math.sqrt(2) * 1e200)],
)
def test_the_error_is_bias_and_spread_together(bias, std, rmse):
    assert Quality(bias, std, 1.0, 1.0).relative_rmse == pytest.approx(rmse, rel=1e-15)


def test_the_error_of_the_error_is_that_of_the_spread_as_far_as_it_counts():
    """d√(b² + s²)/ds = s/√(b² + s²)."""
    assert Quality(0.3, 0.4, 1.0, 1.0, 0.05).relative_rmse_se == pytest.approx(0.05 * 0.8)
    assert Quality(0.3, 0.4, 1.0, 1.0).relative_rmse_se is None
    assert Quality(0.0, 0.0, 1.0, 1.0, 0.0).relative_rmse_se == 0


@pytest.mark.parametrize(
    ("share", "wanted"), [(1.0, 0.5), (0.25, math.hypot(0.3, 0.2)), (0.0, 0.3)]
)
def test_averaging_takes_from_the_spread_and_never_from_the_bias(share, wanted):
    assert Quality(0.3, 0.4, 1.0, 1.0).rmse_at_cost(share) == pytest.approx(wanted, rel=1e-15)


def test_what_costs_more_than_the_exact_gradient_is_not_averaged():
    assert Quality(0.0, 0.4, 1.0, 1.0).rmse_at_cost(7.0) == 0.4


@pytest.mark.parametrize(
    ("variance", "exact"),
    [
        ("none", True), ("exact: loss at one step", True),
        ("exact: covariance of the adjoint", True), ("sampled", False), (UNSETTLED, False),
    ],
)  # fmt: skip
def test_only_a_sampled_spread_is_not_exact(variance, exact):
    groups = {"all": Quality(0.1, 0.2, 1.0, 1.0)}
    adjoint = Scaled.of(np.ones(3))
    found = EstimatorQuality("x", True, groups, variance, 0, 1.0, 0.25, 0.1, 8, adjoint)
    assert {"relative_bias", "cosine", "norm_ratio"} <= set(found.exact)
    assert ("relative_std" in found.exact) == ("relative_rmse" in found.exact) == exact
    assert found.rmse_at_equal_cost == pytest.approx(math.hypot(0.1, 0.1), rel=1e-15)
