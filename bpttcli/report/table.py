"""A view as a Rich table, for terminals and for text files."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bpttcli.report.plain import can_print, spell
from bpttcli.report.view import Bar, Cell, Grid, View

_COLOURS = {
    "vanishing": "bold yellow",
    "exploding": "bold red",
    "stable": "bold green",
    "no-gradient": "bold red",
    "undefined": "bold red",
}
_BAR_WIDTH = 16


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
            "",
            head,
            self._pairs(view.sentences, "bold"),
            "",
            self._pairs(view.facts, "cyan"),
        ]
        for grid in view.grids:
            # A title of Rich's own would be wrapped to the width of a narrow table.
            parts += ["", Text(self._spelled(grid.title), style="bold"), self._grid(grid)]
        return Group(*parts)

    def _spelled(self, text: str) -> str:
        return spell(text, self._encoding)

    def _pairs(self, pairs: list[tuple[str, str]], style: str) -> RenderableType:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(style=style, no_wrap=True)
        table.add_column()
        for name, value in pairs:
            table.add_row(Text(self._spelled(name)), Text(self._spelled(value)))
        return table

    def _grid(self, grid: Grid) -> RenderableType:
        table = Table(
            box=box.ASCII2 if self._plain else box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0) if not self._plain else (0, 1),
            pad_edge=False,
            show_edge=False,
        )
        headers = [self._spelled(header) for header in grid.headers]
        bar = self._bar_width(grid, headers)
        rows = [[self._cell(cell, bar) for cell in row] for row in grid.rows]
        for k, header in enumerate(headers):
            if bar == 0 and any(isinstance(row[k], Bar) for row in grid.rows):
                rows = [row[:k] + row[k + 1 :] for row in rows]
                continue
            table.add_column(
                Text(header),
                justify="left" if k in grid.left else "right",
                no_wrap=True,
                # Rich would lay every cell out to find this.
                width=max([cell_len(header), *(row[k].cell_len for row in rows)]),
            )
        for row in rows:
            table.add_row(*row)
        return table

    def _bar_width(self, grid: Grid, headers: list[str]) -> int:
        """What the numbers leave of the terminal's width to a bar; 0 where that is too little."""
        columns = zip(headers, *grid.rows, strict=True)
        numbers = [[c for c in column if not isinstance(c, Bar)] for column in columns]
        taken = sum(
            max(cell_len(self._spelled(text)) for text in column) + (3 if self._plain else 2)
            for column in numbers
            if len(column) == len(grid.rows) + 1
        )
        left = self._width - taken
        return 0 if left < cell_len("log scale") else min(_BAR_WIDTH, left)

    def _cell(self, cell: Cell, bar: int) -> Text:
        if isinstance(cell, Bar):
            return Text(("#" if self._plain else "█") * round(bar * cell.share), style="blue")
        return Text(self._spelled(cell))
