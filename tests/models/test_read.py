"""A file of parameters is told by its first bytes, not by its name."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models.read import read_model


@pytest.mark.parametrize("name", ["checkpoints/plain-lstm.pt", "checkpoints/legacy-tanh.pt"])
def test_a_file_of_pytorch_in_either_format(files, name, tmp_path):
    (tmp_path / "x.npz").write_bytes((files / name).read_bytes())
    assert "rnn.weight_hh_l0" in read_model(tmp_path / "x.npz").tensors


def test_a_file_of_safetensors(files, tmp_path):
    pytest.importorskip("safetensors")
    content = (files / "checkpoints/safetensors-lstm.safetensors").read_bytes()
    (tmp_path / "x.pt").write_bytes(content)
    assert "rnn.weight_hh_l0" in read_model(tmp_path / "x.pt").tensors


@pytest.mark.parametrize("name", ["gru.keras", "gru-weights.weights.h5"])
def test_a_file_of_keras(files, name, tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "x").write_bytes((files / "keras" / name).read_bytes())
    assert "gru.weight_hh_l0" in read_model(tmp_path / "x").tensors


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_of_numpy(save, tmp_path):
    with (tmp_path / "x.keras").open("wb") as file:
        save(file, weight_hh_l0=np.eye(2))
    assert read_model(tmp_path / "x.keras").tensors["weight_hh_l0"].shape == (2, 2)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.pt", b"", "is empty"),
        ("x.pt", b"PK\x03\x04", "is cut off or damaged: it has no readable zip directory"),
        ("x.keras", b"PK\x03\x04", "is cut off or damaged: it has no readable zip directory"),
        ("x.npz", b"PK\x03\x04", "is truncated or damaged"),
        ("x.npz", b"hello", "is not what it is called"),
        ("x.pt", b"hello", "is no file of parameters: expected one of torch.save, safetensors"),
        ("x", b"\x89HDF\r\n\x1a\n", "is no HDF5 file that Keras writes, or cut off or damaged"),
    ],
)
def test_what_is_none_of_them_is_refused_by_name(name, content, expected, tmp_path):
    if content.startswith(b"\x89HDF"):
        pytest.importorskip("h5py")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=expected) as caught:
        read_model(tmp_path / name)
    assert caught.value.key == "model.file"
    assert name in str(caught.value)


def test_a_folder_and_a_device_are_refused(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        read_model(tmp_path)
    with pytest.raises(InputError, match="is a device or a pipe"):
        read_model("/dev/zero")
