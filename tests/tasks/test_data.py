"""Sequences that a user brings."""

import re

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.data import Data

X = np.arange(24.0).reshape(4, 3, 2)


def sequences(**keys):
    return Data(**keys).sequences(np.random.default_rng(0))


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays)
        return str(path)

    return save


def test_an_npz_holds_all_that_sequences_are_made_of(saved):
    arrays = {
        "x": X,
        "y": np.ones((4, 3), dtype=np.int32),
        "h0": np.ones((2, 3, 5), dtype=np.float32),
        "c0": np.zeros((2, 3, 5)),
        "mask": np.arange(12).reshape(4, 3) % 2 == 0,
    }
    data = sequences(file=saved(**arrays))
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(data, name), array)
    assert (data.loss, data.at, data.baseline) == ("cross_entropy", "every", None)


def test_an_npy_holds_x(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.testing.assert_array_equal(sequences(file=str(tmp_path / "x.npy")).x, X)


def test_a_csv_holds_one_sequence(tmp_path):
    (tmp_path / "f.csv").write_bytes(b"\xef\xbb\xbfa,b,y\r\n1,2,0.5\r\n3,4,1.5\r\n")
    data = sequences(file=str(tmp_path / "f.csv"))
    np.testing.assert_array_equal(data.x, [[[1, 2]], [[3, 4]]])
    np.testing.assert_array_equal(data.y, [[[0.5]], [[1.5]]])


def test_a_csv_column_of_tokens_is_symbols(tmp_path):
    (tmp_path / "f.csv").write_text("x,y\n2,0\n0,1\n")
    data = sequences(file=str(tmp_path / "f.csv"), tokens=True)
    np.testing.assert_array_equal(data.x, [[2], [0]])
    assert (data.n_inputs, data.loss) == (3, "cross_entropy")


def test_lists_hold_one_sequence_of_a_textbook_example():
    data = sequences(x=[2, 3], h0=[7])
    np.testing.assert_array_equal(data.x, [[[2.0]], [[3.0]]])
    np.testing.assert_array_equal(data.h0, [[[7.0]]])


def test_all_there_is_is_taken_unless_told_otherwise(saved):
    path = saved(x=X, y=X)
    assert (sequences(file=path).steps, sequences(file=path).batch) == (4, 3)
    data = sequences(file=path, steps=2, batch=1)
    np.testing.assert_array_equal(data.x, X[:2, :1])
    np.testing.assert_array_equal(data.y, X[:2, :1])


def test_batch_first_exchanges_two_axes(saved):
    data = sequences(file=saved(x=X), batch_first=True)
    np.testing.assert_array_equal(data.x, X.swapaxes(0, 1))


def test_arrays_that_are_nobodys_business_are_left_out_beside_a_whole_batch(saved):
    path = saved(x=X, y=X, loss=1.0, epoch=3, names=np.array(["a"]), more=X)
    data = sequences(file=path)
    np.testing.assert_array_equal(data.y, X)
    assert data.notes == (f"{path} holds arrays that are not used: loss, epoch, names and 1 more",)
    assert sequences(file=saved(x=X, y=X)).notes == ()


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"x": X, "y": X, "masks": X}, r"holds an unknown array 'masks': did you mean 'mask'\?"),
        ({"y": X}, "must hold an array x, got none"),
        ({}, "must hold an array x, got none"),
        ({"x": X, "targets": X}, "holds an unknown array 'targets': known: x, y, h0, c0, mask"),
        ({"x": X, "h_0": X}, r"holds an unknown array 'h_0': did you mean 'h0'\?"),
        ({"x": X * np.nan}, r"holds x, which must be finite, got nan at index \(0, 0, 0\)"),
        ({"x": X, "y": X[:, :, 0] + 1j}, "holds y, which must hold real .* complex128"),
        ({"x": X > 0}, "holds x, which must hold real numbers or integers, got the type bool"),
        ({"x": X, "h0": X[:, 0]}, r"holds h0, which must have the shape \(layers, N, H\)"),
        ({"x": X, "y": np.array([X, None], dtype=object)}, "holds Python objects in the array 'y'"),
    ],
)
def test_what_is_wrong_with_an_array_is_said_of_the_file(saved, arrays, reason):
    path = saved(**arrays)
    with pytest.raises(InputError, match=f"^{re.escape(repr(path))} {reason}") as error:
        sequences(file=path)
    assert error.value.key == "task.file"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("f.npz", b"", "is empty"),
        ("f.npz", b"garbage", "is not what it is called"),
        ("f.dat", bytes(range(256)), "got the byte"),
        ("f.csv", b"a,b\n1,x\n", "line 2, column 2"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason) as error:
        sequences(file=str(tmp_path / name))
    assert error.value.key == "task.file"


def test_a_missing_file_is_refused_with_its_name():
    with pytest.raises(InputError, match=r"'nowhere\.npz' cannot be read: no such file"):
        sequences(file="nowhere.npz")


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ({}, "task", "needs a file .*, or x"),
        ({"y": [1.0]}, "task", "needs a file .*, or x"),
        ({"file": "f.npz", "x": [1.0]}, "task.x", "must not stand beside task.file"),
        ({"file": "f.npz", "h0": [1.0]}, "task.h0", "must not stand beside task.file"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(keys, key, reason):
    with pytest.raises(InputError, match=reason) as error:
        Data(**keys)
    assert error.value.key == key


@pytest.mark.parametrize(
    ("keys", "key", "reason"),
    [
        ({"x": [[1], [2, 3]]}, "task.x", "rows of one length"),
        ({"x": [1, "a"]}, "task.x", r"numbers, got 'a' at index \(1,\)"),
        ({"x": []}, "task.x", "must not be empty"),
        ({"x": [1, 2], "y": []}, "task.y", "must not be empty"),
        ({"x": [1, 2], "mask": [2, 0]}, "task.mask", "0 or 1, got 2"),
        ({"x": [1, 2.5], "tokens": True}, "task.x", "must hold integers, the tokens"),
        ({"x": [1, 2], "steps": 3}, "task.steps", "from 1 to 2, .*, got 3"),
        ({"x": [1, 2], "batch": 2}, "task.batch", "from 1 to 1, .*, got 2"),
        ({"x": [1, 2], "y": [1.0], "steps": 1}, "task.steps", "must be 2: .*, got 1"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_of_its_key(keys, key, reason):
    with pytest.raises(InputError, match=reason) as error:
        sequences(**keys)
    assert error.value.key == key


def test_a_csv_has_no_batch_axis_and_one_column_of_tokens(tmp_path):
    (tmp_path / "f.csv").write_text("1,2\n3,4\n")
    with pytest.raises(InputError, match="must be false") as error:
        sequences(file=str(tmp_path / "f.csv"), batch_first=True)
    assert error.value.key == "task.batch_first"
    with pytest.raises(InputError, match="must have one column of tokens, got 2"):
        sequences(file=str(tmp_path / "f.csv"), tokens=True)
