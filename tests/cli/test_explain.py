"""``bptt grad-norms --explain`` as its users run it."""

import json
from xml.etree import ElementTree

import pytest

from bpttcli.cli.main import main


def run(capsys, *arguments):
    status = main(["grad-norms", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_it_stands_after_the_verdict_and_instead_of_the_table_of_norms(capsys):
    status, out, err = run(capsys, "three-steps", "--explain")
    assert (status, err) == (0, "")
    assert out.splitlines()[2].startswith("stable  ")
    for heading in ("Forward", "Backward, from the last", "∂L/∂C = Σ_t", "What repeats"):
        assert f"\n{heading}" in out
    assert "Gradient by time step" not in out


def test_the_document_is_that_of_grad_norms_and_the_explanation(capsys):
    plain = json.loads(run(capsys, "three-steps", "--format", "json")[1])
    explained = json.loads(run(capsys, "three-steps", "--explain", "--format", "json")[1])
    assert explained.pop("explanation")["sequences"] == 1
    assert explained == plain


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_rows_are_those_of_grad_norms(capsys, form):
    plain = run(capsys, "three-steps", "--format", form)
    assert run(capsys, "three-steps", "--explain", "--format", form) == plain


def test_a_page_is_written_to_a_file(capsys, tmp_path):
    path = tmp_path / "page.html"
    done = run(capsys, "three-steps", "--explain", "--format", "html", "--output", str(path))
    assert done == (0, "", "")
    page = path.read_text(encoding="utf-8")
    assert ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n")).tag == "html"


def test_a_page_needs_an_explanation(capsys):
    status, out, err = run(capsys, "three-steps", "--format", "html")
    assert (status, out) == (2, "")
    assert err == "bptt: --format html must stand with --explain, whose page it is\n"


def test_every_nth_step_is_no_explanation(capsys):
    status, _, err = run(capsys, "three-steps", "--explain", "--every", "2")
    assert status == 2
    assert "--every must not stand with --explain" in err


@pytest.mark.parametrize(("more", "folded"), [((), True), (("--all",), False)])
def test_a_long_run_is_folded_unless_all_of_it_is_asked_for(capsys, more, folded):
    _, out, _ = run(capsys, "scalar-linear", "--steps", "20", "--explain", *more)
    assert ("Steps 7 to 14 are folded (--all shows them)." in out) == folded


def test_a_forward_pass_that_overflows_is_explained_as_far_as_it_goes(capsys):
    sets = "model.parameters.weight_hh_l0=[[1e200]]"
    status, out, err = run(capsys, "scalar-linear", "--steps", "4", "--set", sets, "--explain")
    assert status == 0
    assert "leaves the range of float64 at step 3" in err
    assert "The gradient is undefined" in out
    assert "nan" not in out.lower()
