"""``bptt grad-norms`` under a truncation and clipping, as its users run it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from bpttcli.cli.main import main

FILES = sorted((Path(__file__).parents[1] / "reference").glob("*.npz"))
# Without input, from h_0 = 0.9: h_t = 0.2^t · 0.9, and ℓ = h_3.
DETACHED = (
    "--cell linear --loss probe --set loss.vector=[1] --task data --set task.x=[0,0,0] "
    "--set task.h0=[[0.9]]"
).split()
DETACHED += ["--set", "model.parameters={weight_ih_l0: [[0]], weight_hh_l0: [[0.2]]}"]
SMALL = "--hidden 5 --steps 12 --batch 3".split()


def run(capsys, *arguments):
    status = main(["grad-norms", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def document(capsys, *arguments):
    status, out, err = run(capsys, *arguments, "--format", "json")
    assert (status, err) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


def saved(capsys, tmp_path, *arguments):
    """The document, and the arrays of the same run."""
    path = tmp_path / "arrays.npz"
    found = document(capsys, *arguments, "--save-arrays", str(path))
    with np.load(path) as arrays:
        return found, dict(arrays)


def truncation(name, length=None):
    return ["--truncation", name, *([] if length is None else ["--length", str(length)])]


def relative(found, wanted):
    return np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-300)


@pytest.mark.parametrize("length", [1, 5, 12])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_fixed_segments_have_the_gradient_of_automatic_differentiation(
    path, length, tmp_path, capsys
):
    """The bar is 1e-11 relative; rounding alone leaves 1e-13."""
    reference = np.load(path)
    cell, _, loss, at = path.stem.split("-")
    names = [name for name in reference.files if name.startswith("param/")]
    np.savez(tmp_path / "model.npz", **{name[6:]: reference[name] for name in names})
    np.savez(tmp_path / "data.npz", **{name: reference[name] for name in ("x", "y", "h0")})
    arguments = ["--cell", cell, "--loss", loss, "--loss-at", at, *truncation("fixed", length)]
    for option in ("model", "data"):
        arguments += [f"--{option}", str(tmp_path / f"{option}.npz")]
    found, arrays = saved(capsys, tmp_path, *arguments)
    prefix = f"trunc{length}/"
    compared = [name for name in reference.files if name.startswith(prefix)]
    assert len(compared) == len(names)
    for name in compared:
        wanted = reference[name]
        assert relative(arrays[name.removeprefix(prefix)], wanted) < 1e-13, name
        norm = found["parameters"][name.removeprefix(f"{prefix}grad/")]["norm"]
        assert norm == pytest.approx(np.linalg.norm(wanted), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("name", "length", "gradient"),
    [
        ("sliding", 1, 0.036), ("sliding", 2, 0.072), ("sliding", 3, 0.108),
        ("fixed", 1, 0.036), ("fixed", 2, 0.036), ("fixed", 3, 0.108),
    ],
)  # fmt: skip
def test_a_window_that_slides_is_no_segment(name, length, gradient, capsys):
    """w_k = w² h_0 for each of three lags; with fixed(2) step 3 stands alone in its segment."""
    found = document(capsys, *DETACHED, *truncation(name, length))
    norm = found["parameters"]["weight_hh_l0"]["norm"]
    assert norm == pytest.approx(gradient, rel=1e-12)


@pytest.mark.parametrize("at", ["adding", "sine"])
@pytest.mark.parametrize(
    "given",
    [
        truncation("fixed", 12),
        truncation("fixed", 10_000),
        truncation("sliding", 12),
        truncation("sliding", 10_000),
        [*truncation("randomized"), "--probability", "0"],
    ],
    ids=" ".join,
)
def test_a_truncation_that_cuts_nothing_is_the_exact_gradient_bit_for_bit(
    at, given, tmp_path, capsys
):
    """With the loss at the last step, and at every one."""
    exact, wanted = saved(capsys, tmp_path, "--task", at, *SMALL)
    found, arrays = saved(capsys, tmp_path, "--task", at, *SMALL, *given)
    assert arrays.keys() == wanted.keys()
    for name, value in wanted.items():
        assert arrays[name].tobytes() == value.tobytes(), name
    assert found.pop("experiment")["truncation"]["name"] == given[1]
    exact.pop("experiment")
    assert found == exact


@pytest.mark.parametrize("task", ["adding", "sine"])
def test_windows_and_segments_of_one_step_are_one_estimator(task, tmp_path, capsys):
    _, wanted = saved(capsys, tmp_path, "--task", task, *SMALL, *truncation("fixed", 1))
    _, found = saved(capsys, tmp_path, "--task", task, *SMALL, *truncation("sliding", 1))
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


def test_a_cut_is_not_mistaken_for_decay(capsys):
    """The same network: cut, the adjoint is exactly 0 beyond lag 4; uncut, a power of ½."""
    parameters = "model.parameters={weight_ih_l0: [[1]], weight_hh_l0: [[0.5]]}"
    scalar = ["--task", "constant", "--steps", "40", "--loss", "probe", "--set", parameters]
    scalar += ["--cell", "linear"]
    decayed = document(capsys, *scalar)
    cut = document(capsys, *scalar, *truncation("fixed", 5))
    for found, lag in ((decayed, None), (cut, 4)):
        assert found["verdict"]["name"] == "vanishing"
        assert found["verdict"]["zero_beyond_lag"] == lag
    assert min(step["hidden"] for step in decayed["timesteps"]) > 0
    assert [step["hidden"] > 0 for step in cut["timesteps"]] == [False] * 35 + [True] * 5
    assert "fixed(5) cuts the gradient beyond lag 4; it has not decayed" in cut["verdict"]["cause"]
    assert "longer window" in cut["verdict"]["advice"]
    assert "--truncation full" in cut["verdict"]["advice"]
    assert cut["growth_per_step"] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--set", "model.parameters.weight_hh_l0=[[0]]"], "is zero"),
        (["--cell", "relu", "--set", "model.parameters.weight_ih_l0=[[-1]]"], "is dead"),
    ],
)
def test_a_zero_that_the_network_makes_is_not_blamed_on_the_window(arguments, cause, capsys):
    """A window of 20 steps reaches further than B = 0 or dead units let anything come."""
    run_of = ["scalar-linear", "--steps", "40", "--loss", "probe", *arguments]
    found = document(capsys, *run_of, *truncation("fixed", 20))["verdict"]
    assert found["zero_beyond_lag"] == 0
    assert cause in found["cause"]
    assert "fixed(20)" not in found["cause"]


def test_the_weights_of_a_draw_stand_in_the_growth_and_are_named(capsys):
    """b = 0.9 and w = 1/(1 − 0.01): each step back that is not cut multiplies by b · w."""
    given = [*truncation("randomized"), "--probability", "0.01", "--steps", "12", "--seed", "2"]
    found = document(capsys, "scalar-linear", *given)
    weight = 1 / 0.99
    assert found["verdict"]["zero_beyond_lag"] is None
    assert found["growth_per_step"] == pytest.approx(0.9 * weight, rel=1e-12)
    cause = found["verdict"]["cause"]
    assert f"{weight:.4g} through the weights of randomized(0.01), and by 0.9 through B" in cause
    status, out, _ = run(capsys, "scalar-linear", *given)
    assert status == 0
    assert "one draw of randomized(0.01)" in out.splitlines()[0]
    assert "1.01 of it the weights of randomized(0.01)" in out


@pytest.mark.parametrize("name", ["randomized", "artbp", "random-length"])
def test_a_draw_is_that_of_the_seed(name, tmp_path, capsys):
    given = ["--hidden", "5", "--steps", "300", *truncation(name)]
    first, again = (saved(capsys, tmp_path, *given)[1] for _ in range(2))
    assert all(first[key].tobytes() == again[key].tobytes() for key in first)
    reached = [
        document(capsys, *given, "--seed", str(seed))["verdict"]["zero_beyond_lag"]
        for seed in range(5)
    ]
    assert reached[0] == np.count_nonzero(first["adjoint/h_l0"].any(axis=(1, 2))) - 1
    assert len(set(reached)) > 1


@pytest.mark.parametrize("given", [["fixed", 5], ["sliding", 5]])
def test_the_order_of_the_sequences_changes_nothing(given, tmp_path, capsys):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 4, 2)), rng.normal(size=(12, 4, 1))
    found = []
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        np.savez(tmp_path / "data.npz", x=x[:, order], y=y[:, order])
        data = ["--data", str(tmp_path / "data.npz"), "--hidden", "3", *truncation(*given)]
        found.append(saved(capsys, tmp_path, *data)[1])
    for name, value in found[0].items():
        if name.startswith("grad/") and name != "grad/h0":
            np.testing.assert_allclose(found[1][name], value, rtol=1e-12, atol=1e-15)


def test_the_head_of_the_table_names_the_estimator_that_ran(capsys):
    assert "fixed(3)" in run(capsys, *SMALL, *truncation("fixed", 3))[1].splitlines()[0]
    assert "full" not in run(capsys, *SMALL)[1].splitlines()[0]


def test_truncations_side_by_side(capsys):
    swept = ["--truncation", "fixed", "--sweep", "truncation.length=2,4,12"]
    documents = document(capsys, *SMALL, *swept)
    lags = [found["verdict"]["zero_beyond_lag"] for found in documents]
    assert lags == [1, 3, None]
    _, out, _ = run(capsys, *SMALL, *swept)
    assert "fixed(2)" in out.splitlines()[0]


WRONG = [
    (["--truncation", "fixd"], "did you mean 'fixed'"),
    (["--set", "truncation.name=slidng"], "did you mean 'sliding'"),
    (truncation("fixed", 0), "--length: truncation.length must be an integer of at least 1, got 0"),
    (truncation("sliding", -2), "must be an integer of at least 1, got -2"),
    (truncation("fixed", 2.5), "must be an integer of at least 1, got 2.5"),
    (truncation("sliding", "ten"), "must be an integer of at least 1, got 'ten'"),
    (truncation("fixed", "nan"), "--length"),
    (["--length", "5"], "must stand with truncation.name: fixed or sliding, not with full"),
    (truncation("randomized", 5), "must stand with truncation.name: fixed or sliding"),
    ([*truncation("fixed"), "--probability", "0.1"], "must stand with truncation.name: randomized"),
    ([*truncation("randomized"), "--probability", "1"], "at least 0 and below 1, got 1"),
    ([*truncation("randomized"), "--probability", "-0.1"], "at least 0 and below 1"),
    ([*truncation("randomized"), "--probability", "nan"], "--probability"),
    (["--set", "truncation.lenght=3"], "did you mean 'length'"),
    (["--clip-norm", "0"], "--clip-norm: clip.norm must be a number above 0, got 0"),
    (["--clip-value", "-1"], "--clip-value: clip.value must be a number above 0, got -1"),
    (["--clip-norm", "inf"], "--clip-norm"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_limit_is_refused_in_one_line(arguments, said, capsys):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert said in line
    assert line.startswith("bptt: ")


def fed_nothing(vector):
    """One step of a linear cell without input: only the bias has a gradient, the vector itself."""
    units = len(vector)
    zeros = {"weight_ih_l0": [[0]] * units, "weight_hh_l0": [[0] * units] * units}
    parameters = json.dumps({**zeros, "bias_ih_l0": [0] * units})
    given = ["--task", "constant", "--set", "task.input=0", "--steps", "1", "--cell", "linear"]
    given += ["--set", f"model.parameters={parameters}", "--loss", "probe"]
    return [*given, "--set", f"loss.vector={json.dumps(vector)}"]


@pytest.mark.parametrize("entry", [1.0, 1e20, 1e200, 1e308])
def test_a_norm_does_not_overflow_on_the_way_to_its_limit(entry, tmp_path, capsys):
    """100 entries clipped to norm 1: each is 0.1, however large it was."""
    limits = ["--clip-norm", "1"]
    found, arrays = saved(capsys, tmp_path, *fed_nothing([entry] * 100), *limits)
    np.testing.assert_allclose(arrays["grad/bias_ih_l0"], 0.1, rtol=1e-14)
    clip = found["clip"]
    assert clip["norm_log10"] == pytest.approx(np.log10(entry) + 1, rel=1e-13, abs=1e-13)
    assert clip["clipped_norm"] == 1.0
    assert found["parameters"]["bias_ih_l0"]["norm"] == pytest.approx(1, rel=1e-14)
    assert (clip["fired"], clip["cosine"]) == (entry > 0.1, 1.0)
    # Clipping acts on the estimate: the adjoint is what it was.
    assert arrays["adjoint/h_l0"].ravel().tolist() == [entry] * 100


def test_a_value_clip_turns_the_gradient_and_says_by_how_much(tmp_path, capsys):
    given = [*fed_nothing([3, 0.1, -0.2]), "--clip-value", "0.25"]
    found, arrays = saved(capsys, tmp_path, *given)
    assert arrays["grad/bias_ih_l0"].tolist() == [0.25, 0.1, -0.2]
    clip = found["clip"]
    for key, wanted in (("norm", 3.0083), ("clipped_norm", 0.3354), ("cosine", 0.7928)):
        assert clip[key] == pytest.approx(wanted, abs=5e-5)
    assert (clip["fired"], clip["factor"]) == (True, 1.0)
    _, out, _ = run(capsys, *given)
    assert "3.008e+00 before clipping, 3.354e-01 after   (turned: cosine 0.7928)" in out
    assert "Gradient of the loss by parameter, after clipping" in out


def test_the_norm_is_that_of_the_estimate_over_all_parameters(tmp_path, capsys):
    cut = truncation("fixed", 3)
    _, whole = saved(capsys, tmp_path, *SMALL, *cut)
    norm = np.sqrt(sum((whole[n] ** 2).sum() for n in whole if n[:5] == "grad/" and n[-2:] != "h0"))
    found, arrays = saved(capsys, tmp_path, *SMALL, *cut, "--clip-norm", "0.5")
    assert found["clip"]["norm"] == pytest.approx(norm, rel=1e-13)
    assert found["clip"]["factor"] == pytest.approx(0.5 / norm, rel=1e-13)
    for name, value in whole.items():
        factor = 0.5 / norm if name.startswith("grad/") and name != "grad/h0" else 1
        np.testing.assert_allclose(arrays[name], factor * value, rtol=1e-13, atol=1e-300)


def test_what_keeps_within_the_limits_is_left_alone_and_without_limits_nothing_is_said(
    tmp_path, capsys
):
    plain, wanted = saved(capsys, tmp_path, *SMALL)
    found, arrays = saved(capsys, tmp_path, *SMALL, "--clip-norm", "1e9", "--clip-value", "1e9")
    assert plain.pop("clip") is None
    clip = found.pop("clip")
    assert (clip["fired"], clip["factor"], clip["cosine"]) == (False, 1.0, 1.0)
    assert all(arrays[name].tobytes() == wanted[name].tobytes() for name in wanted)
    assert found["parameters"] == plain["parameters"]
    assert "within the limits of clipping" in run(capsys, *SMALL, "--clip-norm", "1e9")[1]


def test_what_is_not_finite_is_named_with_its_step_and_nothing_is_written(tmp_path, capsys):
    """h_t = 10^t leaves float64 at step 309, so that step 310 adds what is not finite to B."""
    parameters = "model.parameters={weight_ih_l0: [[0]], weight_hh_l0: [[10]]}"
    given = ["--task", "data", "--set", f"task.x={[0] * 400}", "--set", "task.h0=[[1]]"]
    given += ["--cell", "linear", "--loss", "probe", "--set", "loss.vector=[1]"]
    target = tmp_path / "arrays.npz"
    given += ["--set", parameters, "--clip-norm", "1", "--save-arrays", str(target)]
    status, out, err = run(capsys, *given)
    assert (status, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith("bptt: the gradient of weight_hh_l0 is ")
    assert "at (1, 1) (step 310 is the first" in line
    assert "spread" in line
    assert not target.exists()


def test_clips_side_by_side(capsys):
    swept = ["--sweep", "clip.norm=0.1,1e9"]
    assert [found["clip"]["fired"] for found in document(capsys, *SMALL, *swept)] == [True, False]
    _, out, _ = run(capsys, *SMALL, *swept)
    header = next(line for line in out.splitlines() if "verdict" in line)
    assert header.split()[-2:] == ["norm", "clipped"]


@pytest.mark.parametrize("form", ["table", "markdown", "html", "json"])
def test_an_explanation_has_the_cuts_and_the_clipping(form, capsys):
    limits = ["--clip-norm", "4", "--clip-value", "5"]
    given = ["three-steps-every", "--explain", *truncation("sliding", 2), *limits]
    status, out, err = run(capsys, *given, "--format", form)
    assert (status, err) == (0, "")
    if form == "json":
        found = json.loads(out)["explanation"]
        assert (found["cuts"], found["reached"], found["clip_value"]) == ([1], [1, 1, 2], 5)
    else:
        plain = re.sub("<sub>(.*?)</sub>", r"_\1", out.replace("\\", ""))
        for part in ("✂ L_3 cut here", "of L_3, uncut", "within ±5", "sliding(2)"):
            assert part in plain


def test_a_spectrum_says_that_truncation_does_not_concern_it(capsys):
    given = ["spectrum", "--hidden", "4", "--steps", "20", "--format", "json"]
    assert main(given) == 0
    wanted = json.loads(capsys.readouterr().out)
    assert main([*given, "--truncation", "fixed"]) == 0
    out, err = capsys.readouterr()
    assert "of the exact gradient" in err
    found = json.loads(out)
    assert found["trajectory"] == wanted["trajectory"]
