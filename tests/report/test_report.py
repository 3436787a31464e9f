"""One result, many formats: the machines' hold every row, and numbers that JSON knows."""

import csv
import io
import json

import pytest
from rich.console import Console

from bpttcli.report.report import Report, render, rows_of
from tests.report.views import VIEW

COLUMNS = {"t": [1, 2], "hidden": [0.1 + 0.2, None], "saturated": [0.0, 1.0]}


class Two(Report):
    """Two rows."""

    def document(self):
        return {"command": "two", "rows": rows_of(COLUMNS)}

    def columns(self):
        return COLUMNS

    def view(self):
        return VIEW


def written(form, encoding="utf-8"):
    console = Console(file=io.StringIO(), width=1000, _environ={})
    return render(Two(), form, console, encoding=encoding)


def test_json_is_one_line_at_full_precision():
    content = written("json")
    assert content.count(b"\n") == 1
    assert json.loads(content, parse_constant=pytest.fail) == Two().document()


def test_json_lines_are_a_row_a_line():
    rows = [json.loads(line) for line in written("jsonl").splitlines()]
    assert rows == rows_of(COLUMNS)


def test_csv_is_empty_where_there_is_no_number():
    rows = list(csv.reader(io.StringIO(written("csv").decode())))
    assert rows == [["t", "hidden", "saturated"], ["1", repr(0.1 + 0.2), "0.0"], ["2", "", "1.0"]]


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_what_machines_read_does_not_depend_on_the_terminal(form):
    assert isinstance(written(form), bytes)
    assert written(form, "ascii") == written(form, "utf-8")


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_what_people_read_is_spelled_in_the_characters_there_are(form):
    assert "ρ" in written(form)
    assert written(form, "ascii").isascii()
