"""Experiments side by side: what each becomes of, and all of them by lag."""

import msgspec
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.report import Run, rows_of
from bpttcli.report.sweep import Point, SweepReport
from bpttcli.truncation.clipping import Limits, clip
from tests.report.test_gradient_norms import EXPERIMENT
from tests.runs import network, silence, sweep_back

LSTM = network("lstm", [[0.0]] * 4, [[0.0]] * 4)


def point(net, steps=4, *, limit=None, **values):
    adjoints = sweep_back(net, silence(steps))
    clipped = None if limit is None else clip(adjoints.gradient, Limits(norm=limit))
    result = grad_norms(net, adjoints, clipped=clipped)
    return Point(values, GradientNormsReport(result, Run(EXPERIMENT)))


def scalar(b):
    return network("linear", 1.0, b)


def swept(*points, **options):
    return SweepReport(list(points), **options)


HALF, WHOLE = point(scalar(0.5), b=0.5), point(scalar(1.0), b=1)


def test_the_document_is_a_list_of_documents_with_their_values():
    documents = swept(HALF, WHOLE).document()
    assert [document["sweep"] for document in documents] == [{"b": 0.5}, {"b": 1}]
    for document, alone in zip(documents, (HALF, WHOLE), strict=True):
        assert next(iter(document)) == "sweep"
        assert {k: v for k, v in document.items() if k != "sweep"} == alone.report.document()
    assert msgspec.json.decode(msgspec.json.encode(documents)) == documents


def test_rows_lead_with_the_values_and_leave_out_what_a_cell_has_not():
    both = (point(LSTM, **{"model.cell": "lstm"}), point(scalar(1.0), **{"model.cell": "linear"}))
    rows = rows_of(swept(*both).columns())
    assert list(rows[0])[:3] == ["model.cell", "layer", "t"]
    found = [(row["model.cell"], row["t"]) for row in rows]
    assert found[3:5] == [("lstm", 4), ("linear", 1)]
    assert [row["gate_f"] for row in rows] == [0.5] * 4 + [None] * 4


@pytest.mark.parametrize(
    ("value", "written"), [([1, 2], "[1, 2]"), ({"cell": "gru", "init": {"chrono": 9}}, "gru 9")]
)
def test_a_value_with_parts_is_one_text_in_rows_and_labels(value, written):
    report = swept(point(scalar(1.0), key=value))
    assert report.columns()["key"] == [written] * 4
    assert report.view().grids[0].rows[0][0] == written


def test_each_experiment_is_a_line_of_figures():
    grid = swept(HALF, WHOLE).view().grids[0]
    figures = [dict(zip(grid.headers, row, strict=True)) for row in grid.rows]
    assert [line["verdict"] for line in figures] == ["stable", "stable"]
    assert [line["growth"] for line in figures] == ["0.5", "1"]
    assert [line["half-life"] for line in figures] == ["1", "–"]
    assert [line["horizon"] for line in figures] == ["≥ 3", "≥ 3"]
    assert [line["first/last"] for line in figures] == ["1.25e-01", "1.00e+00"]
    assert [line["carry"] for line in figures] == ["–", "–"]


def test_each_experiment_is_a_column_by_lag_as_long_as_it_is():
    grid = swept(HALF, point(scalar(0.1), steps=2, b=0.1)).view().grids[1]
    assert grid.headers == ["lag", "0.5", "0.1"]
    assert grid.rows[:3] == [
        ["0", "1.00e+00", "1.00e+00"],
        ["1", "5.00e-01", "1.00e-01"],
        ["2", "2.50e-01", ""],
    ]


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([HALF, point(scalar(1.0), 9, b=1)], "furthest with 1: 8 steps"),
        ([HALF, WHOLE], "reaches 3 steps back in all of them"),
        ([HALF, point(scalar(0.0), b=0), WHOLE], "furthest with 0.5 and 1: 3 steps"),
        ([WHOLE], "furthest with 1: 3 steps"),
    ],
)
def test_the_headline_names_what_reaches_furthest(points, says):
    name, headline = swept(*points).view().headline
    assert name == "sweep"
    assert says in headline


def test_lags_are_chosen_as_steps_are():
    points = [point(scalar(0.9), 50, b=0.9)]
    assert [row[0] for row in swept(*points, every=20).view().grids[1].rows] == [
        "0",
        "20",
        "40",
        "49",
    ]
    assert len(swept(*points, everything=True).view().grids[1].rows) == 50


def test_norms_before_and_after_clipping_stand_there_if_anything_is_clipped():
    biased = network("linear", 1.0, 1.0, bias_ih_l0=[0.0])
    points = point(biased, limit=2.0, clip=2), point(biased, clip=None)
    grid = swept(*points).view().grids[0]
    assert grid.headers[-2:] == ["norm", "clipped"]
    # ∂ℓ/∂b = 4, a 1 a step.
    assert [row[-2:] for row in grid.rows] == [["4.00e+00", "2.00e+00"], ["–", "–"]]
    assert "clipped" not in swept(HALF, WHOLE).view().grids[0].headers
