"""``--sweep``: experiments side by side in one command."""

import csv
import io
import json
import math
import sys

import pytest

from bpttcli.cli.main import main


def run(capsys, *arguments):
    status = main(["grad-norms", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def documents(capsys, *arguments):
    status, out, err = run(capsys, *arguments, "--format", "json")
    assert (status, err) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


CELLS = ("--sweep", "model.cell=tanh,gru,lstm", "--steps", "30")


def test_each_experiment_is_the_one_that_runs_alone(capsys):
    swept = documents(capsys, *CELLS)
    for document, cell in zip(swept, ("tanh", "gru", "lstm"), strict=True):
        assert document.pop("sweep") == {"model.cell": cell}
        assert document == documents(capsys, "--cell", cell, "--steps", "30")


def test_a_table_shows_them_in_80_columns(capsys):
    status, out, err = run(capsys, *CELLS)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "growth" in next(line for line in lines if line.startswith("cell"))
    assert [line.split()[:2] for line in lines if line.startswith("lag")] == [["lag", "tanh"]]


def test_rows_lead_with_the_key(capsys):
    _, out, _ = run(capsys, *CELLS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["model.cell"] for row in rows[::30]] == ["tanh", "gru", "lstm"]
    assert len(rows) == 90
    _, out, _ = run(capsys, *CELLS, "--format", "jsonl")
    assert [json.loads(line)["model.cell"] for line in out.splitlines()[::30]] == [
        "tanh",
        "gru",
        "lstm",
    ]


def test_standard_input_is_read_once_for_all_of_them(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("task: {steps: 7}"))
    for document in documents(capsys, "-", "--sweep", "seed=1,2", "--sweep", "model.hidden=3,4"):
        assert len(document["timesteps"]) == 7


def test_the_forget_bias_decides_how_far_an_lstm_reaches(capsys):
    """σ(β)^lag by its own path, and the horizon grows with it."""
    biases = [0, 1, 2, 5]
    sweep = f"model.init.forget_bias={','.join(map(str, biases))}"
    swept = documents(capsys, "forget-gate-bias", "--sweep", sweep)
    horizons = [document["horizon"] for document in swept]
    assert horizons == sorted(set(horizons))
    for bias, document in zip(biases, swept, strict=True):
        keep = 1 / (1 + math.exp(-bias))
        assert document["carry"] == pytest.approx(keep, rel=1e-12)
        assert document["gate_half_life"] == pytest.approx(
            math.log(0.5) / math.log(keep), rel=1e-12
        )
        logs = [step["carried_log10"] for step in document["timesteps"]]
        assert logs[0] - logs[-1] == pytest.approx(999 * math.log10(keep), rel=1e-12)
        assert document["growth_per_step"] == pytest.approx(keep, rel=1e-3)  # B adds 1/4000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.cell=tanh,lstn"], "--sweep: model.cell must be one of"),
        (["model.cell=tanh,gru", "--cell", "lstm"], "is 'tanh' here and 'lstm' by --cell"),
        (["model.init.forget_bias=1,2"], "a tanh cell has no gate that carries"),
        (["task.stepz=1"], "did you mean 'steps'"),
        (["task.steps=10,off"], "must be an integer of at least 1"),
        (["seed=1,2", "--explain"], "--explain must not stand with --sweep"),
        (["seed=1,2", "--save-arrays", "a.npz"], "--save-arrays must not stand with --sweep"),
    ],
)
def test_what_is_wrong_with_any_of_them_is_said_before_the_first_runs(capsys, arguments, message):
    status, out, err = run(capsys, "--sweep", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
