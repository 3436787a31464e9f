"""One estimate of the gradient, from nothing but a sweep."""

import numpy as np
import pytest
from hypothesis import given, settings

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.registry import TRUNCATIONS, estimator_named
from tests.runs import network, probe, silence
from tests.truncation.cases import flat, run, runs, targets


def some_edges(objective, rng):
    return [
        estimator_named(name).edges(targets(objective), rng)
        if name in ("full", "artbp")
        else estimator_named(name, **keys).edges(targets(objective), rng)
        for name, keys in [
            ("full", {}),
            ("fixed", {"length": 3}),
            ("sliding", {"length": 3}),
            ("randomized", {"probability": 0.3}),
            ("artbp", {}),
            ("random-length", {"mean_length": 3.0, "std": 1.0, "shortest": 1}),
        ]
    ]


@given(runs())
@settings(deadline=None, max_examples=60)
def test_it_is_the_gradient_that_backpropagation_reports_under_the_same_edges(given_run):
    trajectory, objective = given_run
    assert set(TRUNCATIONS) == {
        "full", "fixed", "sliding", "randomized", "artbp", "random-length"
    }  # fmt: skip
    for edges in some_edges(objective, np.random.default_rng(0)):
        found = estimate(trajectory, objective, edges)
        wanted = backpropagate(trajectory, objective, edges=edges)
        assert list(found.gradient) == list(wanted.gradient)
        np.testing.assert_array_equal(found.loss, wanted.loss)
        a, b = flat(found.gradient), flat(wanted.gradient)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14 * max(1.0, np.abs(b).max()))


@pytest.mark.parametrize("window", [1, 3, 100])
def test_it_does_not_depend_on_the_windows(window):
    trajectory, objective = run(steps=20, mask=np.ones((20, 2), dtype=bool))
    for edges in some_edges(objective, np.random.default_rng(1)):
        whole = flat(estimate(trajectory, objective, edges).gradient)
        again = unroll(trajectory.network, trajectory.x, trajectory.start, window=window)
        pieces = flat(estimate(again, objective, edges).gradient)
        np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-13 * np.abs(whole).max())


def test_steps_that_nothing_reaches_are_left_out_and_gradients_still_have_their_shapes():
    net = network("linear", 1.0, 0.0)
    trajectory = unroll(net, silence(100), window=10)
    found = estimate(trajectory, probe(net, silence(100)))
    assert {name: value.value.shape for name, value in found.gradient.items()} == {
        "weight_ih_l0": (1, 1),
        "weight_hh_l0": (1, 1),
    }


def test_a_gradient_far_outside_the_range_keeps_its_exponent():
    """h_t = 10 h_{t-1} from h_0 = 1e-300, ℓ = 1e200 h_T: ∂ℓ/∂b = 1e200 T 10^(T-1) h_0."""
    net, steps = network("linear", 0.0, 10.0), 500
    trajectory = unroll(net, silence(steps), ((np.full((1, 1), 1e-300),),))
    objective = probe(net, silence(steps), vector=1e200)
    full = estimate(trajectory, objective).gradient["weight_hh_l0"]
    assert full.log10[0, 0] == pytest.approx(np.log10(steps) + (steps - 1) - 100, rel=1e-14)
    kept = estimate(trajectory, objective, Factors(np.full(steps, 1.0)))
    assert kept.gradient["weight_hh_l0"].log10[0, 0] == full.log10[0, 0]
