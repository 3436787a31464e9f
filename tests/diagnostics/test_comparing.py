"""One estimator against the exact gradient: bias, variance and what is exact of them."""

import itertools
import math

import numpy as np
import pytest

from bpttcli.diagnostics.comparing import Comparing
from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.full import Full
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding
from tests.runs import network, probe, stack
from tests.truncation.cases import STEPS, every, flat, run


def seeds(count):
    return np.random.SeedSequence(3).spawn(count)


def comparing(trajectory, objective, **more):
    return Comparing(trajectory, objective, seeds=seeds, **more)


def stationary(b, steps, *, at_every):
    """x ≡ 1 from the stationary state, ℓ the last state or the mean of all."""
    net = network("linear", 1.0, b)
    x = np.ones((steps, 1, 1))
    trajectory = unroll(net, x, ((np.full((1, 1), 1 / (1 - b)),),))
    return trajectory, probe(net, x, np.ones((steps, 1), dtype=bool) if at_every else None)


def within(b, n):
    """S(n) = [n − b(1 − b^n)/(1 − b)]/(1 − b): what n steps make of the gradient."""
    return (n - b * (1 - b**n) / (1 - b)) / (1 - b)


@pytest.mark.parametrize("length", [1, 4, 20, 100, 400])
@pytest.mark.parametrize("b", [0.9, 0.5, -0.8])
def test_a_stationary_scalar_has_the_biases_of_theory(b, length):
    steps = 2000
    compare = comparing(*stationary(b, steps, at_every=True))
    fixed = compare.quality(Fixed(length)).groups["B"].relative_bias
    wanted = 1 - steps / length * within(b, length) / within(b, steps)
    assert fixed == pytest.approx(abs(wanted), rel=1e-11)
    sliding = compare.quality(Sliding(length)).groups["B"].relative_bias
    kept = within(b, length) + (steps - length) * (1 - b**length) / (1 - b)
    assert sliding == pytest.approx(abs(1 - kept / within(b, steps)), rel=1e-10, abs=1e-13)


def test_the_published_figures():
    compare = comparing(*stationary(0.9, 2000, at_every=True))
    fixed = compare.quality(Fixed(20)).groups["B"].relative_bias
    sliding = compare.quality(Sliding(20)).groups["B"].relative_bias
    assert fixed == pytest.approx(0.3925570, abs=5e-8)
    assert sliding == pytest.approx(0.1203554, abs=5e-8)
    compare = comparing(*stationary(0.9, 2000, at_every=False))
    for p, variance in ((0.02, 0.095294), (0.05, 0.289286), (0.1, 0.9)):
        found = compare.quality(Randomized(p)).groups["B"]
        assert found.relative_std**2 == pytest.approx(variance, abs=1e-6)
        assert found.relative_bias == 0
    bias = compare.quality(Unreweighted(0.1)).groups["B"].relative_bias
    assert bias == pytest.approx(0.9 * 0.1 / (1 - 0.9 * 0.9), rel=1e-10)


def patterns(p, kept):
    for cuts in itertools.product([False, True], repeat=STEPS - 1):
        cut = np.array([False, *cuts])
        factor = np.where(cut, 0.0, kept)
        factor[0] = 1.0
        yield np.prod(np.where(cut[1:], p, 1 - p)), Factors(factor)


@pytest.mark.parametrize("mask", [None, every()], ids=["last", "every"])
@pytest.mark.parametrize("estimator", [Randomized(0.3), Unreweighted(0.3)], ids=lambda e: e.label)
def test_all_patterns_of_cuts_have_the_mean_and_the_spread_that_are_reported(mask, estimator):
    trajectory, objective = run(mask=mask)
    compare = comparing(trajectory, objective, exact=True)
    found = compare.quality(estimator)
    kept = 1 / 0.7 if isinstance(estimator, Randomized) else 1.0
    drawn = [(w, estimate(trajectory, objective, e).gradient) for w, e in patterns(0.3, kept)]
    exact = estimate(trajectory, objective).gradient
    for group, names in compare.geometry.groups.items():

        def vector(gradient, names=names):
            return flat({name: gradient[name] for name in names})

        g = vector(exact)
        mean = sum(w * vector(one) for w, one in drawn)
        variance = sum(w * ((vector(one) - mean) ** 2).sum() for w, one in drawn)
        size, quality = np.linalg.norm(g), found.groups[group]
        bias = np.linalg.norm(mean - g) / size
        assert quality.relative_bias == pytest.approx(bias, rel=1e-11, abs=1e-14)
        assert quality.relative_std == pytest.approx(math.sqrt(variance) / size, rel=1e-12)
        rmse = math.sqrt(bias**2 + variance / size**2)
        assert quality.relative_rmse == pytest.approx(rmse, rel=1e-12)
        cosine = mean @ g / np.linalg.norm(mean) / size
        assert quality.cosine == pytest.approx(cosine, rel=1e-12)
        assert quality.norm_ratio == pytest.approx(np.linalg.norm(mean) / size, rel=1e-12)
    assert found.exact == (
        "relative_bias",
        "cosine",
        "norm_ratio",
        "relative_std",
        "relative_rmse",
    )
    assert found.draws == 0


