"""``bptt spectrum`` as its users run it."""

import json
import math

import numpy as np
import pytest

from bpttcli.cli.main import main

SMALL = ["--hidden", "6", "--steps", "40"]


def run(capsys, *arguments):
    status = main(["spectrum", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def document(capsys, *arguments):
    status, out, _ = run(capsys, *arguments, "--format", "json")
    assert status == 0
    return json.loads(out, parse_constant=pytest.fail)


@pytest.fixture
def matrix(tmp_path):
    """Write a matrix to a file and give its name."""

    def write(B, name="B.npy"):
        np.save(tmp_path / name, B)
        return str(tmp_path / name)

    return write


def power(result, k):
    return next(row for row in result["layers"][0]["powers"] if row["k"] == k)


@pytest.mark.parametrize("suffix", ["npy", "csv"])
def test_a_bare_matrix_grows_before_it_decays(capsys, tmp_path, matrix, suffix):
    path = matrix(np.array([[0.9, 10.0], [0.0, 0.9]]))
    if suffix == "csv":
        path = str(tmp_path / "B.csv")
        (tmp_path / "B.csv").write_text("0.9,10\n0,0.9\n")
    result = document(capsys, "--matrix", path)
    (layer,) = result["layers"]
    assert layer["spectral_radius"] == 0.9
    assert layer["transient_growth"]["k"] == 9
    assert power(result, 10)["norm_k"] == pytest.approx(38.745186751815)
    assert power(result, 100)["norm_k"] == pytest.approx(0.0295, rel=1e-3)
    assert result["trajectory"] is None
    assert result["experiment"] is None


@pytest.mark.parametrize(("b", "rho_100"), [(1.1, 1.378e4), (0.9, 2.656e-5)])
def test_a_hundredth_power_comes_out_as_it_should(capsys, matrix, b, rho_100):
    result = document(capsys, "--matrix", matrix(np.array([[b]])), "--powers", "100,1e6")
    assert power(result, 100)["rho_k"] == pytest.approx(rho_100, rel=1e-3)
    assert power(result, 10**6)["norm_k_log10"] == pytest.approx(1e6 * math.log10(b), rel=1e-12)


def test_leaky_units_count_with_their_effective_matrix(capsys, matrix):
    path = matrix(np.array([[0.0, -2.0], [2.0, 0.0]]))
    result = document(capsys, "--matrix", path, "--leak", "0.25")
    assert result["leak"] == 0.25
    assert result["spectral_radius"] == [pytest.approx(abs(0.75 + 0.5j))]


def test_a_leaky_network_is_its_matrix_alone_and_says_so(capsys):
    status, out, err = run(capsys, *SMALL, "--leak", "0.5", "--format", "json")
    result = json.loads(out)
    assert status == 0
    assert result["trajectory"] is None
    assert "no trajectory was followed" in err
    assert "no trajectory was followed" in result["warnings"][0]


def test_only_the_largest_values(capsys, matrix):
    B = np.random.default_rng(0).normal(size=(200, 200)) / math.sqrt(200)
    (layer,) = document(capsys, "--matrix", matrix(B), "--top", "3")["layers"]
    assert layer["residual"] <= 1e-6 * layer["spectral_norm"]
    assert layer["spectral_norm"] == pytest.approx(np.linalg.norm(B, 2), rel=1e-9)
    assert len(layer["eigenvalues"]) in (3, 4)
    assert layer["powers"] == []


def test_the_adjoint_is_that_of_grad_norms(capsys):
    arguments = [*SMALL, "--batch", "3", "--layers", "2", "--format", "json"]
    assert main(["grad-norms", *arguments]) == 0
    steps = json.loads(capsys.readouterr().out)["timesteps"]
    result = document(capsys, *arguments)
    trajectory = result["trajectory"]
    assert trajectory["adjoint"] == [step["hidden"] for step in steps]
    assert trajectory["adjoint_log10"] == [step["hidden_log10"] for step in steps]
    assert len(trajectory["lyapunov"]) == 12


def test_a_probe_lies_between_the_singular_values(capsys):
    result = document(capsys, *SMALL, "--gain", "2", "--loss", "probe", "--all")
    trajectory = result["trajectory"]
    for row in trajectory["jacobian"]:
        log10 = trajectory["adjoint_log10"][39 - row["lag"]]
        assert row["sigma_min_log10"] - 1e-9 <= log10 <= row["sigma_max_log10"] + 1e-9
    assert len(trajectory["jacobian"]) == 40


def test_the_jordan_block_of_the_shipped_experiment(capsys):
    """The adjoint k steps back is 0.9^(k−1) √(0.81 + k²)."""
    result = document(capsys, "jordan-transient")
    adjoint = np.array(result["trajectory"]["adjoint"][::-1])
    k = np.arange(400)
    np.testing.assert_allclose(adjoint, 0.9 ** (k - 1.0) * np.sqrt(0.81 + k**2), rtol=1e-10)
    assert (adjoint.argmax(), adjoint.max()) == (9, pytest.approx(3.893528, rel=1e-6))
    assert adjoint[100] == pytest.approx(2.951386e-3, rel=1e-6)
    assert result["layers"][0]["transient_growth"]["norm"] == pytest.approx(3.912567, rel=1e-6)
    lags = {row["lag"]: row["sigma_max_log10"] for row in result["trajectory"]["jacobian"]}
    for row in result["layers"][0]["powers"]:
        if row["k"] < 400:
            assert lags[row["k"]] == pytest.approx(row["norm_k_log10"], abs=1e-9)


def test_an_orthogonal_start_keeps_what_a_gaussian_one_loses(capsys):
    small = ["--hidden", "48", "--steps", "30"]
    orthogonal = document(capsys, "orthogonal-vs-gaussian", *small)
    np.testing.assert_allclose(orthogonal["trajectory"]["adjoint"], 1.0, rtol=1e-12)
    np.testing.assert_allclose(orthogonal["trajectory"]["lyapunov"], 0.0, atol=1e-12)
    assert orthogonal["rule"]["holds"] is True
    gaussian = document(capsys, "orthogonal-vs-gaussian", "--init", "gaussian", *small)
    assert power(gaussian, 10)["norm_k"] > 2
    assert gaussian["trajectory"]["jacobian"][-1]["sigma_median_log10"] < -2


def test_a_chaotic_network_left_alone_defies_the_textbook(capsys):
    small = ["--hidden", "60", "--steps", "600", "--lyapunov", "1"]
    result = document(capsys, "edge-of-chaos", "--gain", "3", *small)
    assert result["ln_spectral_radius"] > 0.9
    assert 0.15 < result["trajectory"]["lyapunov"][0] < 0.4
    assert "not the rate" in result["rule"]["sentence"]
    calm = document(capsys, "edge-of-chaos", *small, "--set", "model.init.spectral_radius=0.8")
    assert calm["trajectory"]["lyapunov"][0] == pytest.approx(math.log(0.8), abs=0.01)
    assert calm["rule"]["holds"] is True


def test_autonomous_replaces_the_input_of_any_experiment(capsys):
    result = document(capsys, *SMALL, "--autonomous", "--cell", "linear")
    assert result["experiment"]["task"]["name"] == "autonomous"
    again = document(capsys, *SMALL, "--autonomous", "--cell", "linear")
    assert again == result
    other = document(capsys, *SMALL, "--autonomous", "--cell", "linear", "--seed", "1")
    assert other["trajectory"] != result["trajectory"]


@pytest.mark.parametrize("cell", ["tanh", "relu", "lstm", "gru"])
def test_every_cell_has_a_trajectory(capsys, cell):
    result = document(capsys, *SMALL, "--cell", cell, "--layers", "2")
    states = 2 if cell == "lstm" else 1
    assert len(result["trajectory"]["lyapunov"]) == 12 * states
    assert (result["ln_spectral_radius"] is None) == (cell in ("lstm", "gru"))


@pytest.mark.parametrize(("asked", "count"), [("all", 6), ("0", 0), ("2", 2), ("6", 6)])
def test_the_number_of_exponents(capsys, asked, count):
    result = document(capsys, *SMALL, "--lyapunov", asked, "--transient", "7")
    assert len(result["trajectory"]["lyapunov"]) == count
    assert result["trajectory"]["transient"] == 7


def test_a_result_can_be_rerun_from_its_experiment(capsys, tmp_path):
    result = document(capsys, *SMALL, "--autonomous", "--gain", "1.5", "--seed", "3")
    path = tmp_path / "again.yaml"
    path.write_text(json.dumps(result["experiment"]))
    again = document(capsys, str(path))
    # The first time the loss had to be assumed.
    assert {**again, "warnings": result["warnings"]} == result


@pytest.mark.parametrize("form", ["table", "csv", "jsonl", "markdown"])
def test_every_format_is_written_and_the_same_twice(capsys, form):
    first, second = (run(capsys, *SMALL, "--format", form) for _ in range(2))
    assert first == second
    assert first[0] == 0
    assert "\x1b" not in first[1]


def test_a_picture_is_drawn_beside_the_result(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "spectrum.svg"
    status, out, _ = run(capsys, *SMALL, "--plot", str(path))
    assert status == 0
    assert "Lyapunov" in out
    assert path.read_bytes().startswith(b"<?xml")


WRONG = [
    (["--powers", "1,-1"], "--powers must be an integer from 0 to 1000000, got -1"),
    (["--powers", "1,2.5"], "--powers must be an integer"),
    (["--powers", "1,,2"], "--powers must be an integer"),
    (["--powers", "ten"], "--powers must be an integer from 0 to 1000000, got ten"),
    (["--powers", "1e7"], "--powers must be an integer"),
    (["--top", "0"], "--top must be an integer of at least 1, got '0'"),
    (["--top", "7"], "--top must be an integer from 1 to 6 (the size of the matrix), got 7"),
    (["--lyapunov", "7"], "--lyapunov must be an integer from 1 to 6 (all states), got 7"),
    (["--lyapunov", "-1"], "--lyapunov must be an integer of at least 0, got '-1'"),
    (["--lyapunov", "some"], "--lyapunov must be an integer of at least 0"),
    (["--transient", "40"], "--transient must be an integer from 0 to 39"),
    (["--transient", "-1"], "--transient must be an integer of at least 0, got '-1'"),
    (["--leak", "0"], "--leak must be above 0 and at most 1, got 0"),
    (["--leak", "x"], "--leak must be a number, got x"),
    (["--leak", "nan"], "--leak must be"),
    (["--leak", "0.5", "--cell", "gru"], "--leak must not be given: a gru cell has gates"),
    (["--plot", "B.gif"], "--plot must end in .png, .svg, .pdf, got B.gif"),
    (["--plot", "no/such/folder/B.png"], "--plot: must be in a folder that exists"),
    (["--autonomous", "--task", "noise"], "task.name"),
    (["--autonomous", "--loss", "mse"], "the sequences have no targets"),
    (["--lyapunovs", "3"], "--lyapunov"),
]


@pytest.mark.parametrize(("arguments", "complaint"), WRONG)
def test_a_wrong_option_is_one_plain_line(capsys, arguments, complaint):
    status, out, err = run(capsys, *SMALL, *arguments)
    assert (status, out) == (2, "")
    # What had to be assumed may stand before it.
    *notes, last = err.strip().splitlines()
    assert all(note.startswith("bptt: note: ") for note in notes)
    assert complaint in last


@pytest.mark.parametrize(
    ("B", "complaint"),
    [
        (np.zeros((2, 3)), "must be square with at least one row, got shape (2, 3)"),
        (np.zeros((0, 0)), "must be square with at least one row, got shape (0, 0)"),
        (np.zeros(3), "must be square with at least one row, got shape (3,)"),
        (np.array([[math.nan]]), "must be finite, got nan at row 1, column 1"),
        (np.array([[math.inf]]), "must be finite, got inf at row 1, column 1"),
        (np.eye(2, dtype=complex), "must hold real numbers, got type complex128"),
        (np.array([[None]]), "never unpickled"),
        (np.array([["a"]]), "must hold real numbers"),
    ],
)
def test_a_wrong_matrix_is_one_plain_line(capsys, matrix, B, complaint):
    status, out, err = run(capsys, "--matrix", matrix(B))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("bptt: --matrix ")
    assert complaint in err


@pytest.mark.parametrize(
    "beside",
    [["edge-of-chaos"], ["--steps", "9"], ["--autonomous"], ["--lyapunov", "2"], ["--hidden", "2"]],
)
def test_a_bare_matrix_stands_alone(capsys, matrix, beside):
    status, out, err = run(capsys, "--matrix", matrix(np.eye(2)), *beside)
    assert (status, out) == (2, "")
    assert f"--matrix stands alone: no network is needed, got {beside[0]}" in err


def test_help_fits_and_names_every_option(capsys):
    assert main(["spectrum", "--help"]) == 0
    out = capsys.readouterr().out
    for name in ("--matrix", "--leak", "--powers", "--top", "--full", "--autonomous"):
        assert name in out
