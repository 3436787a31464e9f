"""Pictures as files, drawn with matplotlib where it is installed (the extra ``plot``)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from bpttcli.errors import InputError
from bpttcli.files import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
_DOTS_PER_INCH = 144


def check_plot(path: str) -> None:
    """Refuse a picture that could not be drawn, before a run is spent on it.

    Parameters
    ----------
    path : str

    Raises
    ------
    InputError
        Its name has another ending, or matplotlib is not installed.
    """
    from importlib.util import find_spec

    if Path(path).suffix.lower() not in SUFFIXES:
        raise InputError(f"must end in {', '.join(SUFFIXES)}, got {path}", key="plot")
    if find_spec("matplotlib") is None:
        raise InputError("needs matplotlib: pip install 'bptt[plot]'", key="plot")


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure, with no window and no state of matplotlib's own.

    Parameters
    ----------
    width, height : float
        Inches.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str) -> None:
    """Write a figure, whole or not at all; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str
        Its ending decides on the format.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    from matplotlib import rc_context

    form = Path(path).suffix.lower().removeprefix(".")
    # Without these, SVG carries the time and random names, and PDF the time.
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    drawn = io.BytesIO()
    with rc_context({"svg.hashsalt": "bptt", "svg.fonttype": "path"}):
        figure.savefig(drawn, format=form, dpi=_DOTS_PER_INCH, metadata=undated.get(form))
    with atomic(path) as stream:
        stream.write(drawn.getvalue())
