"""The cheapest truncation within an error, and what norms alone would have told."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.target_bias import target_bias
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.randomized import Randomized
from bpttcli.truncation.sliding import Sliding
from tests.diagnostics.test_comparing import comparing, stationary
from tests.runs import network, probe
from tests.truncation.cases import every, run


@pytest.mark.parametrize(("target", "exact", "bound"), [(0.1, 22, 24), (0.5, 7, 14), (0.9, 1, 11)])
def test_the_stationary_scalar_attains_the_bound(target, exact, bound):
    """sliding(m) has bias b^m; the bound is b^m/(1 − 2 b^m), with b = 0.9."""
    compare = comparing(*stationary(0.9, 1500, at_every=False))
    found = target_bias(compare, compare.profile(50), target)
    assert found.sliding == exact == math.ceil(math.log(target) / math.log(0.9))
    assert found.sliding_from == exact
    assert found.sliding_bias == pytest.approx(0.9**exact, rel=1e-9)
    assert found.apriori_length == bound
    lengths = np.arange(1, 31)
    wanted = 0.9**lengths / (1 - 2 * 0.9**lengths)
    wanted[wanted <= 0] = np.inf
    np.testing.assert_allclose(found.apriori.bound[:30], wanted, rtol=1e-9)
    assert found.apriori.decay == pytest.approx(0.9, rel=1e-10)
    # M = ‖(x, h)‖ = ‖(1, 10)‖, which points where all the terms do.
    assert found.apriori.gain == pytest.approx(math.hypot(1, 10), rel=1e-12)
    p, b = target**2 * 0.19 / (0.81 + target**2), 0.9
    assert p * b**2 / (1 - p - b**2) == pytest.approx(target**2)
    assert found.probability == pytest.approx(p, rel=1.5e-3)
    assert not found.sampled


@pytest.mark.parametrize("mask", [None, every(30)], ids=["last", "every"])
@pytest.mark.parametrize("target", [0.3, 0.03, 1e-9])
def test_one_step_less_is_not_within(mask, target):
    trajectory, objective = run(steps=30, mask=mask, gain=1.2)
    compare = comparing(trajectory, objective)
    # The profile begins too short, and is made longer.
    found = target_bias(compare, compare.profile(2), target)

    def bias(estimator):
        return compare.quality(estimator).groups["all"].relative_bias

    for length, kind, claimed in (
        (found.sliding, Sliding, found.sliding_bias),
        (found.fixed, Fixed, found.fixed_bias),
    ):
        assert bias(kind(length)) <= target
        assert bias(kind(length)) == pytest.approx(claimed, rel=1e-6, abs=1e-14)
        assert length == 1 or bias(kind(length - 1)) > target
    assert found.sliding_from >= found.sliding
    for length in range(found.sliding_from, 31):
        assert bias(Sliding(length)) <= target
    if found.sliding_from > found.sliding:
        assert bias(Sliding(found.sliding_from - 1)) > target
    if found.probability is not None:
        std = compare.quality(Randomized(found.probability)).groups["all"].relative_std
        assert std <= target
        more = compare.quality(Randomized(found.probability + 2**-10)).groups["all"]
        assert more.relative_std > target


def test_without_a_gradient_nothing_is_found():
    net = network("linear", 1.0, 0.5)
    x = np.ones((4, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x, vector=0.0))
    found = target_bias(compare, compare.profile(4), 0.1)
    assert (found.sliding, found.fixed, found.probability) == (None, None, None)


@pytest.mark.parametrize("target", [0.5, 1e-4])
def test_the_probability_has_three_digits_however_small_it_is(target):
    """p b²/(1 − p − b²) is the variance, with b = 0.9: p = δ² 0.19/(0.81 + δ²)."""
    compare = comparing(*stationary(0.9, 1500, at_every=False))
    found = target_bias(compare, compare.profile(300), target)
    wanted = target**2 * 0.19 / (0.81 + target**2)
    assert found.probability == pytest.approx(wanted, rel=1.5e-3)
    assert found.probability <= wanted
    assert 0.99 * found.probability < found.largest <= found.probability
    assert len(f"{found.largest:.15g}".lstrip("0.").split("e")[0].replace(".", "")) <= 3


def test_what_never_varies_may_always_be_cut():
    net = network("linear", 1.0, 0.0)
    x = np.ones((6, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x))
    found = target_bias(compare, compare.profile(6), 0.1)
    assert 0.99 < found.probability < 1


def test_what_was_found_can_be_compared():
    trajectory, objective = run(steps=30, mask=every(30), gain=1.2)
    compare = comparing(trajectory, objective)
    found = target_bias(compare, compare.profile(30), 0.1)
    errors = [compare.quality(each).groups["all"].relative_rmse for each in found.estimators]
    assert len(errors) == 3
    assert max(errors) <= 0.1
