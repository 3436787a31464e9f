"""Whatever is wrong is said in one plain line, with exit status 2, and nothing is written."""

import pickle

import numpy as np
import pytest

from bpttcli.cli.main import main

OPTIONS = [
    (["--steps", "0"], "--steps: task.steps must be an integer of at least 1, got 0"),
    (["--steps", "ten"], "--steps: task.steps must be an integer of at least 1"),
    (["--steps", "1e999"], "--steps"),
    (["--batch", "-3"], "--batch"),
    (["--hidden", "0"], "--hidden"),
    (["--layers", "1.5"], "--layers"),
    (["--cell", "tanhh"], "did you mean 'tanh'"),
    (["--task", "ading"], "did you mean 'adding'"),
    (["--init", "xavier"], "--init"),
    (["--gain", "nan"], "--gain"),
    (["--gain", "0"], "--gain"),
    (["--loss", "l2"], "--loss"),
    (["--loss-at", "first"], "--loss-at"),
    (["--loss", "cross_entropy"], "mse"),
    (["--task", "noise", "--loss", "mse"], "the sequences have no targets"),
    (["--loss-at", "every"], "must be last"),
    (["--seed", "-1"], "--seed"),
    (["--set", "task.stepz=3"], "did you mean 'steps'"),
    (["--set", "steps"], "KEY=VALUE"),
    (["--set", "report.epsilon=2"], "report.epsilon"),
    (["--format", "xml"], "known: table, json"),
    (["--every", "0"], "--every must be an integer of at least 1"),
    (["--every", "2.5"], "--every must be an integer of at least 1"),
    (["--every", ""], "--every must be an integer of at least 1, got ''"),
    (["--stepz", "3"], "--steps"),
    (["no-such-experiment"], "neither a file nor a bundled experiment"),
    (["--model", "missing.npz"], "missing.npz"),
    (["--data", "missing.npz"], "missing.npz"),
    (["--text", "missing.txt"], "missing.txt"),
    (["--output", "no/such/folder/out"], "must be in a folder that exists"),
    (["--save-arrays", "no/such/folder/out"], "must be in a folder that exists"),
    (["--output", "."], "must be a file"),
    (["--output", "out", "--save-arrays", "./out"], "must be another file than --output"),
    (["--hidden", "1000000000"], "--hidden: model.hidden must be smaller"),
    (["--layers", "1000000000"], "--layers: model.layers must be smaller"),
    (["--data", ""], "--data: task.file must be a path"),
    (["--text", ""], "--text: task.file must be a path"),
    (["--model", ""], "--model: model.file must be a path"),
    (["--text", "a", "--data", "b"], "--text"),
    (["--batch-first"], "--batch-first: task.batch_first is not a key of this task"),
    (["--steps"], "option '--steps' requires an argument (see bptt grad-norms --help)"),
    (["--quiet=3"], "option '--quiet' does not take a value"),
    (["-7"], "an argument like it stands after --"),
    (["--", "-7"], "neither a file nor a bundled experiment named '-7'"),
    (["adding", "text"], "unexpected extra argument"),
    (["--set", "loss.vector=[1, 2]"], "loss.vector"),
    (["--task", "copy", "--steps", "5"], "at least 21"),
]


def refused(capsys, arguments):
    """The one line that a refusal prints."""
    assert main(["grad-norms", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("bptt: ")
    return line


@pytest.mark.parametrize(("arguments", "said"), OPTIONS, ids=lambda value: str(value)[:40])
def test_a_wrong_option_is_refused(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, arguments)
    assert list(tmp_path.iterdir()) == []


def model(**changed):
    parameters = {"weight_ih_l0": np.ones((4, 2)), "weight_hh_l0": np.eye(4)} | changed
    return {name: value for name, value in parameters.items() if value is not None}


X = np.ones((5, 2, 3))
ARRAYS = [
    ("--model", model(weight_hh_l0=np.ones((4, 3))), "weight_hh_l0"),
    ("--model", model(weight_ih_l0=np.ones((3, 2))), "weight_ih_l0"),
    ("--model", model(weight_hh_l0=None), "without weight_hh_l0"),
    ("--model", model(weight_hh_lo=np.eye(4)), "did you mean 'weight_hh_l0'"),
    ("--model", model(weight_hh_l0=np.full((4, 4), np.nan)), "finite"),
    ("--model", model(weight_hh_l0=np.eye(4) * 1j), "complex128"),
    ("--model", model(bias_ih_l0=np.ones(3)), "bias_ih_l0"),
    ("--data", {"x": np.ones(5)}, "x"),
    ("--data", {"x": X, "y": np.ones((4, 2))}, "y"),
    ("--data", {"x": np.where(X > 0, np.inf, 0)}, "finite"),
    (
        "--data",
        {"x": X, "mask": np.zeros((5, 2), dtype=bool), "y": np.ones((5, 2))},
        "at least one",
    ),
    ("--data", {"x": X, "h0": np.ones((1, 2, 7))}, "h0"),
    ("--data", {"X": X}, "known: x, y"),
    ("--data", {"x": np.array([[{}]], dtype=object)}, "never unpickled"),
    ("--data", {"x": X[:0]}, "x"),
]


@pytest.mark.parametrize(("option", "arrays", "said"), ARRAYS, ids=lambda value: str(value)[:30])
def test_arrays_that_contradict_each_other_are_refused(option, arrays, said, capsys, tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, **arrays)
    assert said in refused(capsys, [option, str(path)])


@pytest.mark.parametrize("option", ["--model", "--data"])
@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"PK\x03\x04nonsense", pickle.dumps([1]), bytes(range(256))]
)
def test_a_file_that_is_not_what_it_should_be_is_refused(option, content, capsys, tmp_path):
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    assert "file.npz" in refused(capsys, [option, str(path)])


def test_text_in_a_csv_is_refused_with_its_place(capsys, tmp_path):
    path = tmp_path / "series.csv"
    path.write_text("x,y\n1,2\n3,four\n")
    assert "four" in refused(capsys, ["--data", str(path)])


def test_of_several_errors_in_one_file_the_first_three_are_said(capsys, tmp_path):
    path = tmp_path / "[bold]x[/].yaml"
    path.parent.mkdir()
    path.write_text("seed: -1\ntask: {steps: 0}\nmodel: {hidden: x}\nlosss: 1\n")
    assert main(["grad-norms", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"bptt: {path}:1: seed must be")
    assert lines[-1] == "bptt: and 1 more"


def test_a_model_is_not_contradicted(capsys, tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, **model())
    assert "must be 4" in refused(capsys, ["--model", str(path), "--hidden", "5"])
    assert main(["grad-norms", "--model", str(path), "--hidden", "4"]) == 0


def test_a_pre_activation_that_is_no_number_fails_the_run(capsys):
    parameters = "{weight_ih_l0: [[1],[1]], weight_hh_l0: [[1e308,1e308],[1e308,-1e308]]}"
    arguments = ["--cell", "relu", "--set", f"model.parameters={parameters}", "--task", "constant"]
    assert main(["grad-norms", *arguments, "--loss", "probe"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "note:" not in line]
    assert "undefined from step" in line
