"""Sequences and what is asked of the network."""

import msgspec
import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.sequences import Sequences

T, N = 5, 3


def reals(**changes):
    fields = {
        "x": np.zeros((T, N, 2)),
        "n_inputs": 2,
        "y": np.zeros((T, N, 4)),
        "n_outputs": 4,
        "loss": "mse",
        "at": "every",
    }
    return Sequences(**(fields | changes))


def symbols(**changes):
    classes = {"y": np.ones((T, N), dtype=int), "n_outputs": 2, "loss": "cross_entropy"}
    return reals(**({"x": np.full((T, N), 6), "n_inputs": 7} | classes | changes))


def test_steps_and_batch_are_the_first_axes_of_x():
    assert (reals().steps, reals().batch) == (T, N)


def test_the_arrays_are_of_one_type_contiguous_and_cannot_be_written_to():
    swapped = np.zeros((N, T, 2), dtype=np.float32).swapaxes(0, 1)
    states = {"h0": np.zeros((1, N, 4), dtype=np.int8), "c0": np.zeros((1, N, 4))}
    sequences = reals(x=swapped, mask=np.ones((T, N), dtype=int), **states)
    for name in ("x", "y", "h0", "c0", "mask"):
        array = getattr(sequences, name)
        assert array.dtype == (np.bool_ if name == "mask" else np.float64)
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1


def test_what_is_right_already_is_neither_copied_nor_frozen_for_its_owner():
    x = np.zeros((T, N, 2))
    assert np.shares_memory(reals(x=x).x, x)
    x[0] = 1.0


def test_there_may_be_more_symbols_and_classes_than_occur():
    sequences = symbols(n_inputs=100, n_outputs=50)
    assert (sequences.n_inputs, sequences.n_outputs) == (100, 50)


@pytest.mark.parametrize("y", [np.zeros((1, N, 4)), np.zeros((T, N, 4))])
def test_targets_of_the_last_step_may_come_alone_or_among_all(y):
    assert reals(y=y, at="last").at == "last"


@pytest.mark.parametrize(
    ("key", "changes", "reason"),
    [
        (
            "task.x",
            {"x": np.zeros((T, N))},
            "must hold integers, the inputs, got float64",
        ),
        ("task.x", {"x": np.zeros((T, N, 3))}, r"\(any, any, 2\), got \(5, 3, 3\)"),
        ("task.x", {"x": np.zeros(T)}, r"\(any, any, 2\), got \(5,\)"),
        ("task.x", {"x": np.zeros((0, N, 2))}, r"not be empty, got the shape \(0, 3, 2\)"),
        ("task.x", {"x": np.full((T, N, 2), np.nan)}, r"finite, got nan at index \(0, 0, 0\)"),
        ("task.y", {"y": np.full((T, N, 4), np.inf)}, r"finite, got inf at index \(0, 0, 0\)"),
        ("task.y", {"y": np.zeros((T + 1, N, 4))}, r"= \(5, 3, 4\), got \(6, 3, 4\)"),
        ("task.y", {"y": np.zeros((T, N, 1))}, r"= \(5, 3, 4\), got \(5, 3, 1\)"),
        ("task.y", {"y": np.zeros(())}, r"= \(5, 3, 4\), got \(\)"),
        ("task.y", {"y": None}, "must be given for a loss"),
        ("task.y", {"y": np.zeros((1, N, 4))}, "each of the 5 steps"),
        (
            "task.y",
            {"y": np.zeros((1, N, 4)), "at": "last", "mask": np.ones((T, N))},
            "each of the",
        ),
        ("task.mask", {"mask": np.ones((N, T))}, r"\(T, N\) = \(5, 3\), got \(3, 5\)"),
        ("task.measured", {"measured": np.ones((N, T))}, r"\(T, N\) = \(5, 3\), got \(3, 5\)"),
        ("task.mask", {"mask": np.full((T, N), 2)}, r"0 or 1, got 2 at index \(0, 0\)"),
        ("task.h0", {"h0": np.zeros((N, 4))}, r"\(layers, N, H\) = \(any, 3, any\), got \(3, 4\)"),
        ("task.h0", {"h0": np.zeros((1, N + 1, 4))}, r"\(any, 3, any\), got \(1, 4, 4\)"),
        ("task.c0", {"c0": np.full((1, N, 4), -np.inf)}, "finite, got -inf"),
    ],
)
def test_real_sequences_that_contradict_themselves_are_refused(key, changes, reason):
    with pytest.raises(InputError, match=reason) as error:
        reals(**changes)
    assert error.value.key == key


