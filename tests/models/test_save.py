"""Parameters out again."""

import sys

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.errors import InputError, RunError
from bpttcli.models.safetensors_file import read_safetensors
from bpttcli.models.save import check_parameters_target, save_parameters, torch_parameters

PARAMETERS = {
    "weight_ih_l0": np.arange(6.0).reshape(2, 3).T,
    "weight_hh_l0": np.eye(3) / 3,
    "readout.bias": np.array([1e-300]),
}


def test_an_npz_file_gives_the_same_arrays_back(tmp_path):
    save_parameters(tmp_path / "a.npz", PARAMETERS)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert set(stored) == PARAMETERS.keys()
        for name, value in PARAMETERS.items():
            np.testing.assert_array_equal(stored[name], value)


def test_a_safetensors_file_gives_the_same_arrays_back(tmp_path):
    pytest.importorskip("safetensors")
    save_parameters(tmp_path / "a.safetensors", PARAMETERS)
    stored = read_safetensors(tmp_path / "a.safetensors")
    assert stored.keys() == PARAMETERS.keys()
    for name, value in PARAMETERS.items():
        assert stored[name].dtype == "float64"
        np.testing.assert_array_equal(stored[name].read(), value)


def test_a_missing_bias_beside_another_one_is_zeros_as_pytorch_has_both_or_none():
    weights = {"weight_ih_l0": np.ones((9, 2)), "weight_hh_l0": np.ones((9, 3))}
    weights |= {"weight_ih_l1": np.ones((9, 3)), "weight_hh_l1": np.ones((9, 3))}
    bare = Network.from_parameters(cell_named("gru"), weights)
    assert list(torch_parameters(bare)) == list(weights)
    one = Network.from_parameters(cell_named("gru"), weights | {"bias_hh_l1": np.ones(9)})
    found = torch_parameters(one)
    assert list(found)[:4] == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    assert found["bias_hh_l1"].tolist() == [1] * 9
    for name in ("bias_ih_l0", "bias_hh_l0", "bias_ih_l1"):
        assert found[name].tolist() == [0] * 9


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    save_parameters(tmp_path / "a.npz", PARAMETERS)
    before = (tmp_path / "a.npz").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(RunError, match="No space left"):
        save_parameters(tmp_path / "a.npz", {})
    assert (tmp_path / "a.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.pt", "must end in .npz or .safetensors, got"),
        ("npz", "must end in .npz or .safetensors"),
        ("none/a.npz", "must be in a folder that exists"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_the_run(tmp_path, name, message):
    with pytest.raises(InputError, match=message) as raised:
        check_parameters_target(tmp_path / name, key="--save-model")
    assert raised.value.key == "--save-model"


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(InputError, match=r"pip install 'bptt\[safetensors\]'"):
        check_parameters_target(tmp_path / "a.safetensors")
