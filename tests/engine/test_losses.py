"""Each loss is what its formula says, and its gradient is the derivative of that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.losses import (
    CrossEntropy,
    Probe,
    SquaredError,
    last_step,
    target_weights,
    unit_vectors,
)
from bpttcli.errors import InputError
from tests import naive
from tests.runs import mask_of, network

STEPS, BATCH, HIDDEN, OUTPUTS = 5, 3, 4, 6
MASKS = {
    "every": np.ones((STEPS, BATCH), dtype=bool),
    "last": last_step(STEPS, BATCH),
    "mask": mask_of(STEPS, [1, 4], [2], [3, 4, 5]),
}


@pytest.fixture(params=["cross_entropy", "mse", "probe"])
def loss(request):
    """(objective of weights, term of the twin)"""
    rng = np.random.default_rng(1)
    classes = rng.integers(OUTPUTS, size=(STEPS, BATCH))
    reals = rng.normal(size=(STEPS, BATCH, OUTPUTS))
    vector = rng.normal(size=(BATCH, HIDDEN))
    return {
        "cross_entropy": (lambda w: CrossEntropy(classes, w), naive.cross_entropy(classes)),
        "mse": (lambda w: SquaredError(reals, w), naive.squared_error(reals)),
        "probe": (lambda w: Probe(vector, w), naive.probe(vector)),
    }[request.param]


@pytest.fixture
def net():
    rng = np.random.default_rng(2)
    readout = {
        "readout.weight": rng.normal(size=(OUTPUTS, HIDDEN)),
        "readout.bias": rng.normal(size=OUTPUTS),
    }
    return network("linear", np.ones((HIDDEN, 1)), np.eye(HIDDEN), **readout)


@pytest.fixture
def h():
    return np.random.default_rng(3).normal(size=(STEPS, BATCH, HIDDEN))


@pytest.mark.parametrize("where", MASKS)
def test_the_loss_is_the_mean_over_the_target_steps_and_its_gradient_the_derivative(
    loss, net, h, where
):
    objective, term = loss
    weights = MASKS[where] / MASKS[where].sum(axis=0)
    source = objective(target_weights(MASKS[where])).source(net, h, 0, STEPS)

    def part(n, h):
        return sum(weights[t, n] * term(t, n, h[t], net.C @ h[t] + net.c) for t in range(STEPS))

    for n in range(BATCH):
        slope = naive.derivative(lambda moved, n=n: part(n, moved), h[:, n])
        np.testing.assert_allclose(source.loss[n], part(n, h[:, n]), rtol=1e-14)
        np.testing.assert_allclose(source.hidden[:, n], slope, rtol=1e-12, atol=1e-15)
        if source.output is not None:
            np.testing.assert_allclose(source.output[:, n] @ net.C, slope, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("where", MASKS)
@pytest.mark.parametrize("cut", range(1, STEPS))
def test_windows_share_the_loss_between_them(loss, net, h, where, cut):
    objective = loss[0](target_weights(MASKS[where]))
    whole = objective.source(net, h, 0, STEPS)
    parts = [objective.source(net, h[a:b], a, b) for a, b in ((0, cut), (cut, STEPS))]
    np.testing.assert_allclose(sum(part.loss for part in parts), whole.loss, rtol=1e-14)
    for part, hidden in zip(parts, np.split(whole.hidden, [cut]), strict=True):
        if part.hidden is None:
            assert not hidden.any()
        else:
            np.testing.assert_allclose(part.hidden, hidden, rtol=1e-14)


@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_targets_of_the_last_step_alone_may_stand_alone(name, net, h):
    rng = np.random.default_rng(4)
    y = {
        "cross_entropy": rng.integers(OUTPUTS, size=(STEPS, BATCH)),
        "mse": rng.normal(size=(STEPS, BATCH, OUTPUTS)),
    }[name]
    kind = {"cross_entropy": CrossEntropy, "mse": SquaredError}[name]
    weights = target_weights(MASKS["last"])
    whole, last = (kind(given, weights).source(net, h, 0, STEPS) for given in (y, y[-1:]))
    np.testing.assert_array_equal(whole.loss, last.loss)
    np.testing.assert_array_equal(whole.hidden, last.hidden)


def test_a_step_without_a_target_may_hold_anything(loss, net, h):
    objective = loss[0](target_weights(MASKS["mask"]))
    wild = np.where(MASKS["mask"][..., None], h, np.inf)
    with np.errstate(all="ignore"):
        calm, stormy = (objective.source(net, states, 0, STEPS) for states in (h, wild))
    np.testing.assert_array_equal(stormy.loss, calm.loss)
    np.testing.assert_array_equal(stormy.hidden, calm.hidden)


def test_a_readout_that_is_missing_is_said(h):
    bare = network("linear", np.ones((HIDDEN, 1)), np.eye(HIDDEN))
    objective = CrossEntropy(np.zeros((STEPS, BATCH), dtype=int), target_weights(MASKS["last"]))
    with pytest.raises(InputError, match="needs a network with a readout") as caught:
        objective.source(bare, h, 0, STEPS)
    assert caught.value.key == "loss.name"


def cross_entropy_of(logits, y=0):
    """Loss and gradient by the logits of one step."""
    objective = CrossEntropy(np.array([[y]]), target_weights(np.ones((1, 1), dtype=bool)))
    n = len(logits)
    net = network("linear", np.ones((n, 1)), np.eye(n), **{"readout.weight": np.eye(n)})
    source = objective.source(net, np.array(logits, dtype=float).reshape(1, 1, n), 0, 1)
    return source.loss[0], source.output[0, 0]


@settings(max_examples=50)
@given(st.floats(0, 700))
def test_a_network_that_is_sure_keeps_its_loss_and_gradient_to_the_last_digit(gap):
    """With two classes ℓ = ln(1 + e^-gap) and ∂ℓ/∂o = (−p, p), p = e^-gap/(1 + e^-gap)."""
    small = np.exp(-gap)
    loss, slope = cross_entropy_of([gap, 0.0])
    np.testing.assert_allclose(loss, np.log1p(small), rtol=1e-14)
    np.testing.assert_allclose(slope, np.array([-1, 1]) * small / (1 + small), rtol=1e-14)


def test_a_network_that_is_surely_wrong_has_the_gap_as_its_loss():
    loss, slope = cross_entropy_of([0.0, 1e300, -1e300])
    assert loss == 1e300
    np.testing.assert_array_equal(slope, [-1, 1, 0])


def test_classes_that_look_alike_cost_their_logarithm():
    loss, slope = cross_entropy_of([1e5] * 8)
    np.testing.assert_allclose(loss, np.log(8), rtol=1e-15)
    np.testing.assert_allclose(slope, [-7 / 8] + [1 / 8] * 7, rtol=1e-15)


def test_weights_are_the_share_of_each_target_step_of_its_sequence():
    weights = target_weights(mask_of(4, [1, 2, 3, 4], [2, 4], [3]))
    np.testing.assert_array_equal(weights.T, [[0.25] * 4, [0, 0.5, 0, 0.5], [0, 0, 1, 0]])


def test_a_sequence_without_a_target_is_refused_by_number():
    mask = mask_of(4, [1], [], [2])
    with pytest.raises(InputError, match="got none for sequence 2") as caught:
        target_weights(mask)
    assert caught.value.key == "task.mask"


def test_directions_are_of_length_one_and_repeat_with_the_seed():
    vectors = [unit_vectors(np.random.default_rng(5), 7, 3) for _ in range(2)]
    np.testing.assert_allclose(np.linalg.norm(vectors[0], axis=1), 1, rtol=1e-15)
    np.testing.assert_array_equal(*vectors)
