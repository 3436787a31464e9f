"""Parameters from an npz file: finite real numbers under their names, or a plain refusal."""

import pickle

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models.npz import read_parameters


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        path = tmp_path / "model.npz"
        np.savez(path, **arrays)
        return path

    return save


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_parameters(path)
    assert caught.value.key == "model.file"
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, ">f8"])
def test_every_real_type_becomes_float64(saved, dtype):
    parameters = read_parameters(saved(**{"readout.weight": np.ones((2, 3), dtype=dtype)}))
    assert parameters["readout.weight"].dtype == np.float64
    assert parameters["readout.weight"].tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[1, np.nan]]), "finite"),
        (np.array([[1, np.inf]]), "finite"),
        (np.array([[1j]]), "complex128"),
        (np.array([["a"]]), "'weight_hh_l0'"),
        (np.array([[{}]], dtype=object), "never unpickled"),
    ],
)
def test_an_array_of_something_else_is_refused_by_name(saved, array, said):
    message = refusal(saved(weight_ih_l0=np.ones((1, 1)), weight_hh_l0=array))
    assert said in message
    assert "weight_hh_l0" in message


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"PK\x03\x04", b"\x93NUMPY\x01\x00", pickle.dumps({}), b"\x00" * 100],
)
def test_what_is_no_npz_file_is_refused(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    refusal(path)


def test_a_single_array_is_no_network(tmp_path):
    path = tmp_path / "model.npy"
    np.save(path, np.eye(2))
    assert "npz" in refusal(path)


def test_a_truncated_file_is_refused(saved):
    path = saved(weight_hh_l0=np.eye(50))
    path.write_bytes(path.read_bytes()[:-1000])
    refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / "missing.npz")
    assert "directory" in refusal(tmp_path)
