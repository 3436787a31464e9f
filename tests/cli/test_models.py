"""The models people already have, through the command line: one file, one batch, one answer."""

import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bpttcli.cli.main import main
from tests.damage import EDITS, damaged

FILES = Path(__file__).parents[1] / "models" / "files"
#: Written by torch.save and safetensors; the figures beside them by float64 automatic
#: differentiation, from the weights as they were saved.
CHECKPOINTS = FILES / "checkpoints"
TRAINED = sorted(
    path for path in CHECKPOINTS.iterdir() if path.suffix != ".npz" and "refuse" not in path.name
)
REFUSED = {
    "bidirectional": "a bidirectional network: read one of its directions with --direction",
    "cut-off": "is cut off or damaged",
    "empty": "is empty",
    "hostile": "needs 'posix.system', and only tensors and plain containers are read",
    "hostile-raw": "needs 'posix.system'",
    "no-recurrence": "holds no recurrent network",
    "projection": "an LSTM that projects its state (proj_size) is not read",
    "whole-module": "needs '__main__.Model', and only tensors and plain containers are read: "
    "save model.state_dict() instead",
}


def run(capsys, *arguments, command="grad-norms"):
    code = main([command, *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def document(capsys, *arguments, **more):
    code, out, err = run(capsys, *arguments, "--format", "json", **more)
    assert code == 0, err
    return json.loads(out)


def refused(capsys, *arguments, **more):
    """The one line of a refusal."""
    code, out, err = run(capsys, *arguments, **more)
    assert (code, out) == (2, "")
    assert err.startswith("bptt: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def needs(path):
    if path.suffix == ".safetensors":
        pytest.importorskip("safetensors")


def relative(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


@pytest.fixture
def batch(tmp_path):
    """Save arrays as a file of data."""

    def save(**arrays):
        path = tmp_path / "batch.npz"
        np.savez(path, **arrays)
        return path

    return save


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.name)
def test_a_checkpoint_has_the_loss_and_gradients_of_automatic_differentiation(
    path, capsys, tmp_path, batch
):
    needs(path)
    reference = np.load(path.with_suffix(".npz"))
    cell = str(reference["cell"])
    data = batch(x=reference["x"], y=reference["y"])
    options = ["--model", path, "--data", data, "--loss-at", "last"]
    if cell in ("tanh", "relu"):
        options += ["--cell", cell]
    saved = tmp_path / "arrays.npz"
    result = document(capsys, *options, "--save-arrays", saved)
    assert result["warnings"] == []
    assert result["experiment"]["model"]["cell"] == cell
    assert relative(result["loss"], reference["loss"]) < 1e-11
    found = np.load(saved)
    assert len(result["parameters"]) >= 4
    for name in result["parameters"]:
        assert relative(found[f"grad/{name}"], reference[f"grad/{name}"]) < 1e-11


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_no_such_model_is_refused_in_one_line(reason, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = CHECKPOINTS / f"refuse-{reason}.pt"
    assert REFUSED[reason] in refused(capsys, "--model", path)
    for folder in (tmp_path, CHECKPOINTS, Path("/tmp"), Path.home()):
        assert "PWNED" not in os.listdir(folder)


def test_every_refused_file_has_its_reason():
    assert {path.stem.removeprefix("refuse-") for path in CHECKPOINTS.glob("refuse-*")} == set(
        REFUSED
    )


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("plain-lstm.pt", ("rnn", "fc")),
        ("lightning-lstm.pt", ("model.encoder", "model.decoder")),
        ("data-parallel-gru.pt", ("module.rnn", "module.fc")),
    ],
)
def test_what_was_taken_for_what_stands_in_the_result_and_at_its_head(name, taken, capsys):
    result = document(capsys, "--model", CHECKPOINTS / name)
    model = result["experiment"]["model"]
    assert (model["recurrent"], model["readout"]) == taken
    assert (model["embedding"], model["direction"]) == (None, None)
    _, out, _ = run(capsys, "--model", CHECKPOINTS / name)
    assert f"{taken[0]} → {taken[1]} of {name}" in out.splitlines()[0]


@pytest.mark.parametrize(
    "options",
    [
        ["checkpoints/plain-gru-2.pt"],
        ["embedding.pt", "--steps", "19", "--text"],
        ["two-networks.pt", "--recurrent", "decoder"],
        ["bidirectional.pt", "--direction", "reverse"],
    ],
    ids=lambda options: options[0],
)
def test_the_experiment_of_a_result_gives_the_result_again(options, capsys, tmp_path):
    if "--text" in options:
        (tmp_path / "text").write_text("abcde" * 4)
        options = [*options, tmp_path / "text"]
    first = document(capsys, "--model", FILES / options[0], *options[1:])
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(first["experiment"]))
    second = document(capsys, again)
    second["warnings"] = first["warnings"]  # what was a note is settled now
    assert second == first


def test_the_cell_is_read_from_the_shapes_and_tanh_is_assumed_with_a_note(capsys):
    _, _, err = run(capsys, "--model", CHECKPOINTS / "plain-lstm.pt")
    assert "--cell" not in err
    _, _, err = run(capsys, "--model", CHECKPOINTS / "training-tanh.pt")
    assert "tanh and relu cannot be told apart by their parameters: tanh is assumed" in err


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("plain-lstm.pt", "gru", "--cell: model.cell must be lstm, as in model.file, got gru"),
        ("plain-gru-2.pt", "tanh", "model.cell must be gru, as in model.file, got tanh"),
        ("training-tanh.pt", "lstm", "must be tanh, relu or linear, as in model.file, got lstm"),
    ],
)
def test_a_cell_that_the_shapes_contradict_is_refused(name, cell, expected, capsys):
    assert expected in refused(capsys, "--model", CHECKPOINTS / name, "--cell", cell)


