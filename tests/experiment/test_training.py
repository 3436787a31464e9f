"""From the keys of an experiment to a run of training."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.experiment.training import build_run
from bpttcli.training.feed import Carried, Fresh
from tests.training.runs import problem_of, run_of

SINE = {"task__name": "sine"}
BARE = {"weight_ih_l0": [[1.0, 1.0]], "weight_hh_l0": [[0.5]]}


def made_with(**keys):
    return run_of(**keys).updates


@pytest.mark.parametrize(
    ("keys", "updates", "rows"),
    [({}, 1000, 50), ({"train__updates": 30}, 30, 2), ({"train__updates": 7}, 7, 1)],
)
def test_a_run_has_a_thousand_updates_and_twenty_rows(keys, updates, rows):
    run = run_of(**keys)
    assert (run.ending.updates, run.log_every) == (updates, rows)


def test_the_default_is_adam_at_a_thousandth_without_a_clip():
    run = run_of()
    updates = run.updates
    assert type(updates.optimiser).__name__ == "Adam"
    assert {updates.rate(n) for n in (1, 2, 1000)} == {1e-3}
    assert not updates._limits.active
    assert updates.policy == "stop"


def test_the_network_that_is_trained_is_a_copy_of_the_problems():
    problem = problem_of()
    run = build_run(problem)
    before = {name: value.copy() for name, value in problem.network.parameters.items()}
    run.updates.carry_out(1)
    for name, value in problem.network.parameters.items():
        np.testing.assert_array_equal(value, before[name])


def test_a_cosine_ends_with_the_run():
    course = {"train__schedule__name": "cosine", "train__schedule__warmup": 5}
    updates = made_with(**course, train__updates=50, train__schedule__floor=1e-5)
    assert updates.rate(5) == updates.rate(6) == 1e-3
    assert updates.rate(50) == pytest.approx(1e-5, rel=1e-12)
    assert updates.rate(49) > 1e-5


def test_sequences_are_drawn_anew_unless_the_state_is_carried():
    assert isinstance(made_with(**SINE).feed, Fresh)
    assert isinstance(made_with(**SINE, train__carry_state=True).feed, Carried)


def test_the_test_is_as_large_as_asked_for():
    assert run_of(train__held_out_batch=31).gauge.held_out.batch.x.shape[1] == 31
    assert run_of(train__held_out_batch=0).gauge.held_out is None


def test_states_that_come_with_the_data_begin_every_sequence():
    data = {"task__name": "data", "task__x": [[1.0], [2.0]], "task__y": [[1.0], [2.0]]}
    states = [[0.1, 0.2, 0.3, 0.4]]
    keys = {**data, "task__h0": states, "task__steps": 2, "task__batch": 1}
    batch = made_with(**keys).feed.batch(1)
    np.testing.assert_array_equal(batch.start[0][0], states)


def test_states_that_come_with_the_data_begin_a_stream_and_the_carried_ones_go_on():
    steps = [[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]]
    states = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]]
    data = {"task__name": "data", "task__x": steps, "task__y": steps, "task__h0": [states]}
    keys = {**data, "task__steps": None, "task__batch": None, "train__held_out": 0.0}
    updates = made_with(**keys, train__carry_state=True, train__chunk=1)
    np.testing.assert_array_equal(updates.feed.batch(1).start[0][0], states)
    updates.carry_out(1)
    assert (updates.feed.batch(2).start[0][0] != states).all()
    updates.feed.reset()
    np.testing.assert_array_equal(updates.feed.batch(2).start[0][0], states)


def test_a_text_is_measured_in_bits_and_other_tasks_are_not():
    assert run_of(task__name="text").gauge.in_bits
    assert not run_of(task__name="copy", task__steps=25).gauge.in_bits
    assert not run_of().gauge.in_bits


@pytest.mark.parametrize(
    ("keys", "key", "says"),
    [
        ({"loss__name": "probe"}, "loss.name", "a probe has no target"),
        ({"task__name": "noise"}, "task.name", "a task with targets to train on, .* got noise"),
        ({"model__parameters": BARE}, "loss.name", "the network has no readout"),
        ({"train__carry_state": True}, "train.carry_state", "without a target at every step"),
        ({"train__only": ["weight_hh_l3"]}, "train.only", "mean 'weight_hh_l0'"),
        (
            {**SINE, "train__carry_state": True, "train__batch": 2},
            "train.batch",
            "follows all sequences",
        ),
        (
            {
                "task__name": "data",
                "task__x": [[[1.0], [2.0]], [[3.0], [4.0]]],
                "task__y": [[[1.0], [2.0]], [[3.0], [4.0]]],
                "task__mask": [[True, False], [True, True]],
                "task__steps": 2,
                "task__batch": 2,
                "train__held_out": 0.0,
                "train__reduction": "sum",
            },
            "train.reduction",
            "different numbers of targets",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_by_its_key(keys, key, says):
    if "model__parameters" in keys:
        keys = keys | {"model__hidden": None}
    with pytest.raises(InputError, match=says) as caught:
        run_of(**keys).updates.carry_out(1)
    assert caught.value.key == key
