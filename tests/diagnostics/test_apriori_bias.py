"""What the decay of the adjoint alone lets one expect of windows."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.apriori_bias import apriori_bias, decay_per_lag, largest_gain
from bpttcli.diagnostics.target_bias import target_bias
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import unroll
from tests.diagnostics.test_comparing import comparing
from tests.runs import mask_of, network, probe, stack
from tests.truncation.cases import every, run


@pytest.mark.parametrize(
    ("norms", "decay"),
    [
        ([1.0, 0.5, 0.25], 0.5), ([1.0, 2.0, 4.0], 2.0), ([3.0, 3.0], 1.0), ([1.0, 0.0, 0.25], 0.5),
        ([1.0, 0.5, 1e-20], 0.5), ([2.0], None), ([1.0, 0.0, 0.0], None), ([0.0, 0.0], None),
    ],
)  # fmt: skip
def test_the_decay_is_fitted_to_what_is_there(norms, decay):
    found = decay_per_lag(Scaled.of(np.array(norms)))
    assert math.isnan(found) if decay is None else found == pytest.approx(decay, rel=1e-12)


@pytest.mark.parametrize("exponent", [0, -3000, 3000])
def test_the_bound_is_what_is_dropped_over_what_is_kept(exponent):
    """φ = 1, ½, ¼ and M = 2: E_1 = 1.5, E_2 = 0.5, E_3 = 0, over ‖ĝ‖ − E."""
    phi = Scaled(np.array([1.0, 0.5, 0.25]), np.array(exponent))
    size = Scaled(np.array(4.0), np.array(exponent))
    found = apriori_bias(phi, np.array([1.0, 1.0, 1.0]), size, 2.0, steps=3)
    np.testing.assert_allclose(found.bound, [0.375 / 0.625, 0.125 / 0.875, 0.0], rtol=1e-14)
    assert [found.length(target) for target in (0.7, 0.2, 0.1)] == [1, 2, 3]


def test_lags_beyond_those_known_go_on_as_they_fell():
    phi = 0.5 ** np.arange(10.0)
    known = apriori_bias(Scaled.of(phi), np.ones(10), Scaled.of(100.0), 1.0, steps=10)
    more = apriori_bias(Scaled.of(phi), np.ones(10), Scaled.of(100.0), 1.0, steps=1000)
    beyond = 0.5**10 / 0.5 / 100
    expected = known.bound / (1 + known.bound) + beyond
    np.testing.assert_allclose(more.bound / (1 + more.bound), expected, rtol=1e-12)


@pytest.mark.parametrize("norms", [[1.0, 1.0, 1.0], [1.0]])
def test_what_does_not_fall_promises_nothing(norms):
    phi = Scaled.of(np.array(norms))
    found = apriori_bias(phi, np.ones(len(norms)), Scaled.of(1.0), 1.0, steps=1000)
    assert np.isinf(found.bound).all()
    assert found.length(1e9) is None


def test_the_gain_is_the_length_of_what_a_step_was_fed():
    """A linear unit adds δ (x, h, 1, 1), and its adjoint is δ; of two sequences the larger."""
    net = network("linear", 2.0, 0.5)
    x = np.array([[[1.0], [3.0]]])
    trajectory = unroll(net, x, ((np.array([[4.0], [12.0]]),),))
    biases = sum(name.startswith("bias") for name in net.parameters)
    wanted = math.sqrt(9 + 144 + biases)
    assert largest_gain(trajectory, probe(net, x)) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_with_the_loss_at_one_step_no_window_is_worse_than_the_bound(cell, layers, batch):
    for seed in range(3):
        mask = mask_of(30, *[[30]] * batch)
        compare = comparing(
            *run(cell, steps=30, seed=seed, layers=layers, batch=batch, mask=mask, gain=1.2)
        )
        profile = compare.profile(30)
        found = target_bias(compare, profile, 0.1)
        assert (profile.bias["all"] <= found.apriori.bound * (1 + 1e-9) + 1e-12).all()


def test_what_travels_through_a_lower_layer_is_seen():
    """The top layer has no B: its own adjoint is 0 beyond lag 0, and the gradient is not."""
    one = np.ones((1, 1))
    net = stack("linear", [(one, 0.9 * one), (one, 0.0 * one)])
    x = np.ones((40, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x))
    profile = compare.profile(40)
    assert profile.adjoint.value[1] == 0
    assert profile.states.value[1] == pytest.approx(0.9, rel=1e-12)
    found = target_bias(compare, profile, 0.1)
    assert found.apriori_length >= found.sliding > 5


def test_with_losses_everywhere_it_is_an_estimate_that_holds_here():
    for seed in range(5):
        compare = comparing(*run(steps=40, seed=seed, mask=every(40, 1), batch=1))
        profile = compare.profile(40)
        found = target_bias(compare, profile, 0.1)
        assert (profile.bias["all"] <= found.apriori.bound + 1e-12).all()
