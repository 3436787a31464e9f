"""The exact variance of random truncation with the loss at one step."""

import itertools

import numpy as np
import pytest

from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.diagnostics.last_step_variance import cut_off_variance, reweighted_variance
from bpttcli.engine.edges import Factors
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.random_length import RandomLength
from bpttcli.truncation.randomized import Unreweighted
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


@pytest.mark.parametrize("at", [STEPS, 5])
@pytest.mark.parametrize("cell", ["tanh", "relu", "linear", "lstm", "gru"])
def test_reweighted_cuts(cell, at):
    trajectory, objective = run(cell, layers=2, mask=mask_of(STEPS, [at], [at]))
    wanted = spread(trajectory, objective, patterns(1 / (1 - P)))
    tails = LagTails(trajectory, objective)
    for name, variance in wanted.items():
        if not name.startswith("readout"):
            found = reweighted_variance(tails.of(name), P)
            assert found.value == pytest.approx(variance, rel=1e-12)


def off_of(trajectory, objective, estimator, name):
    """g − m of one parameter."""
    exact = estimate(trajectory, objective).gradient[name].value
    mean = estimate(trajectory, objective, estimator.mean(targets(objective))).gradient
    return Scaled.of(exact - mean[name].value)


@pytest.mark.parametrize("at", [STEPS, 5])
@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_cuts_that_are_not_reweighted(cell, at):
    trajectory, objective = run(cell, mask=mask_of(STEPS, [at], [at]))
    wanted = spread(trajectory, objective, patterns(1.0))
    tails, estimator = LagTails(trajectory, objective), Unreweighted(P)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
        off = off_of(trajectory, objective, estimator, name)
        found = cut_off_variance(
            tails.of(name), tails.along(name, off), estimator.reach(at), off.norm()
        )
        assert found.value == pytest.approx(wanted[name], rel=1e-12)


def test_segments_of_random_length():
    trajectory, objective = run()
    estimator = RandomLength(3.0, 1.0, 0.2, 1)
    weighted = []
    for weight, cuts in partitions(estimator, STEPS):
        factor = np.ones(STEPS)
        factor[cuts] = 0.0
        weighted.append((weight, factor))
    wanted = spread(trajectory, objective, weighted)
    tails = LagTails(trajectory, objective)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
        off = off_of(trajectory, objective, estimator, name)
        found = cut_off_variance(
            tails.of(name), tails.along(name, off), estimator.reach(STEPS), off.norm()
        )
        assert found.value == pytest.approx(wanted[name], rel=1e-12)


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
    tail = LagTails(trajectory, objective).of("weight_hh_l0")
    square = tail.norm.value[0] ** 2
    found = reweighted_variance(tail, p).value / square
    assert found == pytest.approx(p * b**2 / (1 - p - b**2), rel=1e-10)
    assert found == pytest.approx(wanted, abs=5e-7)


@pytest.mark.parametrize("p", [0.02, 0.05, 0.1, 0.5])
def test_the_stationary_scalar_without_reweighting_has_the_closed_form(p):
    """b²pq/((1 − bq)²(1 − b²q)) over w_0²."""
    b, q = 0.9, 1 - p
    trajectory, objective = stationary(b, 1500)
    estimator = Unreweighted(p)
    off = off_of(trajectory, objective, estimator, "weight_hh_l0")
    tails = LagTails(trajectory, objective)
    tail, along = tails.of("weight_hh_l0"), tails.along("weight_hh_l0", off)
    found = cut_off_variance(tail, along, estimator.reach(1500), off.norm()).value
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
    assert reweighted_variance(tail, p).log10 == pytest.approx(wanted, rel=1e-11)
    assert wanted > 800


def test_no_cuts_or_a_single_step_have_no_variance():
    trajectory, objective = run()
    assert reweighted_variance(LagTails(trajectory, objective).of("weight_hh_l0"), 0.0).value == 0
    net = network("linear", 1.0, 0.5)
    one = LagTails(unroll(net, silence(1)), probe(net, silence(1)))
    assert reweighted_variance(one.of("weight_hh_l0"), 0.3).value == 0
