"""What updates are fed: drawn anew from a seed and a number, or chunk after chunk."""

import numpy as np
import pytest

from bpttcli.engine.unroll import unroll
from bpttcli.training.feed import generator
from tests.training.runs import listened, run_of

SINE = {"task__name": "sine", "task__noise": 0.0, "train__carry_state": True}


def x_of(run, *updates):
    return [run.updates.feed.batch(n).x for n in updates]


def test_the_sequences_of_an_update_depend_on_the_seed_and_its_number_alone():
    forward, backward = x_of(run_of(), 1, 2, 3), x_of(run_of(), 3, 2, 1)
    for first, second in zip(forward, reversed(backward), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(forward[0], forward[1])
    assert not np.array_equal(forward[0], x_of(run_of(seed=1), 1)[0])


def test_generators_of_two_purposes_are_independent():
    drawn = {tuple(generator(0, purpose, n).random(3)) for purpose in (5, 7) for n in (1, 2)}
    assert len(drawn) == 4


def test_the_test_has_no_sequence_in_common_with_what_is_trained_on():
    run = run_of(train__held_out_batch=50)
    test = {tuple(sequence) for sequence in run.gauge.held_out.batch.x[:, :, 0].T}
    seen = {tuple(x) for batch in x_of(run, *range(1, 40)) for x in batch[:, :, 0].T}
    assert len(test) == 50
    assert not test & seen


def test_chunks_with_the_state_carried_on_are_one_long_sequence():
    """Without an update in between, the states are those of a run through all of it."""
    run = run_of(**SINE, task__steps=5)
    feed, network = run.updates.feed, run.updates.parameters.network
    chunks = [feed.batch(n).x for n in range(1, 7)]
    for n in range(1, 7):
        batch = feed.batch(n)
        feed.passed(unroll(network, batch.x, batch.start))
    whole = unroll(network, np.concatenate(chunks)).end()
    np.testing.assert_allclose(feed.states[0][0], whole[0][0], rtol=1e-12)


def test_a_state_that_is_kept_is_no_view_of_a_tape():
    run = run_of(**SINE)
    run.updates.carry_out(1)
    assert run.updates.feed.states[0][0].base is None


@pytest.mark.parametrize(
    ("keys", "steps"),
    [
        ({"task__steps": 40}, 40),
        ({"task__steps": 40, "truncation__name": "fixed", "truncation__length": 7}, 7),
        ({"task__steps": 40, "train__chunk": 9}, 9),
        (
            {
                "task__steps": 40,
                "train__chunk": 12,
                "truncation__name": "fixed",
                "truncation__length": 4,
            },
            12,
        ),
    ],
)
def test_a_chunk_is_as_long_as_said_or_as_the_truncation(keys, steps):
    run = run_of(**SINE, **keys)
    assert len(run.updates.feed.batch(1).x) == steps


def test_the_state_is_carried_or_it_is_not():
    keys = {**SINE, "train__updates": 6}
    carried, fresh = run_of(**keys), run_of(**(keys | {"train__carry_state": False}))
    listened(carried), listened(fresh)
    assert carried.updates.feed.states is not None
    assert fresh.updates.feed.states is None


def test_a_few_sequences_of_a_data_set_are_drawn_without_repetition():
    x = np.arange(20.0)[None, :, None].repeat(2, axis=0)
    data = {"task__name": "data", "task__x": x.tolist(), "task__y": x.tolist()}
    data |= {"task__steps": None, "task__batch": None, "train__held_out": 0.2}
    run = run_of(**data, train__batch=6)
    drawn = [set(batch[0, :, 0]) for batch in x_of(run, 1, 2, 3)]
    assert [len(some) for some in drawn] == [6, 6, 6]
    assert drawn[0] != drawn[1]
    aside = set(run.gauge.held_out.batch.x[0, :, 0])
    assert len(aside) == 4
    assert not aside & set().union(*drawn)


def test_memory_of_a_generator_is_not_needed_to_go_on():
    whole, parted = run_of(train__updates=6), run_of(train__updates=6)
    listened(whole)
    theta = whole.updates.parameters.theta
    for n in range(1, 7):
        again = run_of(train__updates=6)
        again.updates.parameters.theta[...] = parted.updates.parameters.theta
        again.updates.optimiser.load(parted.updates.optimiser.state)
        again.updates.carry_out(n)
        parted = again
    assert parted.updates.parameters.theta.tobytes() == theta.tobytes()
