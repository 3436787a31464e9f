"""Gated cells as users of ``bptt grad-norms`` meet them."""

import json
import math

import numpy as np
import pytest

from bpttcli.cli.main import main


def document(capsys, *arguments):
    assert main(["grad-norms", *arguments, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out, parse_constant=pytest.fail)


def test_initial_cell_states_come_with_the_data_and_get_a_gradient(capsys, tmp_path):
    """All weights 0: ∂ℓ/∂c_0 = v ½ sech²(c_T) f^T, and a mask moves T."""
    c0, mask = np.array([[[0.4]]]), np.zeros((6, 1), dtype=bool)
    mask[3] = True
    np.savez(tmp_path / "data.npz", x=np.zeros((6, 1, 1)), h0=np.zeros((1, 1, 1)), c0=c0, mask=mask)
    zero = "weight_ih_l0: [[0],[0],[0],[0]], weight_hh_l0: [[0],[0],[0],[0]]"
    arrays = tmp_path / "arrays.npz"
    document(
        capsys,
        *("--cell", "lstm", "--set", f"model.parameters={{{zero}, bias_ih_l0: [0, 1, 0, 0]}}"),
        *("--data", str(tmp_path / "data.npz"), "--loss", "probe", "--set", "loss.vector=[1]"),
        *("--save-arrays", str(arrays)),
    )
    f = 1 / (1 + math.exp(-1))
    wanted = 0.5 / math.cosh(0.4 * f**4) ** 2 * f**4
    assert np.load(arrays)["grad/c0"].item() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(("cell", "gates"), [("lstm", "ifo"), ("gru", "rz")])
def test_every_layer_tells_what_its_gates_do_at_every_step(capsys, cell, gates):
    result = document(capsys, "--cell", cell, "--layers", "2", "--steps", "9")
    for layer in result["layers"]:
        for step in layer["timesteps"]:
            for gate in gates:
                assert 0 < step[f"gate_{gate}"] < 1
                assert step[f"gate_{gate}_saturated"] == 0
    assert 0.4 < result["carry"] < 0.6


@pytest.mark.parametrize(("cell", "whole"), [("lstm", "cell_propagated"), ("gru", "propagated")])
def test_the_own_path_is_all_there_is_at_the_loss_and_less_before(capsys, cell, whole):
    steps = document(capsys, "--cell", cell, "--task", "sine", "--steps", "30")["timesteps"]
    assert steps[-1]["carried"] == pytest.approx(steps[-1][whole], rel=1e-12)
    shares = [10 ** (step["carried_log10"] - step[f"{whole}_log10"]) for step in steps]
    assert shares[0] < 0.1 < shares[-2] < 1


def test_an_elman_cell_has_none_of_this(capsys):
    result = document(capsys, "--steps", "5")
    assert (result["carry"], result["gate_half_life"]) == (None, None)
    assert not {"carried", "cell", "gate_f"} & set(result["timesteps"][0])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_table_shows_the_way_back_before_the_contributions(capsys, cell):
    assert main(["grad-norms", "--cell", cell, "--steps", "30"]) == 0
    out = capsys.readouterr().out
    header = next(line for line in out.splitlines() if " lag " in line).split()
    names = {"lstm": ["‖g_t‖", "‖∂ℓ/∂c‖", "f"], "gru": ["‖g_t‖", "z"]}[cell]
    assert header == ["t", "lag", *names, "own", "sat.", "A", "B", "C", "log", "scale"]
    assert f"gate {names[-1]} keeps" in out


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["model.init.forget_bias=1", "model.init.chrono=9"], "must not stand beside"),
        (["model.init.chrono=1.5"], "must be a number of at least 2"),
        (["model.init.forget_bias=.nan"], "which is not a finite number"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused_in_one_line(capsys, sets, message):
    assert (
        main(["grad-norms", "--cell", "gru", *(part for s in sets for part in ("--set", s))]) == 2
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
