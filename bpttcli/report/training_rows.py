"""Rows of a log of training, as columns for machines and as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpttcli.report.numbers import short
from bpttcli.report.view import Cell, Grid

#: The keys of a row.
COLUMNS = (
    *("update", "loss", "held_out", "baseline", "accuracy", "bits", "learning_rate"),
    *("grad_norm", "grad_norm_clipped", "clip_factor", "clip_cosine", "clipped"),
    *("grad_norm_max", "growth_per_step", "horizon", "spectral_radius", "spectral_norm"),
    *("saturated", "seconds"),
)

# Rows of the table; of more, some are left out, never the first or the last.
_MOST = 24


def table_row(row: dict[str, Any], shown: Sequence[str]) -> list[Cell]:
    """Write one row of the log for people.

    Parameters
    ----------
    row : dict
    shown : sequence of str
        As `table_columns` gives them.
    """
    return [_written(name, row.get(name)) for name in shown]


def table_columns(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Choose the columns that say something of a run, and their headers."""
    columns = {
        "update": "update",
        "loss": "loss",
        "held_out": "held-out",
        "accuracy": "right",
        "bits": "bits",
        "grad_norm": "‖g‖",
        "grad_norm_clipped": "clipped",
        "clipped": "fired",
        "growth_per_step": "growth",
        "horizon": "horizon",
        "spectral_radius": "ρ(B)",
        "spectral_norm": "σ₁(B)",
        "saturated": "sat.",
        "seconds": "s",
    }
    optional = {
        name
        for name in ("held_out", "accuracy", "bits")
        if all(row.get(name) is None for row in rows)
    }
    if not any(row.get("clipped") for row in rows):
        optional |= {"clipped", "grad_norm_clipped"}
    return {name: header for name, header in columns.items() if name not in optional}


def log_grid(rows: Sequence[dict[str, Any]], *, everything: bool = False) -> Grid:
    """Tabulate a run from its first row to its last.

    Parameters
    ----------
    rows : sequence of dict
        At least one.
    everything : bool
        Leave none out.
    """
    columns = table_columns(rows)
    chosen = range(len(rows)) if everything else _spread(len(rows))
    cells = [table_row(rows[i], list(columns)) for i in chosen]
    left_out = len(rows) - len(cells)
    note = f"{left_out} rows are left out: --all shows them" if left_out else ""
    return Grid("The run from first to last", list(columns.values()), cells, note=note)


def _spread(count: int) -> list[int]:
    """Choose rows at even distances, the first and the last among them."""
    if count <= _MOST:
        return list(range(count))
    return sorted({round(i * (count - 1) / (_MOST - 1)) for i in range(_MOST)})


def _written(name: str, value: Any) -> str:
    """Write a figure in as few characters as it takes."""
    if value is None:
        return "–"
    if name in ("accuracy", "clipped", "saturated"):
        return f"{value:.0%}"
    if name == "seconds":
        return f"{value:.1f}"
    return str(value) if isinstance(value, int) else short(value, 3 if name != "loss" else 4)
