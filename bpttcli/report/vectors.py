"""Vectors and matrices as a person reads them: number by number if they are small, else norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bpttcli.diagnostics.repeated_factor import IN_FULL
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.report.numbers import figure, scientific, short


def is_small(*sizes: int) -> bool:
    """Whether an array of these sizes is written out."""
    return max(sizes, default=1) <= IN_FULL


def vector(values: Scaled | Array) -> str:
    """Write a vector in one line: ``(0.5 -1)``, or ``norm 12.3``; one number stands alone.

    Examples
    --------
    >>> vector(np.array([0.5, -1.0])), vector(np.array([3.0])), vector(np.ones(9))
    ('(0.5 -1)', '3', 'norm 3')
    """
    plain = _plain(values)
    if plain is None:
        return f"norm {norm(values)}"
    words = [number(value, len(plain)) for value in plain]
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


def column(values: Scaled | Array) -> str:
    """Write a vector as a column, a line a number."""
    plain = _plain(values)
    return f"norm {norm(values)}" if plain is None else _lines(plain[:, None])


def matrix(values: Scaled | Array) -> str:
    """Write a matrix, a line a row; a vector as `vector` does.

    Examples
    --------
    >>> print(matrix(np.array([[10.0, 4.0], [0.5, 0.0]])))
    ( 10 4)
    (0.5 0)
    """
    plain = _plain(values)
    if plain is None:
        return f"norm {norm(values)}"
    return vector(values) if plain.ndim == 1 else _lines(plain)


def norm(values: Scaled | Array) -> str:
    """Write the Euclidean norm of all numbers."""
    scaled = values if isinstance(values, Scaled) else Scaled.of(values)
    with np.errstate(all="ignore"):
        found = scaled.norm()
    return magnitude(found)


def magnitude(value: Scaled) -> str:
    """Write one number that is not negative, also one that float64 cannot hold.

    Examples
    --------
    >>> magnitude(Scaled.of(12.5)), magnitude(Scaled.of(1.1**100)), magnitude(Scaled.of(1e-9))
    ('12.5', '13781', '1.00e-09')
    """
    plain = float(value.value)
    if math.isnan(plain):
        return "–"
    if value.mantissa == 0 or 1e-3 <= plain < 1e4:
        return short(plain)
    if 1e4 <= plain < 1e6:
        return f"{plain:.0f}"
    return scientific(figure(plain), figure(value.log10))


def number(value: float, among: int = 1) -> str:
    """Write one number among so many: four digits, or three where room is short."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "−∞" if value < 0 else "∞"
    return short(value + 0.0, 4 if among <= 2 else 3)


def _plain(values: Scaled | Array) -> Any:
    """The numbers, if they are few enough and float64 can hold them."""
    array = values.mantissa if isinstance(values, Scaled) else values
    if not is_small(*array.shape):
        return None
    if not isinstance(values, Scaled):
        return array
    plain = values.value
    lost = ((plain == 0) != (array == 0)) | (np.isinf(plain) & np.isfinite(array))
    return None if lost.any() else plain


def _lines(values: Array) -> str:
    """Write rows under each other, their numbers aligned."""
    rows = [[number(value, values.shape[1]) for value in row] for row in values.tolist()]
    widths = [max(map(len, place)) for place in zip(*rows, strict=True)]
    lines = [" ".join(w.rjust(n) for w, n in zip(row, widths, strict=True)) for row in rows]
    return lines[0] if values.size == 1 else "\n".join(f"({line})" for line in lines)
