"""A table is looked at once, kept as a golden file, and fits where it is shown."""

import io

import pytest
from rich.console import Console

from bpttcli.report.table import render_table
from tests.report.views import VIEW


def rendered(width=1000, encoding="utf-8", *, colour=False):
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        _environ={},
    )
    return render_table(VIEW, console, encoding=encoding)


def test_the_table_in_unicode(golden):
    golden("table.txt", rendered())


def test_the_table_in_ascii(golden):
    golden("table-ascii.txt", rendered(encoding="ascii"))


def test_the_table_in_a_narrow_terminal(golden):
    golden("table-narrow.txt", rendered(width=40))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", range(28, 60))
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(width, encoding):
    text = rendered(width, encoding)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    assert "..." not in text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_plain_table_can_be_written_in_its_encoding(encoding):
    rendered(encoding=encoding).encode(encoding)


def test_no_line_ends_in_blanks():
    assert all(line == line.rstrip() for line in rendered().splitlines())


def test_what_looks_like_markup_is_printed_as_it_is():
    assert "[bold]shrinks[/] it." in rendered()
    assert "[bold]shrinks[/] it." in rendered(colour=True)


def test_the_verdict_has_its_colour_where_there_are_colours():
    assert "\x1b[1;33mvanishing\x1b[0m" in rendered(colour=True)
    assert "\x1b" not in rendered()
