"""randomized(p) and unreweighted(p), against all patterns of cuts."""

import itertools

import numpy as np
import pytest

from bpttcli.engine.edges import Factors
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.randomized import Randomized, Unreweighted
from tests.runs import close
from tests.truncation.cases import STEPS, every, flat, run, targets

P = 0.3


@pytest.fixture(scope="module", params=["last", "every"])
def patterns(request):
    """Every pattern of cuts with its probability, and what it leaves of the gradient."""
    trajectory, objective = run(mask=None if request.param == "last" else every())

    def enumerated(kept):
        for cuts in itertools.product([False, True], repeat=STEPS - 1):
            cut = np.array([False, *cuts])
            factor = np.where(cut, 0.0, kept)
            factor[0] = 1.0
            weight = np.prod(np.where(cut[1:], P, 1 - P))
            yield weight, flat(estimate(trajectory, objective, Factors(factor)).gradient)

    return trajectory, objective, enumerated


@pytest.mark.parametrize("estimator", [Randomized(P), Unreweighted(P)], ids=lambda e: e.label)
def test_the_mean_over_all_patterns_is_the_one_claimed(patterns, estimator):
    trajectory, objective, enumerated = patterns
    kept = 1 / (1 - P) if isinstance(estimator, Randomized) else 1.0
    mean = sum(weight * found for weight, found in enumerated(kept))
    claimed = estimate(trajectory, objective, estimator.mean(targets(objective)))
    close(flat(claimed.gradient), mean, rtol=1e-12)


def test_reweighting_is_what_makes_it_unbiased(patterns):
    trajectory, objective, enumerated = patterns
    exact = flat(estimate(trajectory, objective).gradient)
    close(sum(w * g for w, g in enumerated(1 / (1 - P))), exact, rtol=1e-12)
    assert np.linalg.norm(sum(w * g for w, g in enumerated(1.0)) - exact) > 1e-3


@pytest.mark.parametrize("estimator", [Randomized, Unreweighted])
def test_edges_are_cut_as_often_as_asked_and_never_into_the_start(estimator):
    cut = np.array(
        [
            estimator(0.25).edges(np.ones(41, dtype=bool), np.random.default_rng(seed)).factor
            for seed in range(500)
        ]
    )
    assert (cut[:, 0] == 1).all()
    share = (cut[:, 1:] == 0).mean()
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / cut[:, 1:].size)
    assert set(np.unique(cut[:, 1:])) == {0.0, 1 / 0.75 if estimator is Randomized else 1.0}


@pytest.mark.parametrize("estimator", [Randomized(0.0), Unreweighted(0.0)])
def test_without_cuts_it_is_the_exact_gradient(estimator):
    where = np.ones(5, dtype=bool)
    assert estimator.edges(where, np.random.default_rng(0)) is None
    assert estimator.mean(where) is None


@pytest.mark.parametrize("estimator", [Randomized(0.3), Unreweighted(0.3)], ids=lambda e: e.label)
def test_moments_are_those_of_a_factor_that_is_0_or_what_passes(estimator):
    passes = 1 / 0.7 if isinstance(estimator, Randomized) else 1.0
    assert estimator.moments.mean == pytest.approx(0.7 * passes, rel=1e-15)
    mean_square = 0.7 * passes**2
    wanted = mean_square - estimator.moments.mean**2
    assert estimator.moments.variance == pytest.approx(wanted, rel=1e-14)


def test_a_small_probability_is_in_the_moments_to_its_last_digit():
    assert Randomized(1e-14).moments.variance == pytest.approx(1e-14, rel=1e-13)
    assert Unreweighted(1e-14).moments.variance == pytest.approx(1e-14, rel=1e-13)


def test_labels_name_them_as_reports_do():
    assert (Randomized(0.5).label, Unreweighted(0.05).label) == (
        "randomized(0.5)",
        "unreweighted(0.05)",
    )
