"""The exact variance of random truncation with the loss at one step."""

import itertools

import numpy as np
import pytest

from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.diagnostics.one_step_variance import one_step_variance
from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.random_length import RandomLength
from bpttcli.truncation.randomized import Randomized, Unreweighted
from tests.runs import mask_of, network, probe, silence
from tests.truncation.cases import STEPS, run, targets
from tests.truncation.test_random_length import partitions

P = 0.3


def patterns(kept):
    """Every pattern of cuts: its probability and its edges."""
    for cuts in itertools.product([False, True], repeat=STEPS - 1):
        cut = np.array([False, *cuts])
        factor = np.where(cut, 0.0, kept)
        factor[0] = 1.0
        yield np.prod(np.where(cut[1:], P, 1 - P)), factor


def spread(trajectory, objective, weighted):
    """tr Cov by parameter, from all patterns."""
    found = [(w, estimate(trajectory, objective, Factors(f)).gradient) for w, f in weighted]
    variance = {}
    for name in found[0][1]:
        mean = sum(w * g[name].value for w, g in found)
        variance[name] = sum(w * ((g[name].value - mean) ** 2).sum() for w, g in found)
    return variance


def variances(trajectory, objective, estimator):
    """What the closed form says, by parameter."""
    where = targets(objective)
    tails = LagTails(trajectory, objective, estimator.mean(where))
    stopping = estimator.stopping(tails.lags)
    return {name: one_step_variance(tails.of(name), stopping).value for name in tails.names}


@pytest.mark.parametrize("at", [STEPS, 5])
@pytest.mark.parametrize("cell", ["tanh", "relu", "linear", "lstm", "gru"])
@pytest.mark.parametrize("estimator", [Randomized(P), Unreweighted(P)], ids=str)
def test_all_patterns_of_cuts_have_this_variance(estimator, cell, at):
    trajectory, objective = run(cell, layers=2, mask=mask_of(STEPS, [at], [at]))
    kept = 1 / (1 - P) if isinstance(estimator, Randomized) else 1.0
    wanted = spread(trajectory, objective, patterns(kept))
    for name, found in variances(trajectory, objective, estimator).items():
        assert found == pytest.approx(wanted[name], rel=1e-12)


@pytest.mark.parametrize("at", [STEPS, 5])
def test_all_ways_to_cut_segments_have_this_variance(at):
    trajectory, objective = run(mask=mask_of(STEPS, [at], [at]))
    estimator = RandomLength(3.0, 1.0, 0.2, 1)
    weighted = []
    for weight, cuts in partitions(estimator, STEPS):
        factor = np.ones(STEPS)
        factor[cuts] = 0.0
        weighted.append((weight, factor))
    wanted = spread(trajectory, objective, weighted)
    for name, found in variances(trajectory, objective, estimator).items():
        assert found == pytest.approx(wanted[name], rel=1e-12)


@pytest.mark.parametrize("p", [1e-6, 0.5, 0.999])
def test_a_spread_far_below_the_gradient_keeps_its_digits(p):
    """The loss feeds only what two cuts in a row would spare: nothing is left to subtract.

    x is 1 at the first step alone and b = 2, so that all of ∂ℓ/∂a = 2^79 crosses 79 edges.
    """
    net, steps = network("linear", 1.0, 2.0), 80
    x = np.zeros((steps, 1, 1))
    x[0] = 1.0
    found = variances(unroll(net, x), probe(net, x), Unreweighted(p))["weight_ih_l0"]
    pass_all = (1 - p) ** (steps - 1)
    wanted = 4.0 ** (steps - 1) * pass_all * -np.expm1((steps - 1) * np.log1p(-p))
    assert found == pytest.approx(wanted, rel=1e-12)


def test_lengths_without_spread_do_not_vary():
    trajectory, objective = run()
    for found in variances(trajectory, objective, RandomLength(3.0, 0.0, 0.0, 1)).values():
        assert found == 0


def stationary(b, steps):
    """x ≡ 1 from the stationary state, ℓ = h_T."""
    net = network("linear", 1.0, b)
    x = np.ones((steps, 1, 1))
    trajectory = unroll(net, x, ((np.full((1, 1), 1 / (1 - b)),),))
    return trajectory, probe(net, x)


@pytest.mark.parametrize(("p", "wanted"), [(0.02, 0.095294), (0.05, 0.289286), (0.1, 0.9)])
def test_the_stationary_scalar_has_the_closed_form(p, wanted):
    """p b²/(1 − p − b²) at b = 0.9: what is beyond T = 2000 is below rounding."""
    b = 0.9
    trajectory, objective = stationary(b, 2000)
    square = LagTails(trajectory, objective).of("weight_hh_l0").norm.value[0] ** 2
    found = variances(trajectory, objective, Randomized(p))["weight_hh_l0"] / square
    assert found == pytest.approx(p * b**2 / (1 - p - b**2), rel=1e-10)
    assert found == pytest.approx(wanted, abs=5e-7)


@pytest.mark.parametrize("p", [0.02, 0.05, 0.1, 0.5])
def test_the_stationary_scalar_without_reweighting_has_the_closed_form(p):
    """b²pq/((1 − bq)²(1 − b²q)) over w_0²."""
    b, q = 0.9, 1 - p
    trajectory, objective = stationary(b, 1500)
    tail = LagTails(trajectory, objective).of("weight_hh_l0")
    found = variances(trajectory, objective, Unreweighted(p))["weight_hh_l0"]
    wanted = b**2 * p * q / ((1 - b * q) ** 2 * (1 - b**2 * q))
    assert found / tail.term.value[0] ** 2 == pytest.approx(wanted, rel=1e-10)


def test_a_variance_that_grows_with_the_length_leaves_float64():
    """b = 0.9 and p = 0.5: b²/q = 1.62 a step, 10^838 after 4000."""
    b, p, steps = 0.9, 0.5, 4000
    trajectory, objective = stationary(b, steps)
    tail = LagTails(trajectory, objective).of("weight_hh_l0")
    # R_j = (b^j − b^T) h/(1 − b) with h = 1/(1 − b), in logarithms.
    lag = np.arange(1, steps)
    logs = 2 * (lag * np.log(b) + np.log1p(-(b ** (steps - lag))) - 2 * np.log(1 - b))
    logs += np.log(p) - lag * np.log(1 - p)
    wanted = (logs.max() + np.log(np.exp(logs - logs.max()).sum())) / np.log(10)
    found = one_step_variance(tail, Randomized(p).stopping(steps))
    assert found.log10 == pytest.approx(wanted, rel=1e-11)
    assert wanted > 800


def test_no_cuts_or_a_single_step_have_no_variance():
    assert variances(*run(), Randomized(0.0))["weight_hh_l0"] == 0
    net = network("linear", 1.0, 0.5)
    one = unroll(net, silence(1)), probe(net, silence(1))
    assert variances(*one, Randomized(0.3))["weight_hh_l0"] == 0
