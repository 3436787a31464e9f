"""A view as a Rich table, for terminals and for text files."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from bpttcli.report.plain import can_print, spell
from bpttcli.report.view import Bar, Cell, Grid, View, counted

_COLOURS = {
    "vanishing": "bold yellow",
    "exploding": "bold red",
    "stable": "bold green",
    "no-gradient": "bold red",
    "undefined": "bold red",
}
_BAR_WIDTH = 16
# A plain string would be searched for what to highlight, by patterns that take long to compile.
_EMPTY = Text()


def render_table(view: View, console: Console, *, encoding: str | None = "utf-8") -> str:
    """Lay a view out.

    Parameters
    ----------
    view : View
    console : rich.console.Console
        Decides on width and colour.
    encoding : str or None
        Decides between notation and plain characters.

    Returns
    -------
    str
        With escape sequences if the console has colours.
    """
    with console.capture() as capture:
        console.print(_Printer(encoding, console.width).everything(view))
    # Rich pads lines to the width of the widest; nobody wants that in a file or a diff.
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def laid_out(grid: Grid, width: int, *, encoding: str | None = "utf-8") -> RenderableType:
    """Lay a single grid out for a display that changes.

    Parameters
    ----------
    grid : Grid
    width : int
        Columns of the terminal.
    encoding : str or None
        Decides between notation and plain characters.
    """
    return _Printer(encoding, width)._grid(grid)


class _Printer:
    """Turns text into Rich's objects; never reads it as markup."""

    def __init__(self, encoding: str | None, width: int) -> None:
        self._encoding = encoding
        self._width = width
        self._plain = not can_print(encoding)

    def everything(self, view: View) -> RenderableType:
        name, says = view.headline
        head = Text.assemble((f"{name}", _COLOURS.get(name, "bold")), "  ", self._spelled(says))
        parts: list[RenderableType] = [
            Text(self._spelled(view.title), style="dim"),
            _EMPTY,
            head,
        ]
        if view.sentences:
            parts.append(self._pairs(view.sentences, "bold"))
        if view.facts:
            parts += [_EMPTY, self._pairs(view.facts, "cyan")]
        for grid in view.grids:
            # A title of Rich's own would be wrapped to the width of a narrow table.
            parts += [_EMPTY, Text(self._spelled(grid.title), style="bold")]
            if grid.note:
                parts.append(Text(self._spelled(grid.note)))
            parts.append(self._grid(grid))
        for picture in view.pictures:
            drawing = self._spelled("\n".join(picture.lines))
            title = Text(self._spelled(picture.title), style="bold")
            parts += [_EMPTY, title, Text(drawing, no_wrap=not picture.folded, overflow="fold")]
        return Group(*parts)

    def _spelled(self, text: str) -> str:
        return spell(text, self._encoding)

    def _pairs(self, pairs: list[tuple[str, str]], style: str) -> RenderableType:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(style=style, no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in pairs:
            table.add_row(Text(self._spelled(name)), Text(self._spelled(value)))
        return table

    def _grid(self, grid: Grid) -> RenderableType:
        headers = [self._spelled(header) for header in grid.headers]
        rows = [
            [cell if isinstance(cell, Bar) else self._spelled(cell) for cell in row]
            for row in grid.rows
        ]
        drawn = {k for row in rows for k, cell in enumerate(row) if isinstance(cell, Bar)}
        widths = self._widths([headers, *rows], drawn)
        table = Table(
            box=box.ASCII2 if self._plain else box.SIMPLE_HEAD,
            padding=(0, 1) if self._plain else (0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
        )
        for k, width in widths.items():
            justify: JustifyMethod = "left" if k in grid.left else "right"
            # With the width given Rich need not lay every cell out to find it.
            table.add_column(Text(headers[k]), justify=justify, no_wrap=True, width=width)
        for i, row in enumerate(rows):
            if i in grid.groups:
                table.add_section()
            table.add_row(*(self._cell(row[k], width) for k, width in widths.items()))
        missing = len(set(range(len(headers))) - drawn - set(widths))
        if not missing:
            return table
        note = f"{counted(missing, 'column')} more in a wider terminal"
        return Group(table, Text(note, style="dim"))

    def _widths(self, rows: Sequence[Sequence[Cell]], drawn: set[int]) -> dict[int, int]:
        """Columns that fit into the terminal, and their widths; bars take what is left."""
        gap = 3 if self._plain else 2
        room = self._width + gap
        widths = {}
        for k in sorted(range(len(rows[0])), key=lambda k: k in drawn):
            texts = (row[k] for row in rows)
            lines = (line for text in texts if isinstance(text, str) for line in text.split("\n"))
            width = max(cell_len(line) for line in lines)
            if k in drawn:
                width = max(width, min(_BAR_WIDTH, room - gap))
            room -= width + gap
            if room < 0:
                break
            widths[k] = width
        return dict(sorted(widths.items()))

    def _cell(self, cell: Cell, width: int) -> Text:
        if isinstance(cell, Bar):
            return Text(("#" if self._plain else "█") * round(width * cell.share), style="blue")
        return Text(cell)