def test_of_several_networks_one_is_chosen(capsys):
    path = FILES / "two-networks.pt"
    assert "choose one with --recurrent NAME" in refused(capsys, "--model", path)
    assert "did you mean 'encoder'" in refused(capsys, "--model", path, "--recurrent", "encodr")
    result = document(capsys, "--model", path, "--recurrent", "decoder")
    assert result["experiment"]["model"]["cell"] == "lstm"


@pytest.mark.parametrize("key", ["recurrent", "readout", "embedding", "direction"])
def test_a_part_of_a_file_needs_the_file(key, capsys):
    line = refused(capsys, "--set", f"model.{key}=forward")
    assert line == (
        f"bptt: --set model.{key}: must stand with model.file, of which it chooses a part\n"
    )


@pytest.fixture
def state_dict(tmp_path):
    """Save a whole state_dict as an npz file: a recurrent network called rnn, and layers."""

    def save(**layers):
        rng = np.random.default_rng(0)
        shapes = {"rnn.weight_ih_l0": (4, 3), "rnn.weight_hh_l0": (4, 4)}
        for name, shape in layers.items():
            shapes[f"{name}.weight"] = shape
            if "embed" not in name:
                shapes[f"{name}.bias"] = shape[:1]
        path = tmp_path / "state.npz"
        np.savez(path, **{name: rng.normal(size=shape) for name, shape in shapes.items()})
        return path

    return save


def test_of_several_readouts_one_is_chosen(capsys, state_dict, batch):
    data = batch(x=np.ones((5, 2, 3)), y=np.zeros((5, 2)))
    options = ["--model", state_dict(mean=(1, 4), log_variance=(1, 4)), "--data", data]
    options += ["--cell", "tanh"]
    code, _, err = run(capsys, *options)
    assert code == 0
    assert "several linear layers could be the readout ('mean', 'log_variance'), of which" in err
    assert "--readout NAME" in refused(capsys, *options, "--loss", "mse")
    result = document(capsys, *options, "--readout", "mean")
    assert result["experiment"]["model"]["readout"] == "mean"
    assert result["experiment"]["loss"]["name"] == "mse"


def test_without_a_readout_the_loss_is_a_probe(capsys, state_dict):
    options = ["--model", state_dict(), "--cell", "tanh"]
    assert document(capsys, *options)["experiment"]["loss"]["name"] == "probe"
    assert "no readout" in run(capsys, *options)[1].splitlines()[0]
    assert "cannot be mse" in refused(capsys, *options, "--loss", "mse", "--steps", "5")


def test_tokens_are_fed_as_the_vectors_of_the_embedding(capsys, state_dict, batch, tmp_path):
    path = state_dict(embed=(7, 3), fc=(7, 4))
    tokens = np.random.default_rng(1).integers(7, size=(6, 2), dtype=np.int32)
    vectors = np.load(path)["embed.weight"][tokens]
    results = []
    for x in (tokens, vectors):
        saved = tmp_path / "arrays.npz"
        options = ["--model", path, "--cell", "tanh", "--data", batch(x=x, y=tokens)]
        result = document(capsys, *options, "--save-arrays", saved)
        results.append((result["loss"], dict(np.load(saved))))
        used = result["experiment"]["model"]["embedding"]
        assert used == ("embed" if x is tokens else None)
    assert results[0][0] == results[1][0]
    for name, value in results[0][1].items():
        np.testing.assert_array_equal(value, results[1][1][name])


def test_a_token_without_a_vector_is_refused(capsys, state_dict, batch):
    path = state_dict(embed=(7, 3))
    for x in ([[0], [7]], [[-1], [0]]):
        line = refused(capsys, "--model", path, "--cell", "tanh", "--data", batch(x=np.array(x)))
        assert "task.x" in line or "holds x, which" in line


