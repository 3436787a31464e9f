"""Parameters from an npz file: finite real numbers under their names, or a plain refusal."""

import pickle

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models.find_network import find_network
from bpttcli.models.npz import read_npz


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        path = tmp_path / "model.npz"
        np.savez(path, **arrays)
        return path

    return save


def refusal(path):
    with pytest.raises(InputError) as caught:
        find_network(read_npz(path))
    assert caught.value.key == "model.file"
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, ">f8"])
def test_every_real_type_becomes_float64(saved, dtype):
    tensor = read_npz(saved(**{"readout.weight": np.ones((2, 3), dtype=dtype)}))["readout.weight"]
    assert (tensor.shape, tensor.size) == ((2, 3), 6)
    assert tensor.read().dtype == np.float64
    assert tensor.read().tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[np.nan]]), "finite"),
        (np.array([[np.inf]]), "finite"),
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


def test_a_slip_in_a_file_of_a_network_alone_is_refused_with_the_nearest_name(saved):
    message = refusal(saved(weight_ih_l0=np.ones((1, 1)), weight_hhl0=np.ones((1, 1))))
    assert "has no place for 'weight_hhl0': did you mean 'weight_hh_l0'" in message
    assert "without readout.weight" in refusal(saved(**{"readout.bias": np.ones(1)}))


def test_beside_other_modules_the_network_is_found_as_in_a_state_dict(saved):
    arrays = {"net.rnn.weight_ih_l0": np.ones((3, 2)), "net.rnn.weight_hh_l0": np.eye(3)}
    found = find_network(read_npz(saved(step=np.array(7), **arrays)))
    assert found.recurrent == "net.rnn"


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