@pytest.mark.parametrize(
    ("key", "changes", "reason"),
    [
        ("task.x", {"x": np.full((T, N), 7)}, "inputs from 0 to 6, got 7"),
        ("task.x", {"x": np.full((T, N), -1)}, "inputs from 0 to 6, got -1"),
        ("task.y", {"y": np.full((T, N), 2)}, "classes from 0 to 1, got 2"),
        ("task.y", {"y": np.zeros((T, N))}, "must hold integers, the classes, got float64"),
        ("task.y", {"y": np.zeros((T, N, 2), dtype=int)}, r"= \(5, 3\), got \(5, 3, 2\)"),
    ],
)
def test_symbols_that_do_not_exist_are_refused(key, changes, reason):
    with pytest.raises(InputError, match=reason) as error:
        symbols(**changes)
    assert error.value.key == key


def numbered():
    x = np.arange(T * N * 2.0).reshape(T, N, 2)
    return reals(
        x=x,
        y=np.arange(T * N * 4.0).reshape(T, N, 4),
        mask=np.ones((T, N)),
        measured=np.arange(T * N).reshape(T, N) % 2,
        h0=np.arange(N * 4.0).reshape(1, N, 4),
    )


def test_the_first_steps_of_the_first_sequences_keep_all_that_belongs_to_them():
    whole, part = numbered(), numbered().first(steps=2, batch=1)
    for name in ("x", "y", "mask", "measured"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:2, :1])
    np.testing.assert_array_equal(part.h0, whole.h0[:, :1])


def test_the_first_of_all_are_all():
    np.testing.assert_array_equal(numbered().first().x, numbered().x)
    last = reals(y=np.zeros((1, N, 4)), at="last")
    assert last.first(steps=T, batch=2).y.shape == (1, 2, 4)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"steps": T + 1}, "from 1 to 5, .*, got 6"),
        ({"batch": N + 1}, "from 1 to 3, .*, got 4"),
        ({"steps": 0}, "from 1 to 5, .*, got 0"),
    ],
)
def test_more_than_there_is_cannot_be_taken(keys, reason):
    with pytest.raises(InputError, match=reason) as error:
        numbered().first(**keys)
    assert error.value.key == f"task.{next(iter(keys))}"


def test_targets_of_the_last_step_forbid_leaving_it_out():
    with pytest.raises(InputError, match=r"must be 5: .*, got 4") as error:
        reals(y=np.zeros((1, N, 4)), at="last").first(steps=4)
    assert error.value.key == "task.steps"


def padded():
    """Two sequences, one of two steps and one of three."""
    x = np.arange(6.0).reshape(3, 2, 1)
    y = np.arange(6).reshape(3, 2)
    lengths, mask = np.array([2, 3]), np.array([[1, 0], [0, 0], [0, 1]], dtype=bool)
    return Sequences(
        x=x, n_inputs=1, y=y, n_outputs=6, loss="cross_entropy", at="every", lengths=lengths,
        mask=mask,
    )  # fmt: skip


def test_padding_carries_no_target_and_each_sequence_has_its_own_last_step():
    assert padded().targets.tolist() == [[True, True], [True, True], [False, True]]
    assert padded().last.tolist() == [[False, False], [True, False], [False, True]]
    whole = msgspec.structs.replace(padded(), lengths=None)
    assert whole.targets.all()
    assert whole.last.tolist() == [[False, False], [False, False], [True, True]]


def test_turning_round_leaves_the_padding_and_twice_is_nothing():
    turned = padded().backward()
    assert turned.x[..., 0].tolist() == [[2, 5], [0, 3], [4, 1]]
    assert turned.y.tolist() == [[2, 5], [0, 3], [4, 1]]
    assert turned.mask.tolist() == [[False, True], [True, False], [False, False]]
    np.testing.assert_array_equal(turned.backward().x, padded().x)


def test_lengths_are_cut_with_the_sequences():
    assert padded().first(steps=2).lengths.tolist() == [2, 2]
    assert padded().first(batch=1).lengths.tolist() == [2]


@pytest.mark.parametrize("lengths", [[0, 3], [2, 4], [2], [2.0, 3.0], [[2, 3]]])
def test_lengths_that_cannot_be_are_refused(lengths):
    with pytest.raises(InputError) as caught:
        msgspec.structs.replace(padded(), lengths=np.array(lengths))
    assert caught.value.key == "task.lengths"
