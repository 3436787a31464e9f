"""Models that Keras 3 saved, through the command line."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bpttcli.cli.main import main
from tests.damage import EDITS, damaged

pytest.importorskip("h5py")

#: Saved by Keras 3.15 in float64; the figures beside them by float64 automatic differentiation of
#: its layers on the backend of PyTorch, turned into the names of PyTorch by NumPy.
FILES = Path(__file__).parents[1] / "models" / "files" / "keras"
TRAINED = ["simple-relu.keras", "tokens-lstm-2.keras", "gru.keras", "gru-weights.weights.h5"]
REFUSED = {
    "reset-before": "holds 'gru', which was made with reset_after=False",
    "hard-sigmoid": "holds 'lstm', which has the recurrent activation hard_sigmoid",
    "elu": "holds 'simple_rnn', which has the activation elu, expected tanh, relu or linear",
    "backwards": "which reads its sequences backwards (go_backwards)",
    "bidirectional": "read one of its directions with --direction forward or",
    "no-recurrence": "holds no recurrent network",
}


def run(capsys, *arguments):
    code = main(["grad-norms", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def document(capsys, *arguments):
    code, out, err = run(capsys, *arguments, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def refused(capsys, *arguments):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("bptt: ")
    assert err.count("\n") == 1
    return err


def relative(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


@pytest.mark.parametrize("name", TRAINED)
def test_a_model_has_the_loss_and_gradients_of_automatic_differentiation(name, capsys, tmp_path):
    reference = np.load((FILES / name).with_suffix(".npz"))
    np.savez(tmp_path / "batch.npz", x=reference["x"], y=reference["y"])
    saved = tmp_path / "arrays.npz"
    options = ["--model", FILES / name, "--data", tmp_path / "batch.npz"]
    result = document(capsys, *options, "--save-arrays", saved)
    assert result["experiment"]["model"]["cell"] == reference["cell"]
    assert relative(result["loss"], reference["loss"]) < 1e-11
    found = np.load(saved)
    wanted = {key for key in reference.files if key.startswith("grad/")}
    assert {f"grad/{name}" for name in result["parameters"]} == wanted
    for key in wanted:
        assert relative(found[key], reference[key]) < 1e-11


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_no_such_model_is_refused_in_one_line(reason, capsys):
    assert REFUSED[reason] in refused(capsys, "--model", FILES / f"refuse-{reason}.keras")


def test_layers_that_feed_each_other_are_one_network(capsys):
    result = document(capsys, "--model", FILES / "tokens-lstm-2.keras")
    model = result["experiment"]["model"]
    assert (model["recurrent"], model["readout"], model["layers"]) == ("lstm+lstm_1", "dense", 2)
    assert "ends in a softmax, which cross_entropy contains" in result["warnings"][0]


def test_cells_stacked_inside_one_layer_are_one_network(capsys):
    result = document(capsys, "--model", FILES / "cells.keras")
    model = result["experiment"]["model"]
    assert (model["cell"], model["layers"], model["hidden"]) == ("gru", 2, 2)


def test_weights_alone_do_not_say_which_layers_feed_each_other(capsys):
    path = FILES / "two-layers.weights.h5"
    assert "('lstm', 'lstm_1', 'lstm+lstm_1'): choose one with --recurrent" in refused(
        capsys, "--model", path
    )
    for name, layers, hidden in (("lstm", 1, 3), ("lstm_1", 1, 4), ("lstm+lstm_1", 2, 4)):
        result = document(capsys, "--model", path, "--recurrent", name)
        model = result["experiment"]["model"]
        assert (model["recurrent"], model["layers"], model["hidden"]) == (name, layers, hidden)
        assert "tanh and sigmoid are assumed, Keras's defaults" in result["warnings"][0]


def test_a_direction_of_a_bidirectional_layer_can_be_read(capsys):
    path = FILES / "refuse-bidirectional.keras"
    results = [
        document(capsys, "--model", path, "--direction", direction)
        for direction in ("forward", "reverse")
    ]
    assert [result["experiment"]["model"]["cell"] for result in results] == ["relu", "relu"]
    assert results[0]["timesteps"] != results[1]["timesteps"]


def test_a_readout_that_is_not_linear_is_refused_and_named(capsys):
    path = FILES / "sigmoid-head.keras"
    result = document(capsys, "--model", path)
    assert result["experiment"]["model"]["readout"] is None
    assert result["warnings"][0].startswith("'head' is not taken as the readout: it ends in an")
    assert "'head' ends in an activation" in refused(capsys, "--model", path, "--readout", "head")


def test_the_activation_of_the_file_is_not_contradicted(capsys):
    line = refused(capsys, "--model", FILES / "simple-relu.keras", "--cell", "tanh")
    assert "model.cell must be relu, as in model.file, got tanh" in line


def test_without_the_library_the_extra_is_named(capsys, tmp_path, monkeypatch):
    (tmp_path / "h5py.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    line = refused(capsys, "--model", FILES / "gru.keras")
    assert "needs the h5py library: pip install 'bptt[keras]'" in line


def test_the_library_is_never_loaded_into_this_process():
    code = (
        "import sys; from bpttcli.cli.main import main; "
        f"main(['grad-norms', '--quiet', '--model', {str(FILES / 'gru.keras')!r}]); "
        "print('h5py' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def repacked(path, target, change=None, compression=zipfile.ZIP_STORED):
    """Copy a .keras archive, one of its members changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content if change is None else change(name, content))
    return target


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (b"{", "its config.json is no JSON"),
        (b"[" * 100_000, "its config.json is no JSON"),
        (b"[]", None),
        (b'{"class_name": "Mine", "config": {"layers": 5}}', None),
        (b'{"class_name": "Functional", "config": {"layers": [5, {}]}}', None),
    ],
)
def test_a_description_that_says_nothing_leaves_the_weights(config, expected, capsys, tmp_path):
    path = repacked(
        FILES / "gru.keras",
        tmp_path / "a.keras",
        lambda name, content: config if name == "config.json" else content,
    )
    if expected is not None:
        assert expected in refused(capsys, "--model", path)
    else:
        assert document(capsys, "--model", path)["experiment"]["model"]["cell"] == "gru"


