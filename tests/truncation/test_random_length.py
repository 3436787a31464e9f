"""random-length: segments as language models are trained with."""

import numpy as np
import pytest

from bpttcli.engine.edges import Factors
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.random_length import RandomLength, starts
from tests.runs import close
from tests.truncation.cases import every, flat, run, targets

SHORT = RandomLength(3.0, 1.0, 0.2, 1)
STEPS = 8


def chances(estimator, steps):
    """P(a segment lasts exactly l steps), l = 1 … steps; the last, or longer."""
    lasting = np.append(estimator.survival(steps), 0.0)
    exactly = lasting[:-1] - lasting[1:]
    return exactly


def partitions(estimator, steps):
    """Every way to cut a sequence, with its probability."""
    lasting, exactly = estimator.survival(steps), chances(estimator, steps)

    def cut(begin, weight, cuts):
        left = steps - begin
        yield weight * lasting[left - 1], cuts
        for length in range(1, left):
            if exactly[length - 1] > 0:
                at = begin + length
                yield from cut(at, weight * exactly[length - 1], [*cuts, at])

    return cut(0, 1.0, [])


@pytest.mark.parametrize("mask", [None, every()], ids=["last", "every"])
@pytest.mark.parametrize(
    "estimator", [SHORT, RandomLength(2.5, 0.4, 0.0, 2), RandomLength(5.0, 2.0, 0.5, 3)], ids=str
)
def test_its_mean_is_that_over_all_partitions(mask, estimator):
    trajectory, objective = run(mask=mask)
    total, weights = 0.0, 0.0
    for weight, cuts in partitions(estimator, STEPS):
        factor = np.ones(STEPS)
        factor[cuts] = 0.0
        total = total + weight * flat(estimate(trajectory, objective, Factors(factor)).gradient)
        weights += weight
    assert weights == pytest.approx(1, rel=1e-13)
    claimed = estimate(trajectory, objective, estimator.mean(targets(objective)))
    close(flat(claimed.gradient), total, rtol=1e-12)


def test_lengths_are_drawn_as_they_are_counted():
    where = np.ones(60, dtype=bool)
    estimator = RandomLength(6.0, 2.0, 0.3, 2)
    first = []
    for seed in range(4000):
        cuts = np.flatnonzero(estimator.edges(where, np.random.default_rng(seed)).factor == 0)
        first.append(cuts[0])
    exactly = chances(estimator, 60)
    for length in range(1, 14):
        share, expected = np.mean(np.array(first) == length), exactly[length - 1]
        assert abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / len(first))


def test_without_spread_it_is_a_fixed_segment():
    trajectory, objective = run(mask=every())
    edges = RandomLength(3.0, 0.0, 0.0, 1).mean(targets(objective))
    wanted = estimate(trajectory, objective, Fixed(3).mean(targets(objective)))
    close(flat(estimate(trajectory, objective, edges).gradient), flat(wanted.gradient), 1e-13)


def test_a_segment_starts_somewhere_and_holds_the_last_step():
    estimator = RandomLength(6.0, 2.0, 0.3, 2)
    lasting = estimator.survival(40)
    started = starts(lasting, 40)
    assert started[0] == 1
    assert started[-1] == pytest.approx(1 / lasting.sum(), rel=0.01)  # one start a mean length
