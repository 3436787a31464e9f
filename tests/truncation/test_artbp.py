"""artbp(α, L₀): the hazard falls with the distance since the last cut."""

import numpy as np
import pytest

from bpttcli.engine.edges import Factors
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.estimate import estimate
from tests.truncation.cases import every, flat, run, targets

ARTBP = Artbp(6.0, 16.0)


def test_the_hazard_is_that_of_the_paper():
    np.testing.assert_allclose(ARTBP.hazard(3), [6 / 81, 6 / 82, 6 / 83], rtol=1e-15)


@pytest.mark.parametrize(("alpha", "mean_length"), [(6.0, 16.0), (4.0, 1.5), (3.0, 40.0)])
def test_segments_have_the_mean_length_asked_for(alpha, mean_length):
    """Σ_l P(longer than l) telescopes to L₀; what lies beyond l falls as l^(1−α)."""
    survival = np.cumprod(1 - Artbp(alpha, mean_length).hazard(400_000))
    assert 1 + survival.sum() == pytest.approx(mean_length, rel=2e-5)


def test_each_edge_is_cut_or_weighted_by_the_chance_that_it_was_not():
    factor = ARTBP.edges(np.ones(2000, dtype=bool), np.random.default_rng(0)).factor
    hazard, since = ARTBP.hazard(2000), 0
    assert factor[0] == 1
    for value in factor[1:]:
        if value == 0:
            since = 0
        else:
            assert value == pytest.approx(1 / (1 - hazard[since]), rel=1e-15)
            since += 1
    assert 80 < (factor == 0).sum() < 170  # about 2000/16


def test_the_chance_of_a_cut_is_the_hazard():
    where = np.ones(30, dtype=bool)
    draws = np.array(
        [ARTBP.edges(where, np.random.default_rng(seed)).factor for seed in range(4000)]
    )
    hazard = ARTBP.hazard(30)
    for delta in range(1, 12):
        fresh = (draws[:, 1:delta] != 0).all(axis=1)
        share, expected = (draws[fresh, delta] == 0).mean(), hazard[delta - 1]
        assert abs(share - expected) < 4 * np.sqrt(expected / fresh.sum())


@pytest.mark.parametrize("mask", [None, every()], ids=["last", "every"])
def test_it_is_unbiased(mask):
    """The exact mean over all patterns of cuts of a short sequence, each with its chance."""
    trajectory, objective = run(mask=mask)
    estimator = Artbp(3.0, 3.0)
    hazard, steps = estimator.hazard(trajectory.steps), trajectory.steps
    total, weights = 0.0, 0.0
    for pattern in range(2 ** (steps - 1)):
        factor, weight, since = np.ones(steps), 1.0, 0
        for t in range(1, steps):
            c = hazard[since]
            if pattern >> (t - 1) & 1:
                factor[t], weight, since = 0.0, weight * c, 0
            else:
                factor[t], weight, since = 1 / (1 - c), weight * (1 - c), since + 1
        total = total + weight * flat(estimate(trajectory, objective, Factors(factor)).gradient)
        weights += weight
    assert weights == pytest.approx(1, rel=1e-13)
    exact = flat(estimate(trajectory, objective, estimator.mean(targets(objective))).gradient)
    np.testing.assert_allclose(total, exact, rtol=0, atol=1e-13 * np.abs(exact).max())
