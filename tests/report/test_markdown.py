"""A Markdown page shows what the table shows, without the bars."""

import re

import pytest

from bpttcli.report.markdown import render_markdown
from bpttcli.report.view import View
from tests.report.views import VIEW


def test_the_page(golden):
    golden("page.md", render_markdown(VIEW))


@pytest.mark.parametrize("mark", list("\\|*_`<>[]"))
def test_what_markdown_would_take_for_a_mark_is_escaped(mark):
    page = render_markdown(View(title=f"a{mark}b", headline=("stable", "x")))
    assert f"a\\{mark}b" in page


def test_all_rows_of_a_grid_have_the_columns_of_its_header():
    lines = [line for line in render_markdown(VIEW).splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [4] * 5 + [3] * 3
