"""What every format needs of a result, and the formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import msgspec

from bpttcli.record import Record
from bpttcli.report.plain import spell
from bpttcli.report.view import View

if TYPE_CHECKING:
    from rich.console import Console

Columns = dict[str, list[Any]]


class Run(Record, frozen=True):
    """What ran, besides its result.

    Parameters
    ----------
    experiment : dict
        Whole and resolved, as plain values.
    baseline : float or None
        The task's loss for a guess.
    baseline_name : str or None
        Which guess.
    warnings : tuple of str
        Doubts of whoever built it.
    """

    experiment: dict[str, Any]
    baseline: float | None = None
    baseline_name: str | None = None
    warnings: tuple[str, ...] = ()


class Report(ABC):
    """A result made ready for printing; every format takes one of these three."""

    @abstractmethod
    def document(self) -> Any:
        """The whole result under the keys of its JSON; a list of results side by side."""

    @abstractmethod
    def columns(self) -> Columns:
        """Its rows, a list a column, for CSV and JSON lines."""

    @abstractmethod
    def view(self) -> View:
        """What a person reads."""


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """Columns as one mapping a row.

    Examples
    --------
    >>> rows_of({"t": [1, 2], "lag": [1, 0]})
    [{'t': 1, 'lag': 1}, {'t': 2, 'lag': 0}]
    """
    names = tuple(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def render(
    report: Report, form: str, console: Console, *, encoding: str | None = "utf-8"
) -> bytes | str:
    """Write a report in one of the formats.

    Parameters
    ----------
    report : Report
    form : str
        ``table``, ``markdown``, ``html`` (a page), or one for machines: ``json`` (one line),
        ``jsonl`` (a row a line) and ``csv``, which hold every row at full precision, and no NaN.
    console : rich.console.Console
        Lays the table out.
    encoding : str or None
        Of what a person reads: tables and Markdown.

    Returns
    -------
    bytes or str
        Machine formats and pages are bytes, UTF-8 wherever they go.
    """
    if form == "json":
        return msgspec.json.encode(report.document()) + b"\n"
    if form == "jsonl":
        return msgspec.json.Encoder().encode_lines(rows_of(report.columns()))
    if form == "csv":
        return _csv(report.columns())
    if form == "html":
        from bpttcli.report.html import render_html

        return render_html(report.view()).encode()
    if form == "markdown":
        from bpttcli.report.markdown import render_markdown

        return spell(render_markdown(report.view()), encoding)
    from bpttcli.report.table import render_table

    return render_table(report.view(), console, encoding=encoding)


def _csv(columns: Columns) -> bytes:
    """Write rows under a header; empty where there is no number."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if value is None else value for value in row])
    return text.getvalue().encode()
