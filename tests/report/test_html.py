"""A page stands alone, is well-formed, and says what heads what."""

import re
from xml.etree import ElementTree

import pytest

from bpttcli.report.html import render_html
from bpttcli.report.view import Grid, View
from tests.report.explained import report, text
from tests.report.views import VIEW


def parsed(page):
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def cell(content):
    """A text as a cell of a page."""
    view = View("x", ("y", "z"), grids=[Grid("g", ["", "value"], [["first", content]])])
    return parsed(render_html(view)).find(".//tbody/tr/td")


def test_it_needs_no_other_file_and_no_script():
    page = render_html(VIEW)
    assert not re.search(r"<script|<img|<link|\b(src|href)=|url\(|@import", page)


def test_it_says_its_language_its_title_and_its_encoding():
    root = parsed(render_html(VIEW))
    assert root.get("lang") == "en"
    assert root.find("head/title").text == VIEW.title
    assert root.find("head/meta").get("charset") == "utf-8"


@pytest.mark.parametrize("made", [render_html(VIEW), text(report("three-steps-every"), "html")])
def test_headings_come_in_order_and_every_table_belongs_to_one(made):
    root = parsed(made)
    assert len(root.findall(".//h1")) == 1
    named = {heading.get("id") for heading in root.findall(".//h2")}
    tables = root.findall(".//table")
    assert len(tables) == len(named) > 0
    for table in tables:
        assert table.get("aria-labelledby") in named
        rows = table.findall(".//tbody/tr")
        assert all(head.get("scope") == "col" for head in table.findall("thead/tr/th"))
        assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in rows)
        assert {len(row) for row in rows} == {len(table.find("thead/tr"))}


def test_an_empty_header_heads_nothing():
    made = View("x", ("y", "z"), grids=[Grid("g", ["", "value"], [["first", "2"]])])
    assert [c.tag for c in parsed(render_html(made)).find(".//thead/tr")] == ["td", "th"]


def test_groups_are_bodies_of_their_own():
    rows = [["1", "2"], ["3", "4"], ["5", "6"]]
    view = View("x", ("y", "z"), grids=[Grid("g", ["a", "b"], rows, groups=frozenset({1}))])
    assert [len(body) for body in parsed(render_html(view)).findall(".//tbody")] == [1, 2]


def test_what_looks_like_markup_is_printed_as_it_is():
    assert "".join(cell("<b>&amp;</b>").itertext()) == "<b>&amp;</b>"


def test_bars_are_left_out():
    assert "log scale" not in render_html(VIEW)


@pytest.mark.parametrize(
    ("content", "sub", "sup"),
    [
        ("∂L/∂h_3", ["3"], []),
        ("h_tᵀ", ["t"], []),
        ("Σ_t", ["t"], []),
        ("B h_(t−1)", ["(t−1)"], []),
        ("weight_ih_l0", [], []),
        ("readout_t", [], []),
        ("ρ^k = 2^10", [], ["k", "10"]),
    ],
)
def test_indices_and_powers_are_set_as_such(content, sub, sup):
    found = cell(content)
    assert [part.text for part in found.findall("sub")] == sub
    assert [part.text for part in found.findall("sup")] == sup


def test_lines_of_a_matrix_are_kept_apart_and_aligned():
    found = cell("( 1 2)\n(30 4)")
    assert found.get("class") == "lines"
    assert len(found.findall("br")) == 1


def test_the_page_shows_what_the_table_shows():
    """Every cell of every table is there, indices and powers set as such."""

    def bare(shown):
        return shown.translate(str.maketrans("", "", "_^\n"))

    made = report("three-steps", "model.cell=tanh")
    words = {
        bare("".join(c.itertext())) for c in parsed(text(made, "html")).findall(".//tbody/tr/*")
    }
    for grid in made.view().grids:
        for row in grid.rows:
            assert {bare(shown) for shown in row} <= words
