"""``bptt grad-norms`` as its users run it."""

import json
import math

import numpy as np
import pytest

from bpttcli.cli.main import main

SCALAR = ["--cell", "linear", "--task", "constant", "--steps"]


def run(capsys, *arguments):
    status = main(["grad-norms", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def document(capsys, *arguments):
    status, out, _ = run(capsys, *arguments, "--format", "json")
    assert status == 0
    return json.loads(out, parse_constant=pytest.fail)


def scalar(a, b, *more):
    """A scalar linear network without biases."""
    parameters = f"{{weight_ih_l0: [[{a}]], weight_hh_l0: [[{b}]]}}"
    return ["--cell", "linear", "--set", f"model.parameters={parameters}", *more]


def test_the_round_case_of_a_scalar_linear_network(capsys):
    """h_T = (1 − b^T)/(1 − b): L = 100, and the gradients 200, 2000 and 200."""
    result = document(capsys, "scalar-linear")
    assert result["loss"] == pytest.approx(100, rel=1e-12)
    wanted = {"weight_ih_l0": 200, "weight_hh_l0": 2000, "readout.weight": 200}
    for name, norm in wanted.items():
        assert result["parameters"][name]["norm"] == pytest.approx(norm, rel=1e-12)
    assert result["growth_per_step"] == pytest.approx(0.9, rel=1e-12)
    assert result["half_life"] == pytest.approx(math.log(0.5) / math.log(0.9), rel=1e-12)
    assert (result["horizon"], result["horizon_is_bound"]) == (43, False)
    first, last = result["timesteps"][0], result["timesteps"][-1]
    ratio = first["hidden_log10"] - last["hidden_log10"]
    assert ratio == pytest.approx(999 * math.log10(0.9), rel=1e-12)


@pytest.mark.parametrize(("b", "log10"), [(0.1, -999), (10, 999), (1e-20, -19980), (1e100, 99900)])
def test_a_norm_does_not_end_where_float64_does(capsys, b, log10):
    result = document(
        capsys,
        *scalar(1, b, "--task", "constant", "--steps", "1000"),
        *("--set", "task.input=0", "--loss", "probe", "--set", "loss.vector=[1]"),
    )
    assert result["timesteps"][0]["hidden_log10"] == pytest.approx(log10, abs=1e-9)
    assert result["warnings"] == []
    assert result["verdict"]["name"] == ("exploding" if log10 > 0 else "vanishing")


def test_what_the_forward_pass_loses_is_null_and_named_and_the_adjoints_stay_exact(capsys):
    result = document(
        capsys,
        *scalar(1, 10, "--task", "constant", "--steps", "1000"),
        *("--loss", "probe", "--set", "loss.vector=[1]"),
    )
    assert result["loss"] is None
    assert "step 310" in result["warnings"][0]
    assert result["timesteps"][0]["hidden_log10"] == pytest.approx(999, abs=1e-9)


def test_a_detached_recipe_is_not_the_gradient(capsys):
    """w = 0.2, h_0 = 0.9, no input, ℓ = h_3: ∂ℓ/∂w = 3 w² h_0 = 0.108, not 0.288."""
    result = document(
        capsys,
        *scalar(0, 0.2, "--task", "data", "--set", "task.x=[0, 0, 0]", "--set", "task.h0=[[0.9]]"),
        *("--loss", "probe", "--set", "loss.vector=[1]"),
    )
    assert result["loss"] == pytest.approx(0.2**3 * 0.9, rel=1e-12)
    assert result["parameters"]["weight_hh_l0"]["norm"] == pytest.approx(0.108, rel=1e-12)


def test_the_chain_rule_does_not_stop_after_one_step(capsys, tmp_path):
    """A = 5, B = 4, h_0 = 7, x = [2, 3], ℓ = h_2: 11, 66, 5 and 16."""
    arrays = tmp_path / "arrays.npz"
    parameters = "{weight_ih_l0: [[5]], weight_hh_l0: [[4]], bias_ih_l0: [0]}"
    document(
        capsys,
        *("--cell", "linear", "--set", f"model.parameters={parameters}"),
        *("--task", "data", "--set", "task.x=[2, 3]", "--set", "task.h0=[[7]]"),
        *("--loss", "probe", "--set", "loss.vector=[1]", "--save-arrays", str(arrays)),
    )
    saved = np.load(arrays)
    found = [saved[f"grad/{name}"].item() for name in ("weight_ih_l0", "weight_hh_l0")]
    assert [*found, saved["grad/bias_ih_l0"].item(), saved["grad/h0"].item()] == [11, 66, 5, 16]


def test_silent_growth_is_seen(capsys):
    """B = 1.5·1, relu, positive states: 99 log10 1.5 at lag 99."""
    ones = "[[1],[1]]"
    parameters = f"{{weight_ih_l0: {ones}, weight_hh_l0: [[1.5,0],[0,1.5]]}}"
    result = document(
        capsys,
        *("--cell", "relu", "--set", f"model.parameters={parameters}"),
        *("--task", "constant", "--steps", "100", "--loss", "probe"),
    )
    first, last = result["timesteps"][0], result["timesteps"][-1]
    assert first["hidden_log10"] - last["hidden_log10"] == pytest.approx(17.433, abs=1e-3)


def test_dead_units_are_a_cut_and_not_a_decay(capsys):
    parameters = "{weight_ih_l0: [[1]], weight_hh_l0: [[1]]}"
    result = document(
        capsys,
        *("--cell", "relu", "--set", f"model.parameters={parameters}", "--task", "data"),
        *("--set", "task.x=[1, 1, -9, 1, 1]", "--loss", "probe", "--set", "loss.vector=[1]"),
    )
    assert result["verdict"]["name"] == "vanishing"
    assert result["verdict"]["zero_beyond_lag"] == 2
    assert "dead" in result["verdict"]["cause"]


def test_two_runs_print_the_same_bytes(capsys):
    assert run(capsys, "--steps", "60")[1] == run(capsys, "--steps", "60")[1]


def test_the_experiment_of_a_result_gives_the_result_again(capsys, tmp_path):
    first = document(capsys, "--steps", "30", "--batch", "3", "--cell", "gru", "--seed", "5")
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(first["experiment"]))
    assert document(capsys, str(again)) == first


def test_every_step_is_in_the_machine_formats(capsys):
    _, table, _ = run(capsys, "--steps", "200")
    assert table.count("\n") < 60
    assert len(document(capsys, "--steps", "200")["timesteps"]) == 200
    for form in ("csv", "jsonl"):
        _, out, _ = run(capsys, "--steps", "200", "--format", form)
        assert len(out.splitlines()) == 200 + (form == "csv")


def test_a_loss_at_every_step_shows_how_far_the_last_one_reaches(capsys):
    result = document(capsys, "--task", "sine", "--steps", "50")
    first, last = result["timesteps"][0], result["timesteps"][-1]
    assert last["propagated"] == pytest.approx(last["hidden"], rel=1e-15)
    assert first["propagated"] < first["hidden"]


@pytest.mark.parametrize("task", ["adding", "copy", "temporal-order", "text", "sunspots"])
def test_the_baseline_stands_beside_the_loss_of_the_task_alone(capsys, task):
    assert document(capsys, "--task", task)["baseline"] > 0
    assert document(capsys, "--task", task, "--loss", "probe")["baseline"] is None


def test_the_lstms_cell_state_stands_beside_its_hidden_state(capsys):
    """All weights zero and forget bias β: ∂ℓ/∂c falls by σ(β) a step."""
    zero = "weight_ih_l0: [[0],[0],[0],[0]], weight_hh_l0: [[0],[0],[0],[0]]"
    parameters = f"{{{zero}, bias_ih_l0: [0, 1, 0, 0], bias_hh_l0: [0, 1, 0, 0]}}"
    result = document(
        capsys,
        *("--cell", "lstm", "--set", f"model.parameters={parameters}", "--task", "constant"),
        *("--steps", "51", "--loss", "probe", "--set", "loss.vector=[1]"),
    )
    cell = [step["cell"] for step in result["timesteps"]]
    assert cell[0] / cell[-1] == pytest.approx((1 / (1 + math.exp(-2))) ** 50, rel=1e-12)
    assert set(result["spectral_radius"][0]) == {"i", "f", "g", "o"}
