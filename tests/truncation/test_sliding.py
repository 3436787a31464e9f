"""sliding(K): the loss of every step goes back through K steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.sliding import Sliding
from tests.runs import close, network, probe, silence
from tests.truncation.cases import every, flat, run, runs, targets


def sliding(trajectory, objective, length):
    edges = Sliding(length).mean(targets(objective))
    return flat(estimate(trajectory, objective, edges).gradient)


def one_loss_after_the_other(trajectory, objective, length):
    """Each step's loss alone, cut after K steps."""
    total, weights = 0.0, objective.weights
    for step in np.flatnonzero(weights.any(axis=1)):
        alone = np.zeros_like(weights)
        alone[step] = weights[step]
        parts = {name: getattr(objective, name) for name in objective.__struct_fields__}
        part = type(objective)(**parts | {"weights": alone})
        factor = np.ones(len(weights))
        if 1 <= step - length + 1:
            factor[step - length + 1] = 0.0
        total = total + flat(estimate(trajectory, part, Factors(factor)).gradient)
    return total


@given(runs(), st.integers(1, 9))
@settings(deadline=None, max_examples=80)
def test_it_is_the_sum_over_losses_that_are_sent_back_one_by_one(given_run, length):
    trajectory, objective = given_run
    wanted = one_loss_after_the_other(trajectory, objective, length)
    close(sliding(trajectory, objective, length), wanted, rtol=1e-12)


@given(runs(), st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_a_window_as_long_as_the_sequence_is_the_exact_gradient_bit_for_bit(given_run, more):
    trajectory, objective = given_run
    exact = flat(estimate(trajectory, objective).gradient)
    np.testing.assert_array_equal(sliding(trajectory, objective, trajectory.steps + more), exact)


@given(runs())
@settings(deadline=None, max_examples=30)
def test_through_its_own_step_only_is_a_segment_of_one_step(given_run):
    trajectory, objective = given_run
    edges = Fixed(1).mean(targets(objective))
    wanted = flat(estimate(trajectory, objective, edges).gradient)
    close(sliding(trajectory, objective, 1), wanted, rtol=1e-13)


@pytest.mark.parametrize(("length", "gradient"), [(1, 0.036), (2, 0.072), (3, 0.108)])
def test_a_scalar_by_hand(length, gradient):
    """h_t = 0.2 h_{t-1} from 0.9, ℓ = h_3."""
    net = network("linear", 0.0, 0.2)
    trajectory = unroll(net, silence(3), ((np.array([[0.9]]),),))
    found = sliding(trajectory, probe(net, silence(3)), length)
    assert found[1] == pytest.approx(gradient, rel=1e-14)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7])
def test_with_the_loss_at_the_last_step_a_fixed_segment_is_a_shorter_window(length):
    """fixed(K) = sliding(r) with r = T − K⌊(T−1)/K⌋."""
    trajectory, objective = run()
    steps = trajectory.steps
    remaining = steps - length * ((steps - 1) // length)
    edges = Fixed(length).mean(targets(objective))
    wanted = flat(estimate(trajectory, objective, edges).gradient)
    close(sliding(trajectory, objective, remaining), wanted, rtol=1e-14)


@pytest.mark.parametrize("length", [1, 3, 7])
def test_rows_are_no_more_than_the_losses_need(length):
    marked = np.zeros(50, dtype=bool)
    marked[[9, 9 + 2 * length, 9 + 5 * length]] = True
    assert Sliding(length).mean(marked).rows == 1
    assert Sliding(length).mean(np.ones(50, dtype=bool)).rows == length


def test_the_order_of_the_sequences_changes_nothing():
    trajectory, objective = run(batch=3, mask=every(batch=3))
    order = [2, 0, 1]
    start = tuple(tuple(state[order] for state in layer) for layer in trajectory.start)
    again = unroll(trajectory.network, trajectory.x[:, order], start)
    other = type(objective)(objective.y[:, order], objective.weights[:, order])
    close(sliding(again, other, 3), sliding(trajectory, objective, 3), rtol=1e-13)
