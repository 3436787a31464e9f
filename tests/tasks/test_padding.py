"""Sequences of different lengths, padded to one."""

import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.padding import pad


def test_sequences_of_one_length_are_left_alone():
    lists = {"x": [[1, 2], [3, 4]], "y": [0, 1], "lengths": [1, 2]}
    assert pad(lists) is lists


@pytest.mark.parametrize("x", [[1, 2, 3], [], [[]], [[1, 2], 3], [[1, 2], []], 5])
def test_what_is_no_list_of_sequences_is_left_to_others(x):
    assert pad({"x": x}) == {"x": x}


def test_steps_of_several_numbers_are_padded_with_as_many_zeros():
    padded = pad({"x": [[[1, 2]], [[3, 4], [5, 6]]]})
    assert padded == {"x": [[[1, 2], [0, 0]], [[3, 4], [5, 6]]], "lengths": [1, 2]}


def test_targets_and_mask_of_every_step_are_padded_alike():
    padded = pad({"x": [[1], [2, 3]], "y": [[4], [5, 6]], "mask": [[True], [False, True]]})
    assert padded["y"] == [[4, 0], [5, 6]]
    assert padded["mask"] == [[True, False], [False, True]]


@pytest.mark.parametrize("y", [[0, 1], [[0.5, 1.5], [2.5, 3.5]]])
def test_targets_of_the_last_step_and_states_are_left_alone(y):
    lists = {"x": [[1], [2, 3]], "y": y, "h0": [[[0.0], [1.0]]]}
    padded = pad(lists)
    assert (padded["y"], padded["h0"]) == (y, lists["h0"])


@pytest.mark.parametrize(
    ("more", "key"),
    [({"lengths": [1, 2]}, "task.lengths"), ({"y": [[1, 2], [3]]}, "task.y")],
)
def test_what_contradicts_the_lengths_of_x_is_refused(more, key):
    with pytest.raises(InputError) as caught:
        pad({"x": [[1], [2, 3]], **more})
    assert caught.value.key == key
