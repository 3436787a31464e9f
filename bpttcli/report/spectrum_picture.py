"""The picture of a spectrum: eigenvalues on the plane, and growth over k steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpttcli.report.plot import new_figure
from bpttcli.report.spectrum_view import curves, name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From Okabe & Ito's palette, which people with any colour vision tell apart.
_COLOURS = {".": "#999999", "o": "#0072B2", "x": "#D55E00"}
_MARKS = {".": "", "o": "o", "x": "x"}


def spectrum_picture(document: dict[str, Any]) -> Figure:
    """Draw a spectrum.

    Parameters
    ----------
    document : dict
        The JSON.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(10.0, 4.6)
    plane, growth = figure.subplots(1, 2)
    _draw_plane(plane, document["layers"])
    _draw_growth(growth, document)
    return figure


def _draw_plane(axes: Axes, layers: list[dict[str, Any]]) -> None:
    """Eigenvalues and the unit circle."""
    angle = np.linspace(0.0, 2.0 * np.pi, 361)
    axes.plot(np.cos(angle), np.sin(angle), color="#999999", linewidth=1, label="unit circle")
    for layer in layers:
        finite = [value for value in layer["eigenvalues"] if value["abs"] is not None]
        real, imaginary = ([value[part] for value in finite] for part in ("re", "im"))
        axes.plot(real, imaginary, "o", markersize=3.5, alpha=0.8, label=name_of(layer))
    axes.axhline(0.0, color="#cccccc", linewidth=0.6, zorder=0)
    axes.axvline(0.0, color="#cccccc", linewidth=0.6, zorder=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set(title="Eigenvalues of B", xlabel="real part", ylabel="imaginary part")
    axes.legend(fontsize="small", loc="upper right")


def _draw_growth(axes: Axes, document: dict[str, Any]) -> None:
    """ρ^k, ‖B^k‖ and the Jacobian product against k, as decimal logarithms."""
    for mark, name, points in curves(document):
        if points:
            k, log10 = zip(*points, strict=True)
            colour, marker = _COLOURS[mark], _MARKS[mark]
            axes.plot(k, log10, color=colour, marker=marker, ms=4, lw=1.2, label=name)
    axes.axhline(0.0, color="#cccccc", linewidth=0.6, zorder=0)
    axes.set_xscale("log")
    # Logarithms, not values: what is drawn may be beyond the range of float64.
    axes.set(title="Growth over k steps", xlabel="k", ylabel="log10 of the largest growth")
    if axes.lines[1:]:
        axes.legend(fontsize="small")
