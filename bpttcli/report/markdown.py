"""A view as Markdown."""

from __future__ import annotations

from bpttcli.report.view import Bar, Grid, View


def render_markdown(view: View) -> str:
    """Write a view as a Markdown page.

    Parameters
    ----------
    view : View

    Returns
    -------
    str
        Ends with a line break.
    """
    name, says = view.headline
    parts = [f"**{_safe(name)}**: {_safe(says)}", _safe(view.title)]
    parts += [f"**{_safe(word)}:** {_safe(sentence)}" for word, sentence in view.sentences]
    if view.facts:
        parts.append("\n".join(f"- {_safe(word)}: {_safe(value)}" for word, value in view.facts))
    parts += [_grid(grid) for grid in view.grids]
    for picture in view.pictures:
        drawing = "\n".join(picture.lines)
        fence = "```"
        while fence in drawing:
            fence += "`"
        parts.append(f"### {_safe(picture.title)}\n\n{fence}text\n{drawing}\n{fence}")
    return "\n\n".join(parts) + "\n"


def _grid(grid: Grid) -> str:
    """Write a table, without the bars, which need a terminal's fixed width."""
    drawn = {k for row in grid.rows for k, cell in enumerate(row) if isinstance(cell, Bar)}
    kept = [k for k in range(len(grid.headers)) if k not in drawn]
    lines = [
        [_safe(grid.headers[k]) for k in kept],
        [":--" if k in grid.left else "--:" for k in kept],
        *([_safe(str(row[k])) for k in kept] for row in grid.rows),
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    note = f"{_safe(grid.note)}\n\n" if grid.note else ""
    return f"### {_safe(grid.title)}\n\n{note}{table}"


def _safe(text: str) -> str:
    """Escape what Markdown would read as a mark."""
    for mark in "\\|*_`<>[]":
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", "<br>")
