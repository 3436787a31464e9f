"""The tables of a comparison."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.clip_audit import ClipAudit
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality, Quality
from bpttcli.engine.scaled import Scaled
from bpttcli.report.truncation_grids import clip_grid, cost_grid, quality_grid, small, steps_grid


def estimator(
    label="fixed(5)", *, adjoint=(1.0, 1.0), exponent=0, variance="none", peak=640, **more
):
    """An estimator whose figures are all the same."""
    groups = dict.fromkeys(("all", "A", "B", "weight_hh_l0"), Quality(0.5, 0.25, 0.9, 0.75))
    kept = Scaled.of(np.array(adjoint))
    return EstimatorQuality(label, True, groups, variance, 0, 4.0, 0.5, 0.0123456, peak, kept)


def test_the_first_row_is_of_all_parameters_and_says_what_averaging_leaves():
    grid = quality_grid([estimator()], everything=False)
    assert [row[0] for row in grid.rows] == ["fixed(5)", "  B", "  weight_hh_l0"]
    assert grid.rows[0][1:] == ["0.5", "0.25", "0.559", "0.53", "0.9000", "0.75"]
    assert grid.rows[1][4] == ""
    assert len(quality_grid([estimator()], everything=True).rows) == 4


def test_a_doubtful_spread_is_marked_and_explained():
    doubtful = quality_grid([estimator(variance=UNSETTLED)], everything=False)
    assert doubtful.rows[0][2] == "0.25 ?"
    assert "no number of draws settles" in doubtful.note
    assert "?" not in quality_grid([estimator()], everything=False).note


@pytest.mark.parametrize(
    ("count", "text"),
    [(640, "640 B"), (64_000, "64 kB"), (1_234_567, "1.23 MB"), (10**16, "1e+04 TB")],
)
def test_memory_has_a_unit(count, text):
    assert cost_grid([estimator(peak=count)]).rows == [["fixed(5)", "4", "50.0%", "0.012", text]]


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        (1.0, "100%"), (0.5, "50%"), (0.01, "1%"), (0.0039, "4e-03"), (1e-300, "1e-300"),
        (0.0, "0"), (1.08, "108%"), (1e5, "1e+05"),
    ],
)  # fmt: skip
def test_a_small_share_of_a_step_is_not_nothing(kept, text):
    grid = steps_grid([estimator("full"), estimator(adjoint=(kept, 1.0))], [1, 0])
    assert grid.rows[2] == ["fixed(5)", "100%", text]
    assert grid.headers == ["lag", "0", "1"]


def test_of_a_step_without_gradient_there_is_no_share():
    grid = steps_grid([estimator("full", adjoint=(0.0, 1.0)), estimator()], [1, 0])
    assert grid.rows[1:] == [["‖g_t‖", "1e+00", "0"], ["fixed(5)", "100%", "–"]]


def test_norms_that_clipping_meets_may_leave_the_range():
    norms = Scaled(np.array([1.0, 3.0]), np.array([4000, 4000]))
    clipped = Scaled.of(np.array([1.0, 0.5]))
    audit = ClipAudit("full", 2, 0.5, norms, clipped, np.array([0.5, 1.0]), math.nan, None)
    (row,) = clip_grid([audit]).rows
    assert row == ["full", "2", "50%", "2.64e+1204", "3.95e+1204", "0.75", "0.7500", "–"]


@pytest.mark.parametrize(
    ("value", "se", "text"),
    [
        (0.0, None, "0"), (0.0, 0.0, "0"), (0.12345, None, "0.123"), (0.5, 0.0123, "0.5 ± 0.01"),
        (12345.0, None, "1.23e+04"), (1e-5, None, "1.00e-05"), (math.nan, 0.1, "–"),
        (0.5, math.inf, "0.5"),
    ],
)  # fmt: skip
def test_figures_have_three_digits(value, se, text):
    assert small(value, se) == text
