"""Pictures made of characters that every terminal has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from bpttcli.record import Record

# A character is about twice as high as it is wide.
_PLANE_WIDTH, _PLANE_HEIGHT = 49, 25
_CURVE_WIDTH, _CURVE_HEIGHT = 60, 15

Point = tuple[float, float]


class Curve(Record, frozen=True):
    """Points that are drawn with one mark.

    Parameters
    ----------
    mark : str
        One character of ASCII.
    name : str
        For the legend.
    points : list of (float, float)
        Finite.
    """

    mark: str
    name: str
    points: list[Point]


def complex_plane(values: Iterable[complex]) -> list[str]:
    """Draw numbers on the complex plane, with the unit circle.

    Parameters
    ----------
    values : iterable of complex
        Finite.

    Returns
    -------
    list of str
        Lines: ``o`` a number, ``8`` several in one place, ``.`` the unit circle.
    """
    numbers = list(values)
    reach = 1.08 * max([1.0, *(max(abs(z.real), abs(z.imag)) for z in numbers)])
    across, down = _PLANE_WIDTH // 2, _PLANE_HEIGHT // 2

    def place(x: float, y: float) -> tuple[int, int]:
        return down - round(y / reach * down), across + round(x / reach * across)

    canvas = [[" "] * _PLANE_WIDTH for _ in range(_PLANE_HEIGHT)]
    for row in canvas:
        row[across] = "|"
    canvas[down] = ["-"] * _PLANE_WIDTH
    canvas[down][across] = "+"
    for i in range(8 * _PLANE_WIDTH):
        angle = 2 * math.pi * i / (8 * _PLANE_WIDTH)
        row_index, column = place(math.cos(angle), math.sin(angle))
        canvas[row_index][column] = "."
    taken: set[tuple[int, int]] = set()
    for z in numbers:
        at = place(z.real, z.imag)
        canvas[at[0]][at[1]] = "8" if at in taken else "o"
        taken.add(at)
    return ["".join(row).rstrip() for row in canvas]


def log_log(curves: Sequence[Curve]) -> list[str]:
    """Draw curves of decimal logarithms against steps on a logarithmic scale.

    Parameters
    ----------
    curves : sequence of Curve
        Points (k, log10 of the value), k ≥ 1. A later curve covers an earlier one.

    Returns
    -------
    list of str
        Lines, the legend last; none where there is nothing to draw.
    """
    drawn = [curve for curve in curves if curve.points]
    points = [point for curve in drawn for point in curve.points]
    if not points:
        return []
    longest = max(max(k for k, _ in points), 10.0)
    low, high = min(y for _, y in points), max(y for _, y in points)
    # What hardly changes must not look as if it did.
    middle, half = (low + high) / 2, max((high - low) / 2, 0.5)
    low, high = middle - half, middle + half
    canvas = [[" "] * _CURVE_WIDTH for _ in range(_CURVE_HEIGHT)]
    for curve in drawn:
        for k, y in curve.points:
            column = round((_CURVE_WIDTH - 1) * math.log10(k) / math.log10(longest))
            row = round((_CURVE_HEIGHT - 1) * (high - y) / (high - low))
            canvas[row][column] = curve.mark
    labels = [""] * _CURVE_HEIGHT
    labels[0], labels[-1] = f"1e{high:+.1f}", f"1e{low:+.1f}"
    width = max(len(label) for label in labels)
    lines = [
        f"{label:>{width}} |{''.join(row)}".rstrip()
        for label, row in zip(labels, canvas, strict=True)
    ]
    lines.append(f"{'':{width}} +{'-' * _CURVE_WIDTH}")
    end = f"k = {longest:g}"
    lines.append(f"{'':{width}}  1{end:>{_CURVE_WIDTH - 1}}")
    legend = "   ".join(f"{curve.mark} {curve.name}" for curve in drawn)
    return [*lines, f"{'':{width}}  {legend}"]
