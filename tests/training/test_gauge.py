"""Rows of the log, measured apart from the loop."""

import math

import numpy as np
import pytest

from bpttcli.report.training_rows import COLUMNS
from bpttcli.training.evaluate import evaluate
from bpttcli.training.gauge import finite
from bpttcli.training.progress import Progress
from tests.training.runs import run_of


def row_of(run, progress=None):
    return run.gauge.row(run.updates, progress or Progress())


def test_a_row_has_every_column_but_the_time():
    assert {*row_of(run_of()), "seconds"} == set(COLUMNS)


def test_before_the_first_update_loss_and_gradient_are_those_of_the_probe():
    run = run_of(clip__norm=0.01)
    row, look = row_of(run), run.look()
    norm = math.sqrt(sum((g.value**2).sum() for g in look.gradient.values()))
    assert row["loss"] == look.loss
    assert row["grad_norm"] == pytest.approx(norm, rel=1e-12)
    assert row["grad_norm_clipped"] == pytest.approx(0.01, rel=1e-12)
    assert row["clip_factor"] == pytest.approx(0.01 / norm, rel=1e-12)
    assert (row["clipped"], row["grad_norm_max"]) == (None, None)


def test_the_gradient_before_the_first_update_is_that_of_the_trained_parameters():
    run = run_of(train__only=["weight_hh_l0"])
    g = run.look().gradient["weight_hh_l0"].value
    assert row_of(run)["grad_norm"] == pytest.approx(np.linalg.norm(g), rel=1e-12)


def test_later_the_loss_is_the_mean_since_the_row_before():
    progress = Progress(update=8, losses=3.0, largest_norm=9.0, fired=1, counted=4)
    row = row_of(run_of(), progress)
    assert (row["loss"], row["grad_norm_max"], row["clipped"]) == (0.75, 9.0, 0.25)
    assert row["grad_norm"] is None  # nobody has said yet what the last one was


def test_the_rate_is_the_one_of_the_last_update_with_what_backing_off_made_of_it():
    course = {"train__schedule__name": "step", "train__schedule__every": 5}
    row = row_of(run_of(**course, train__lr=0.8), Progress(update=6, rate_factor=0.25))
    assert row["learning_rate"] == 0.1


def test_bits_are_those_of_the_loss_that_is_judged():
    run = run_of(task__name="text")
    row, held_out = row_of(run), run.gauge.held_out
    wanted = evaluate(run.updates.parameters.network, held_out.batch, held_out.judged)
    assert (row["held_out"], row["accuracy"]) == (wanted.loss, wanted.accuracy)
    assert row["bits"] == wanted.loss / math.log(2)


def test_where_the_forward_pass_is_undefined_nothing_is_made_up():
    """∞ from the biases and −∞ through B at step 2: no state, so no loss and no gradient."""
    run = run_of()
    network = run.updates.parameters.network
    run.updates.parameters.theta[:] = 1e308
    network.layers[0].B[...] = -1e308
    row = row_of(run)
    figures = ["loss", "held_out", "grad_norm", "growth_per_step", "horizon", "spectral_radius"]
    assert [row[name] for name in figures] == [None] * len(figures)
    assert row["learning_rate"] == 1e-3


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_has_no_number_for_is_none(value):
    assert finite(value) is None
    assert [finite(plain) for plain in (0.0, 3, "x", None)] == [0.0, 3, "x", None]
