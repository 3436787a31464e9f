"""Numbers that are written out."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.written import lay_out_written

T = 4


def lay_out(tokens=False, batch_first=False, **lists):
    arrays = {name: np.array(values) for name, values in lists.items()}
    return lay_out_written(arrays, tokens=tokens, batch_first=batch_first)


@pytest.mark.parametrize(
    ("x", "tokens", "shape"),
    [
        ([1, 2, 3, 4], False, (T, 1, 1)),
        ([1, 2, 3, 4], True, (T, 1)),
        ([[1, 2]] * T, False, (T, 1, 2)),
        ([[1, 2]] * T, True, (T, 2)),
        ([[[1], [2]]] * T, False, (T, 2, 1)),
    ],
)
def test_x_is_real_unless_it_holds_tokens_and_may_lack_the_batch_axis(x, tokens, shape):
    sequences = lay_out(x=x, tokens=tokens)
    assert sequences.x.dtype == (np.int64 if tokens else np.float64)
    np.testing.assert_array_equal(sequences.x, np.reshape(x, shape))


@pytest.mark.parametrize(
    ("y", "loss", "at", "shape"),
    [
        ([0, 2, 1, 0], "cross_entropy", "every", (T, 1)),
        ([0.0, 2, 1, 0], "mse", "every", (T, 1, 1)),
        ([[0], [2], [1], [0]], "cross_entropy", "every", (T, 1)),
        ([[0.5], [2], [1], [0]], "mse", "every", (T, 1, 1)),
        ([[0.5, 1]] * T, "mse", "every", (T, 1, 2)),
        ([3], "cross_entropy", "last", (1, 1)),
        ([3.0], "mse", "last", (1, 1, 1)),
        ([[3.0, 4.0]], "mse", "last", (1, 1, 2)),
    ],
)
def test_y_of_a_single_sequence_may_lack_the_batch_axis(y, loss, at, shape):
    sequences = lay_out(x=[0.0] * T, y=y)
    assert (sequences.loss, sequences.at) == (loss, at)
    np.testing.assert_array_equal(sequences.y, np.reshape(y, shape))


@pytest.mark.parametrize(
    ("h0", "shape"),
    [([7], (1, 1, 1)), ([[1, 2], [3, 4]], (2, 1, 2)), ([[[1, 2]], [[3, 4]]], (2, 1, 2))],
)
def test_h0_of_a_single_sequence_may_lack_the_batch_axis(h0, shape):
    sequences = lay_out(x=[0.0] * T, h0=h0, c0=h0)
    np.testing.assert_array_equal(sequences.h0, np.reshape(h0, shape))
    np.testing.assert_array_equal(sequences.c0, sequences.h0)


@pytest.mark.parametrize("mask", [[True, False, True, True], [1, 0, 1, 1], [[1], [0], [1], [1]]])
def test_the_mask_of_a_single_sequence_may_lack_the_batch_axis(mask):
    sequences = lay_out(x=[0.0] * T, mask=mask)
    np.testing.assert_array_equal(sequences.mask[:, 0], [True, False, True, True])


def test_a_batch_is_laid_out_as_it_stands():
    x = np.arange(T * 2.0).reshape(T, 2, 1)
    sequences = lay_out(x=x.swapaxes(0, 1), y=[0.5, 1.5], batch_first=True)
    np.testing.assert_array_equal(sequences.x, x)
    assert sequences.y.shape == (1, 2, 1)


def test_there_is_no_batch_axis_to_come_first():
    with pytest.raises(InputError, match="must be false where x has no batch axis") as error:
        lay_out(x=[1, 2], batch_first=True)
    assert error.value.key == "task.batch_first"


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        ({"x": [1.0] * T, "y": [1.0, 2.0]}, r"\(T, N\) = \(4, 1\) .*, got \(2,\)"),
        ({"x": [1.0] * T, "mask": [1, 1]}, r"\(T, N\) = \(4, 1\), got \(2,\)"),
        ({"x": [True] * T}, "the type bool"),
        ({"x": [[[[1.0]]]]}, r"got \(1, 1, 1, 1\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(lists, reason):
    with pytest.raises(InputError, match=reason) as error:
        lay_out(**lists)
    assert error.value.key == f"task.{list(lists)[-1]}"
