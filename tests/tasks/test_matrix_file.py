"""A bare matrix from a file, read without trusting it."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.matrix_file import read_matrix

B = np.array([[0.9, 10.0], [0.0, 0.9]])


def test_npy_npz_and_csv_give_the_same(tmp_path):
    np.save(tmp_path / "B.npy", B)
    np.savez(tmp_path / "B.npz", anything=B)
    (tmp_path / "B.csv").write_text("\ufeff0.9,10\r\n0,0.9\r\n", encoding="utf-8")
    (tmp_path / "named.csv").write_text("u1,u2\n0.9,10\n0,0.9\n")
    for name in ("B.npy", "B.npz", "B.csv", "named.csv"):
        np.testing.assert_array_equal(read_matrix(str(tmp_path / name)), B)


def test_integers_and_other_shapes_are_left_for_others_to_judge(tmp_path):
    np.save(tmp_path / "v.npy", np.arange(3))
    np.testing.assert_array_equal(read_matrix(str(tmp_path / "v.npy")), [0, 1, 2])


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("missing.npy", None, "cannot be read: no such file"),
        ("empty.npy", b"", "is empty"),
        ("text.npy", b"0.9,10\n", "is not what it is called"),
        ("cut.npy", b"\x93NUMPY\x01\x00", "truncated or damaged"),
        ("words.csv", b"1,2\n3,x\n", "line 2, column 2 must be a finite number, got 'x'"),
        ("nan.csv", b"1,nan\n3,4\n", "must be a finite number"),
        ("ragged.csv", b"1,2\n3\n", "must have 2 columns, got 1"),
        ("semicolons.csv", b"1;2\n3;4\n", "columns stand between commas"),
        ("targets.csv", b"u1,y\n1,2\n3,4\n", "must be the matrix alone"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(tmp_path, name, content, complaint):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_matrix(str(path))
    assert complaint in str(error.value)
    assert error.value.key == "matrix"


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "B.npy", np.array([[None]]), allow_pickle=True)
    with pytest.raises(InputError, match="never unpickled"):
        read_matrix(str(tmp_path / "B.npy"))


def test_an_npz_file_holds_one_matrix(tmp_path):
    np.savez(tmp_path / "B.npz", A=B, B=B)
    with pytest.raises(InputError, match="must hold a single array, got A, B"):
        read_matrix(str(tmp_path / "B.npz"))