@pytest.mark.parametrize("more", [0, 1, 10_000])
@pytest.mark.parametrize("estimator", [Fixed, Sliding])
def test_a_window_as_long_as_the_sequence_has_no_bias_at_all(estimator, more):
    found = comparing(*run(mask=every())).quality(estimator(STEPS + more))
    for quality in found.groups.values():
        assert quality.relative_rmse == 0
        assert quality.cosine == pytest.approx(1, rel=1e-14)
    assert found.cost == 1


def influence(steps):
    """THEORY's influence balancing: θ enters 23 units, each of which feeds the one before it."""
    n = 23
    v = np.array([1.0] * 10 + [-1.0] * 13)
    spread, rest = np.zeros((n, n)), np.zeros((n, n))
    spread[:, 0] = v
    theta = np.zeros((n, 1))
    theta[0, 0] = 0.5
    B = 0.5 * (np.eye(n) + np.diag(np.ones(n - 1), 1))
    net = stack("linear", [(theta, rest), (spread, B)])
    x = np.ones((steps, 1, 1))
    first = np.zeros(n)
    first[0] = 1.0
    return net, x, first


@pytest.mark.parametrize(
    ("estimator", "wanted"),
    [
        (Sliding(10), 10.0),
        (Fixed(10), 5.5),
        (Fixed(100), 0.58),
        (Fixed(200), -2.71),
    ],
    ids=lambda v: getattr(v, "label", None),
)
def test_influence_balancing_has_the_wrong_sign(estimator, wanted):
    """ℓ the mean of h¹ over steps whose state is stationary: the gradient of θ by a window.

    THEORY's figures are of e ≡ 1 and T → ∞: here the sum over 2,000 steps, the first 1,000
    of which carry no target, so that every window is full.
    """
    steps = 2000
    net, x, first = influence(steps)
    mask = np.zeros((steps, 1), dtype=bool)
    mask[1000:] = True
    trajectory = unroll(net, x)
    objective = probe(net, x, mask, first)
    compare = comparing(trajectory, objective, each=True)
    found = compare.quality(estimator).groups["weight_ih_l0"]
    exact = compare.full.gradient["weight_ih_l0"].value[0, 0]
    assert exact == pytest.approx(-6, rel=1e-9)
    signed = exact * found.norm_ratio * found.cosine
    assert signed == pytest.approx(wanted, abs=0.005)


def test_influence_balancing_turns_where_theory_says():
    steps = 2200
    net, x, first = influence(steps)
    mask = np.zeros((steps, 1), dtype=bool)
    mask[1100:] = True
    compare = comparing(unroll(net, x), probe(net, x, mask, first), each=True)

    def cosine(estimator):
        return compare.quality(estimator).groups["weight_ih_l0"].cosine

    assert [round(cosine(Sliding(k))) for k in (1, 10, 40, 41, 60)] == [-1, -1, -1, 1, 1]
    # Whole segments of 110 and of 100 steps make the stationary figures exact.
    assert [round(cosine(Fixed(k))) for k in (50, 100, 110, 220)] == [-1, -1, 1, 1]


def test_the_order_of_the_sequences_changes_nothing():
    trajectory, objective = run(batch=3, mask=every(batch=3))
    order = [2, 0, 1]
    start = tuple(tuple(state[order] for state in layer) for layer in trajectory.start)
    again = unroll(trajectory.network, trajectory.x[:, order], start)
    other = type(objective)(objective.y[:, order], objective.weights[:, order])
    for estimator in (Fixed(3), Sliding(3), Randomized(0.2), Artbp(3.0, 3.0)):
        one = comparing(trajectory, objective, draws=10).quality(estimator)
        two = comparing(again, other, draws=10).quality(estimator)
        for group, quality in one.groups.items():
            for figure in ("relative_bias", "relative_std", "cosine", "norm_ratio"):
                wanted = getattr(quality, figure)
                assert getattr(two.groups[group], figure) == pytest.approx(
                    wanted, rel=1e-10, abs=1e-13
                )


def test_without_a_gradient_there_is_nothing_to_compare_with():
    net = network("linear", 1.0, 0.5)
    x = np.ones((4, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x, vector=0.0), draws=4)
    for estimator in (Fixed(2), Randomized(0.2), Artbp(3.0, 3.0)):
        quality = compare.quality(estimator).groups["all"]
        assert math.isnan(quality.relative_bias)
        assert math.isnan(quality.relative_rmse)


def test_an_estimate_of_a_window_as_long_as_the_sequence_is_no_second_sweep():
    compare = comparing(*run(mask=every()))
    full, longer = compare.quality(Full()), compare.quality(Sliding(STEPS))
    assert longer.seconds == full.seconds
    assert longer.groups["all"].cosine == full.groups["all"].cosine == 1.0