def test_of_several_embeddings_one_is_chosen(capsys, state_dict, batch):
    path = state_dict(embed_a=(7, 3), embed_b=(9, 3))
    options = ["--model", path, "--cell", "tanh", "--data", batch(x=np.array([[8], [2]]))]
    line = refused(capsys, *options)
    assert "must name the embedding that integer x is read through: 'embed_a', 'embed_b'" in line
    assert "has 7 vectors" in refused(capsys, *options, "--set", "model.embedding=embed_a")
    result = document(capsys, *options, "--set", "model.embedding=embed_b")
    assert result["experiment"]["model"]["embedding"] == "embed_b"
    real = [*options[:-1], batch(x=np.ones((4, 1, 3)))]
    assert "x is real already" in refused(capsys, *real, "--set", "model.embedding=embed_b")


def test_the_reverse_direction_reads_from_the_end(capsys, batch, tmp_path):
    """It is the network of the backward weights, fed the sequence turned round."""
    stored = FILES / "bidirectional.pt"
    x = np.random.default_rng(2).normal(size=(9, 2, 2))
    reverse = ["--model", stored, "--direction", "reverse", "--data", batch(x=x)]
    turned = document(capsys, *reverse)
    assert "step 1 is the last one of the data" in turned["warnings"][0]
    from bpttcli.models.torch_checkpoint import read_torch

    alone = {
        name.removesuffix("_reverse"): tensor.read()
        for name, tensor in read_torch(stored).items()
        if name.endswith("_reverse")
    }
    np.savez(tmp_path / "alone.npz", **alone)
    plain = ["--model", tmp_path / "alone.npz", "--data", batch(x=x[::-1]), "--cell", "lstm"]
    assert document(capsys, *plain)["timesteps"] == turned["timesteps"]


def test_the_spectrum_reads_the_same_files(capsys):
    result = document(capsys, "--model", CHECKPOINTS / "plain-lstm.pt", command="spectrum")
    assert [block["gate"] for block in result["layers"]] == ["i", "f", "g", "o"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"seed: 1\n", "is no file of parameters: expected one of torch.save, safetensors"),
        (b"PK\x05\x06" + bytes(18), "is no file of parameters"),
        (b"\x93NUMPY\x01\x00", "must be an npz file of parameters"),
    ],
)
def test_a_file_of_another_kind_is_refused(content, expected, capsys, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(content)
    assert expected in refused(capsys, "--model", path)


def test_a_pipe_is_refused_and_not_waited_for(capsys, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is a device or a pipe" in refused(capsys, "--model", tmp_path / "pipe")


def test_a_file_is_known_by_its_content_whatever_it_is_called(capsys, tmp_path):
    (tmp_path / "weights.bin").write_bytes((CHECKPOINTS / "plain-lstm.pt").read_bytes())
    result = document(capsys, "--model", tmp_path / "weights.bin")
    assert result["experiment"]["model"]["cell"] == "lstm"


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
@pytest.mark.parametrize("options", [["--cell", "gru", "--layers", "2"], ["--model", None]])
def test_a_saved_model_gives_the_same_result_again(suffix, options, capsys, tmp_path, batch):
    if suffix == "safetensors":
        pytest.importorskip("safetensors")
    reference = np.load(CHECKPOINTS / "bfloat16-gru.npz")
    data = ["--data", batch(x=reference["x"], y=reference["y"])]
    path = tmp_path / f"model.{suffix}"
    options = [option or CHECKPOINTS / "bfloat16-gru.pt" for option in options]
    first = document(capsys, *options, *data, "--save-model", path)
    again = document(capsys, "--model", path, *data)
    assert again["loss"] == first["loss"]
    assert again["timesteps"] == first["timesteps"]
    assert again["experiment"]["model"]["cell"] == "gru"
    assert run(capsys, "--model", path)[1].splitlines()[0].split(" · ")[-2] == path.name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--save-model", "model.pt"], "must end in .npz or .safetensors, got 'model.pt'"),
        (["--save-model", "none/a.npz"], "must be in a folder that exists"),
        (["--save-model", "a.npz", "--save-arrays", "a.npz"], "must be another file than"),
        (["--save-model", "a.npz", "--sweep", "seed=1,2"], "must not stand with --sweep"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_the_run(
    options, expected, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert expected in refused(capsys, *options)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["plain-lstm.pt", "legacy-tanh.pt", "safetensors-lstm.safetensors", "relu.npz"]
)
@given(edits=EDITS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_gives_a_result_or_one_line(name, edits, capsys, tmp_path):
    """Within 16 MB, whatever sizes the damage claims."""
    needs(Path(name))
    if name == "relu.npz":
        rng = np.random.default_rng(0)
        np.savez(
            tmp_path / name,
            weight_ih_l0=rng.normal(size=(4, 2)),
            weight_hh_l0=rng.normal(size=(4, 4)),
        )
        whole = tmp_path / name
    else:
        whole = CHECKPOINTS / name
    path = tmp_path / "model"
    path.write_bytes(damaged(whole.read_bytes(), edits))
    tracemalloc.start()
    code, out, err = run(capsys, "--quiet", "--model", path, "--steps", "5")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code in (0, 2) or (code == 1 and "undefined" in err)
    assert (out == "") == (code != 0)
    assert err.count("\n") == (code != 0)
    assert peak < 16 << 20
