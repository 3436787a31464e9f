"""Many draws as rows of one sweep."""

import numpy as np
import pytest

from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.draws import draw_gradients
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.random_length import RandomLength
from bpttcli.truncation.randomized import Randomized, Unreweighted
from tests.runs import close
from tests.truncation.cases import every, flat, run, targets

RANDOM = [
    Randomized(0.2),
    Unreweighted(0.2),
    Artbp(3.0, 3.0),
    RandomLength(3.0, 1.0, 0.2, 1),
]


def drawn(trajectory, objective, estimator, count, **more):
    seeds = np.random.SeedSequence(7).spawn(count)
    parts = [
        np.concatenate([v.value.reshape(len(factors), -1) for v in gradients.values()], axis=1)
        for gradients, factors in draw_gradients(trajectory, objective, estimator, seeds, **more)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("estimator", RANDOM, ids=lambda e: e.label)
@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_each_draw_is_the_estimate_of_its_own_seed(estimator, cell):
    trajectory, objective = run(cell, mask=every(), layers=2)
    found = drawn(trajectory, objective, estimator, 45)
    for row, seed in enumerate(np.random.SeedSequence(7).spawn(45)):
        edges = estimator.edges(targets(objective), np.random.default_rng(seed))
        alone = estimate(trajectory, objective, edges).gradient
        wanted = flat({n: v for n, v in alone.items() if not n.startswith("readout")})
        close(found[row], wanted, rtol=1e-12)


@pytest.mark.parametrize("mask", [None, every()], ids=["last", "every"])
@pytest.mark.parametrize("estimator", RANDOM, ids=lambda e: e.label)
def test_the_mean_of_ten_thousand_draws_is_the_exact_one(estimator, mask):
    """Within four standard errors in the direction that is furthest off."""
    trajectory, objective = run(mask=mask)
    found = drawn(trajectory, objective, estimator, 10_000)
    exact = estimate(trajectory, objective, estimator.mean(targets(objective))).gradient
    exact = flat({n: v for n, v in exact.items() if not n.startswith("readout")})
    se = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    off = np.abs(found.mean(axis=0) - exact)
    # Dozens of entries, hardly independent: as many chances to be beyond four.
    assert (off <= 4.5 * se + 1e-14).all()
    assert (off > 0.1 * se).any()


def test_the_number_of_workers_changes_no_bit():
    trajectory, objective = run(mask=every())
    one = drawn(trajectory, objective, Randomized(0.3), 90)
    np.testing.assert_array_equal(drawn(trajectory, objective, Randomized(0.3), 90, workers=4), one)


def test_progress_goes_from_nothing_to_all():
    seen = []
    trajectory, objective = run()
    drawn(trajectory, objective, Randomized(0.3), 50, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
