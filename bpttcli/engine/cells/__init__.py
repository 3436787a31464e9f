"""The cells, by name. Adding one is one file beside this and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from bpttcli.errors import InputError, nearest

if TYPE_CHECKING:
    from bpttcli.engine.cells.cell import Cell

CELLS: dict[str, str] = {
    "tanh": "bpttcli.engine.cells.elman:Tanh",
    "relu": "bpttcli.engine.cells.elman:Relu",
    "linear": "bpttcli.engine.cells.elman:Linear",
    "lstm": "bpttcli.engine.cells.lstm:Lstm",
    "gru": "bpttcli.engine.cells.gru:Gru",
}


def cell_named(name: str) -> Cell:
    """Return the cell of that name.

    Raises
    ------
    InputError
        There is none.

    Examples
    --------
    >>> cell_named("tanh").states
    ('h',)
    """
    if name not in CELLS:
        raise InputError(f"must be a cell, got '{name}': {nearest(name, CELLS)}", key="model.cell")
    module, cell = CELLS[name].split(":")
    return cast("Cell", getattr(import_module(module), cell)())
