"""A view as a page of HTML that needs nothing else: no script, no picture, no other file."""

from __future__ import annotations

import re
from html import escape

from bpttcli.report.view import Bar, Grid, View

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 1.5rem 0.2rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
.number { text-align: right; }
thead th, tbody + tbody tr:first-child > * { border-top: 1px solid; }
thead th { border: 0; border-bottom: 2px solid; }
.lines { font-family: ui-monospace, monospace; white-space: pre; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1.5rem; }
dd { margin: 0; }
section { overflow-x: auto; }
"""

# Single letters of the notation take an index; PyTorch's names and words do not.
_INDEX = re.compile(r"(?<![A-Za-z_])([a-chiopuxyzABCLΣ])_(\([^)]*\)|\d+|t(?![a-z]))")
_POWER = re.compile(r"(?<=[A-Za-zρ\d.])\^(k|\d+)")


def render_html(view: View) -> str:
    """Write a view as a page for a browser or a screen reader.

    Parameters
    ----------
    view : View

    Returns
    -------
    str
        Also well-formed XML. Every table has its heading and says what its headers head.
    """
    name, says = view.headline
    title = _text(view.title)
    parts = [
        f"<h1>{title}</h1>",
        f"<p><strong>{_text(name)}</strong>: {_text(says)}</p>",
        *(f"<p><strong>{_text(word)}</strong>: {_text(said)}</p>" for word, said in view.sentences),
        "<dl>",
        *(f"<dt>{_text(word)}</dt><dd>{_text(value)}</dd>" for word, value in view.facts),
        "</dl>",
        *(_section(grid, f"table-{i}") for i, grid in enumerate(view.grids, start=1)),
    ]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(view.title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(grid: Grid, name: str) -> str:
    """Write a table under its heading, without bars."""
    drawn = {k for row in grid.rows for k, cell in enumerate(row) if isinstance(cell, Bar)}
    kept = [k for k in range(len(grid.headers)) if k not in drawn]
    note = f"<p>{_text(grid.note)}</p>\n" if grid.note else ""
    head = "".join(_cell("th", grid.headers[k], k in grid.left, scope="col") for k in kept)
    body = []
    for i, row in enumerate(grid.rows):
        if i in grid.groups:
            body.append("</tbody>\n<tbody>")
        first = _cell("th", str(row[kept[0]]), kept[0] in grid.left, scope="row")
        rest = (_cell("td", str(row[k]), k in grid.left) for k in kept[1:])
        body.append(f"<tr>{first}{''.join(rest)}</tr>")
    lines = "\n".join(body)
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{_text(grid.title)}</h2>\n{note}'
        f'<table aria-labelledby="{name}">\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody>\n</table>\n</section>"
    )


def _cell(tag: str, text: str, on_the_left: bool, scope: str = "") -> str:
    """Write one cell; an empty header heads nothing."""
    if tag == "th" and not text:
        tag, scope = "td", ""
    if "\n" in text:
        kind = ' class="lines"'
    else:
        kind = "" if on_the_left else ' class="number"'
    heads = f' scope="{scope}"' if scope else ""
    return f"<{tag}{heads}{kind}>{_text(text)}</{tag}>"


def _text(text: str) -> str:
    """Escape text, its indices and powers set as such."""
    marked = _INDEX.sub(r"\1<sub>\2</sub>", escape(text))
    return _POWER.sub(r"<sup>\1</sup>", marked).replace("\n", "<br/>")