def test_layers_that_are_wired_in_a_circle_are_no_trap(capsys, tmp_path):
    layer = {"class_name": "LSTM", "config": {"name": "lstm", "return_sequences": True}}
    wired = {**layer, "inbound_nodes": [{"args": [{"keras_history": ["lstm", 0, 0]}]}]}
    config = {"class_name": "Functional", "config": {"layers": [wired]}}
    path = repacked(
        FILES / "gru.keras",
        tmp_path / "a.keras",
        lambda name, content: json.dumps(config).encode() if name == "config.json" else content,
    )
    assert main(["grad-norms", "--quiet", "--model", str(path)]) == 0


def test_a_compressed_archive_is_refused(capsys, tmp_path):
    path = repacked(FILES / "gru.keras", tmp_path / "a.keras", compression=zipfile.ZIP_DEFLATED)
    assert "is a compressed zip archive; Keras writes an uncompressed" in refused(
        capsys, "--model", path
    )


@pytest.mark.parametrize("name", ["gru.keras", "gru-weights.weights.h5"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_file_that_is_cut_off_is_refused(name, share, capsys, tmp_path):
    content = (FILES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(share * len(content))])
    refused(capsys, "--model", path)


def test_the_format_of_keras_2_is_refused_with_the_way_out(capsys, tmp_path):
    import h5py

    with h5py.File(tmp_path / "old.h5", "w") as file:
        file["model_weights/lstm/lstm/lstm_cell/kernel:0"] = np.ones((2, 12))
    line = refused(capsys, "--model", tmp_path / "old.h5")
    assert "is in Keras's older h5 format: load it in Keras 3 and save it as .keras" in line


def test_links_out_of_the_file_are_not_followed(capsys, tmp_path):
    import h5py

    shutil.copy(FILES / "gru-weights.weights.h5", tmp_path / "real.h5")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["layers"] = h5py.ExternalLink("real.h5", "/layers")
    assert "holds no recurrent network" in refused(capsys, "--model", tmp_path / "linked.h5")


def test_arrays_that_are_compressed_or_elsewhere_are_passed_by(capsys, tmp_path):
    import h5py

    with (
        h5py.File(FILES / "gru-weights.weights.h5") as old,
        h5py.File(tmp_path / "new.h5", "w") as new,
    ):
        cell = old["layers/gru/cell/vars"]
        for name in cell:
            new.create_dataset(f"gru/cell/vars/{name}", data=cell[name][()], compression="gzip")
    assert "holds no recurrent network" in refused(capsys, "--model", tmp_path / "new.h5")


def test_bfloat16_weights_keep_their_value(capsys, tmp_path):
    import h5py

    half = np.float32([[1.5, -2.5], [0.25, 1.0]])
    bits = (half.view(np.uint32) >> 16).astype("<u2")
    with h5py.File(tmp_path / "new.h5", "w") as file:
        for name in "01":
            stored = file.create_dataset(f"rnn/cell/vars/{name}", data=bits.view("V2"))
            stored.attrs["dtype"] = "bfloat16"
    result = document(capsys, "--model", tmp_path / "new.h5", "--cell", "linear", "--steps", "3")
    assert result["spectral_norm"][0] == pytest.approx(np.linalg.norm(half, 2), rel=1e-12)


@given(edits=EDITS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("name", ["gru.keras", "gru-weights.weights.h5"])
def test_a_damaged_file_gives_a_result_or_one_line(name, edits, capsys, tmp_path):
    """The HDF5 library crashes on some of them: in a process of its own."""
    path = tmp_path / "model"
    path.write_bytes(damaged((FILES / name).read_bytes(), edits))
    code, out, err = run(capsys, "--quiet", "--model", path, "--steps", "5")
    assert code in (0, 2) or (code == 1 and "undefined" in err)
    assert (out == "") == (code != 0)
    assert err.count("\n") == (code != 0)
    assert "core" not in os.listdir(tmp_path)
