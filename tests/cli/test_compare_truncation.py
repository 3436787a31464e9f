"""``bptt compare-truncation`` as its users run it."""

import csv
import io
import json

import numpy as np
import pytest

from bpttcli.cli.main import main

SMALL = ["--hidden", "6", "--steps", "30", "--draws", "10"]


def run(capsys, *arguments):
    status = main(["compare-truncation", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def document(capsys, *arguments):
    status, out, _ = run(capsys, *arguments, "--format", "json")
    assert status == 0
    return json.loads(out, parse_constant=pytest.fail)


def row(result, estimator, parameter="B"):
    (found,) = (
        each
        for each in result["estimators"]
        if (each["estimator"], each["parameter"]) == (estimator, parameter)
    )
    return found


@pytest.fixture(scope="module")
def shipped():
    """The bundled experiment, with the loss at every step and at the last."""
    import contextlib

    found = []
    for more in ([], ["--loss-at", "last"]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            arguments = ["truncation-bias-variance", *more, "--format", "json", "--quiet"]
            assert main(["compare-truncation", *arguments]) == 0
        found.append(json.loads(out.getvalue()))
    return found


def test_the_bundled_experiment_has_the_figures_of_its_comment(shipped):
    every, last = shipped
    assert row(every, "fixed(20)")["relative_bias"] == pytest.approx(0.3925570, abs=5e-8)
    assert row(every, "sliding(20)")["relative_bias"] == pytest.approx(0.1203554, abs=5e-8)
    for p, limit in ((0.02, 0.1525), (0.05, 0.3103), (0.1, 0.4737)):
        bias = row(every, f"unreweighted({p})")["relative_bias"]
        assert limit - 0.003 < bias < limit + 5e-5
    for p, std in ((0.02, 0.308697), (0.05, 0.537853), (0.1, 0.948683)):
        assert row(last, f"randomized({p})")["relative_std"] == pytest.approx(std, abs=1e-6)
        # Spread over all steps, the variance is (1 + b)/((1 − b) T) of that.
        wanted = std * np.sqrt(19 / 2000)
        assert row(every, f"randomized({p})")["relative_std"] == pytest.approx(wanted, rel=0.02)
    assert row(last, "randomized(0.2)")["relative_std"] > 1e5


KEYS = [
    "estimator", "parameter", "relative_bias", "relative_std", "relative_rmse", "cosine",
    "norm_ratio", "relative_bias_se", "relative_std_se", "relative_rmse_se", "cosine_se",
    "norm_ratio_se", "exact", "variance", "rmse_at_equal_cost", "edges_kept", "cost", "seconds",
    "peak_bytes", "draws", "adjoint", "adjoint_log10",
]  # fmt: skip


def test_influence_balancing_turns_round_between_40_and_41_steps(capsys):
    """From zero the state takes some hundred steps to stand still."""
    arguments = ["influence-balancing", "--per-layer", "--steps", "1000", "--draws", "2"]
    few = ["--set", "compare.lags=50", "--set", "compare.exact_variance=false"]
    result = document(capsys, *arguments, *few)
    cosines = {
        length: row(result, f"sliding({length})", "weight_ih_l0")["cosine"]
        for length in (10, 40, 41)
    }
    assert cosines == pytest.approx({10: -1.0, 40: -1.0, 41: 1.0}, rel=1e-12)
    assert row(result, "fixed(41)", "weight_ih_l0")["cosine"] == pytest.approx(-1, rel=1e-12)
    assert row(result, "sliding(10)", "all")["cosine"] > 0
    assert result["summary"][-1].startswith("The mean of sliding(40), ")
    assert result["summary"][-1].endswith("points the wrong way for weight_ih_l0, weight_hh_l0.")


def test_the_document_has_the_keys_of_the_contract(capsys):
    result = document(capsys, *SMALL)
    assert list(result) == [
        "command", "version", "experiment", "loss", "baseline", "warnings", "summary",
        "spectral_radius", "adjoint", "adjoint_log10", "estimators", "lag_profile", "target",
        "clip",
    ]  # fmt: skip
    assert result["command"] == "compare-truncation"
    for each in result["estimators"]:
        assert list(each) == KEYS
        assert len(each["adjoint"]) == len(result["adjoint"]) == 30
    assert list(result["lag_profile"][0])[:4] == ["lag", "all_norm", "all_share", "all_bias"]
    assert len(result["lag_profile"]) == 30
    assert (result["target"], result["clip"]) == (None, None)
    groups = {each["parameter"] for each in result["estimators"]}
    assert groups == {"all", "A", "B", "C", "biases"}
    labels = {each["estimator"] for each in result["estimators"]}
    assert labels == {
        "full", "fixed(10)", "sliding(10)", "fixed(50)", "sliding(50)", "randomized(0.5)",
        "unreweighted(0.5)", "randomized(0.05)", "unreweighted(0.05)", "artbp(6,16)",
    }  # fmt: skip


def test_what_ran_can_be_run_again_from_the_document(capsys, tmp_path):
    import yaml

    first = document(capsys, *SMALL, "--lengths", "3", "--probabilities", "0.25", "--task", "sine")
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(first["experiment"]), encoding="utf-8")
    again = document(capsys, str(tmp_path / "again.yaml"))
    for result in (first, again):
        for each in result["estimators"]:
            each.pop("seconds")
    assert again == first


def test_workers_change_nothing(capsys):
    one = document(capsys, *SMALL, "--task", "sine", "--draws", "60")
    two = document(capsys, *SMALL, "--task", "sine", "--draws", "60", "--workers", "3")
    for result in (one, two):
        for each in result["estimators"]:
            each.pop("seconds")
    assert one == two


def test_the_experiments_own_truncation_is_compared_too(capsys):
    result = document(capsys, *SMALL, "--truncation", "random-length", "--set",
                      "truncation.mean_length=8")  # fmt: skip
    assert row(result, "random-length(8)")["variance"] == "exact: loss at one step"


def test_csv_has_a_row_for_every_group_of_every_estimator(capsys):
    status, out, _ = run(capsys, *SMALL, "--lengths", "5", "--probabilities", "0.1", "--format",
                         "csv")  # fmt: skip
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == KEYS[:-2]
    assert len(rows) == 6 * 5
    assert rows[0]["exact"].split() == [
        "relative_bias", "cosine", "norm_ratio", "relative_std", "relative_rmse",
    ]  # fmt: skip


def test_parameters_of_each_layer_on_demand(capsys):
    result = document(capsys, *SMALL, "--layers", "2", "--per-layer", "--lengths", "4")
    assert row(result, "fixed(4)", "weight_hh_l1")["relative_bias"] > 0
    assert row(result, "fixed(4)", "readout.weight")["relative_bias"] == 0


def test_a_target_names_the_cheapest_within_it(capsys):
    result = document(capsys, *SMALL, "--target-bias", "0.2", "--task", "sine")
    target = result["target"]
    assert target["sliding_bias"] <= 0.2
    assert target["fixed_bias"] <= 0.2
    assert target["fixed"] >= target["sliding"]
    assert target["probability_exact"] is True
    lengths = f"{target['sliding']},{target['sliding'] - 1}"
    again = document(capsys, *SMALL, "--lengths", lengths, "--task", "sine")
    bias = row(again, f"sliding({target['sliding']})", "all")["relative_bias"]
    assert bias == pytest.approx(target["sliding_bias"], rel=1e-9)
    assert row(again, f"sliding({target['sliding'] - 1})", "all")["relative_bias"] > 0.2


def test_what_a_target_asks_for_is_compared_too(capsys):
    result = document(capsys, *SMALL, "--target-bias", "0.2", "--task", "sine")
    target = result["target"]
    for label in (f"sliding({target['sliding']})", f"fixed({target['fixed']})"):
        assert row(result, label, "all")["relative_rmse"] <= 0.2
    (kept,) = {
        each["estimator"]
        for each in result["estimators"]
        if each["estimator"].startswith("randomized(")
        and each["estimator"] not in ("randomized(0.5)", "randomized(0.05)")
    }
    assert 0 <= target["probability"] - float(kept[11:-1]) <= 0.01 * target["probability"]
    assert 0.9 * 0.2 < row(result, kept, "all")["relative_std"] <= 0.2
    assert "is the cheapest within 20%" in result["summary"][1]


def test_probabilities_that_differ_in_the_last_digits_are_two(capsys):
    result = document(capsys, *SMALL, "--probabilities", "0.1234567,0.1234568")
    labels = {each["estimator"] for each in result["estimators"]}
    assert {"randomized(0.1234567)", "unreweighted(0.1234568)"} <= labels


def test_an_overflow_of_the_forward_pass_is_a_note_and_never_a_warning_of_numpy(capsys):
    grown = ["--cell", "linear", "--gain", "20", "--steps", "400", "--hidden", "4"]
    status, out, err = run(capsys, *grown, "--draws", "2")
    assert status == 0
    assert "nothing to compare with" in out
    (line,) = err.splitlines()
    assert line.startswith("bptt: note: the forward state leaves the range of float64 at step ")


@pytest.mark.parametrize("steps", ["1", "2"])
@pytest.mark.parametrize("more", [[], ["--loss-at", "last"], ["--loss", "probe"]])
def test_the_shortest_sequences_have_a_report_too(capsys, steps, more):
    status, out, err = run(
        capsys, "--steps", steps, "--task", "sine", "--hidden", "3", "--draws", "2", *more,
        "--target-bias", "0.1", "--clip-norm", "0.1",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "nan" not in out


def test_clipping_is_watched_over_draws_and_batches(capsys):
    result = document(capsys, *SMALL, "--clip-norm", "1", "--set", "compare.batches=7")
    by_label = {each["estimator"]: each for each in result["clip"]}
    assert by_label["batches"]["estimates"] == 7
    assert by_label["randomized(0.5)"]["estimates"] == 10
    assert by_label["full"]["clipped_norm_mean"] == pytest.approx(1, rel=1e-12)
    assert by_label["full"]["fired"] == 1
    assert by_label["batches"]["norm_max"] >= by_label["batches"]["norm_mean"] > 1


def test_arrays_hold_the_lag_profile_and_the_adjoints(capsys, tmp_path):
    path = tmp_path / "arrays.npz"
    result = document(capsys, *SMALL, "--lengths", "4", "--save-arrays", str(path))
    with np.load(path) as arrays:
        assert set(arrays) >= {"grad/weight_hh_l0", "adjoint/fixed(4)", "lag/share/all"}
        np.testing.assert_array_equal(arrays["adjoint/full"], result["adjoint"])
        shares = [each["all_share"] for each in result["lag_profile"]]
        np.testing.assert_array_equal(arrays["lag/share/all"], shares)
        assert shares[-1] == pytest.approx(1, rel=1e-12)


def test_a_table_says_what_matters_first(capsys):
    status, out, err = run(capsys, *SMALL, "--lengths", "5", "--probabilities", "0.1")
    assert (status, err) == (0, "")
    assert "Says  fixed(5) keeps " in out
    assert "Which steps keep their gradient" in out
    assert "The gradient by lag" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--lengths", "0"],
            "--lengths: compare.lengths must be a list of integers of at least 1, got [0]",
        ),
        (
            ["--lengths", "2.5"],
            "--lengths: compare.lengths must be a list of integers of at least 1, got [2.5]",
        ),
        (
            ["--lengths", "ten"],
            "--lengths: compare.lengths must be a list of integers of at least 1, got ['ten']",
        ),
        (
            ["--lengths", "5,"],
            "--lengths: compare.lengths must be a list of integers of at least 1, got [5",
        ),
        (
            ["--probabilities", "1"],
            "compare.probabilities must be a list of numbers of at least 0 and below 1, got [1]",
        ),
        (
            ["--probabilities", "-0.1"],
            "--probabilities: compare.probabilities must be a list of numbers of at least 0",
        ),
        (["--draws", "1"], "--draws: compare.draws must be an integer of at least 2, got 1"),
        (
            ["--target-bias", "0"],
            "--target-bias: compare.target_bias must be a number above 0, got 0",
        ),
        (["--workers", "0"], "--workers must be an integer of at least 1, got '0'"),
        (["--truncation", "fixd"], "did you mean 'fixed'"),
        (
            ["--length", "0", "--truncation", "fixed"],
            "--length: truncation.length must be an integer of at least 1",
        ),
        (["--length", "5"], "must stand with truncation.name: fixed or sliding, not with full"),
        (
            ["--truncation", "randomized", "--probability", "1"],
            "--probability: truncation.probability must be a number",
        ),
        (["--clip-norm", "0"], "--clip-norm: clip.norm must be a number above 0, got 0"),
    ],
)
def test_wrong_inputs_are_refused_in_one_line(capsys, arguments, says):
    status, out, err = run(capsys, *SMALL[:4], *arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
