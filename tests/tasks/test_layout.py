"""Arrays laid out as sequences; the shapes are those of the manual."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.layout import lay_out

T, N = 5, 3
X = np.arange(T * N * 2.0).reshape(T, N, 2)
SYMBOLS = np.arange(T * N).reshape(T, N)


def test_reals_are_fed_as_they_are_and_symbols_as_many_as_the_largest_needs():
    np.testing.assert_array_equal(lay_out({"x": X}).x, X)
    assert lay_out({"x": X}).n_inputs == 2
    np.testing.assert_array_equal(lay_out({"x": SYMBOLS}).x, SYMBOLS)
    assert lay_out({"x": SYMBOLS}).n_inputs == 15


def test_integers_with_an_axis_of_inputs_are_reals():
    assert lay_out({"x": X.astype(int)}).x.dtype == np.float64


@pytest.mark.parametrize(
    ("shape", "kind", "loss", "at", "laid_out"),
    [
        ((T, N), int, "cross_entropy", "every", (T, N)),
        ((N,), int, "cross_entropy", "last", (1, N)),
        ((T, N), float, "mse", "every", (T, N, 1)),
        ((T, N, 4), float, "mse", "every", (T, N, 4)),
        ((T, N, 4), int, "mse", "every", (T, N, 4)),
        ((N,), float, "mse", "last", (1, N, 1)),
        ((N, 4), float, "mse", "last", (1, N, 4)),
    ],
)
def test_y_decides_the_loss_and_where_it_stands(shape, kind, loss, at, laid_out):
    y = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    sequences = lay_out({"x": X, "y": y})
    assert (sequences.loss, sequences.at) == (loss, at)
    assert sequences.n_outputs == (y.max() + 1 if loss == "cross_entropy" else laid_out[-1])
    np.testing.assert_array_equal(sequences.y, y.reshape(laid_out))


@pytest.mark.parametrize(
    ("shape", "kind", "at"),
    [
        ((4, 4), int, "every"),
        ((4, 4), float, "every"),
        ((4, 4, 2), float, "every"),
        ((4,), int, "last"),
        ((4, 2), float, "last"),
    ],
)
def test_with_as_many_steps_as_sequences_every_step_comes_first(shape, kind, at):
    assert lay_out({"x": np.zeros((4, 4, 1)), "y": np.zeros(shape, dtype=kind)}).at == at


def test_without_y_nothing_is_asked():
    sequences = lay_out({"x": X})
    assert (sequences.y, sequences.loss, sequences.n_outputs) == (None, None, None)


@pytest.mark.parametrize(
    "y", [np.arange(T * N).reshape(T, N), np.arange(T * N * 4.0).reshape(T, N, 4), np.arange(N)]
)
@pytest.mark.parametrize("x", [X, SYMBOLS])
def test_batch_first_is_the_same_with_two_axes_exchanged(x, y):
    mask = np.arange(T * N).reshape(T, N) % 2
    timed = {"x": x, "y": y, "h0": np.arange(N * 4.0).reshape(1, N, 4)}
    if y.ndim > 1:
        timed["mask"] = mask
    batched = {
        name: a.swapaxes(0, 1) if name in ("x", "y", "mask") and a.ndim > 1 else a
        for name, a in timed.items()
    }
    one, other = lay_out(timed), lay_out(batched, batch_first=True)
    for name in timed:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.at, one.loss) == (other.at, other.loss)


@pytest.mark.parametrize(
    ("arrays", "options", "reason"),
    [
        ({"x": X[:, 0]}, {}, r"\(T, N, I\), or \(T, N\) for .*, got \(5, 2\); .* x\[:, None\]$"),
        ({"x": X[:, 0, 0]}, {}, r"got \(5,\); a single sequence is saved as x\[:, None, None\]$"),
        ({"x": X[:, 0]}, {"batch_first": True}, r"\(N, T, I\).*; .* saved as x\[None\]$"),
        ({"x": SYMBOLS[0]}, {}, r"\(T, N\) for integer symbols, got \(3,\)$"),
        ({"x": X[None]}, {}, r"\(T, N, I\), or .*, got \(1, 5, 3, 2\)$"),
        ({"x": np.float64(1)}, {}, r"\(T, N, I\), or .*, got \(\)$"),
        ({"x": X}, {"tokens": True}, "must hold integers, the tokens, got float64"),
        ({"x": X.astype(int)}, {"tokens": True}, r"the shape \(T, N\), got \(5, 3, 2\)"),
        ({"x": -SYMBOLS}, {}, "integers from 0 to 999999, .*, got -14"),
        ({"x": SYMBOLS * 10**6}, {}, "integers from 0 to 999999, .*, got 14000000"),
        ({"x": X * np.nan}, {}, r"finite, got nan at index \(0, 0, 0\)"),
        ({"x": X, "y": np.zeros((T + 1, N, 4))}, {}, r"\(T, N\) = \(5, 3\) .*, got \(6, 3, 4\)"),
        ({"x": X, "y": np.zeros((T, N + 1), dtype=int)}, {}, r"\(N,\) = \(3,\) .*, got \(5, 4\)"),
        ({"x": X, "y": np.zeros((N, T), dtype=int)}, {}, r"got \(3, 5\) of int64"),
        ({"x": X, "y": np.zeros(T)}, {}, r"got \(5,\)"),
        (
            {"x": X, "y": np.zeros((T, N))},
            {"batch_first": True},
            r"\(N, T\) = \(3, 5\) .*, got \(5, 3\)",
        ),
        ({"x": X, "y": np.zeros(())}, {}, r"got \(\)"),
        ({"x": X, "y": -SYMBOLS}, {}, "integers from 0 to 999999, .*, got -14 .*floats"),
        ({"x": X, "mask": np.ones((N, T))}, {}, r"\(T, N\) = \(5, 3\), got \(3, 5\)"),
        (
            {"x": X, "h0": np.zeros((1, T, 4))},
            {},
            r"\(layers, N, H\) = \(any, 3, any\), got \(1, 5, 4\)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_both_of_them(arrays, options, reason):
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    if options.get("batch_first") and "y" in arrays:
        arrays["x"] = np.zeros((N, T, 2))
    with pytest.raises(InputError, match=reason) as error:
        lay_out(arrays, **options)
    assert error.value.key == f"task.{list(arrays)[-1]}"


def test_a_nan_is_named_by_its_index_in_the_array_as_it_was_given():
    x = X.swapaxes(0, 1).copy()
    x[1, 4, 0] = np.nan
    with pytest.raises(InputError, match=r"got nan at index \(1, 4, 0\)"):
        lay_out({"x": x}, batch_first=True)
