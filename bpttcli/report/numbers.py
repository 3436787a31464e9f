"""How numbers are written, for machines and for people."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bpttcli.engine.scaled import Scaled

Figure = float | int | None


def figure(value: Any) -> float | None:
    """One number for a machine: what is not finite becomes None, for JSON has no such number."""
    number = float(value)
    return number if math.isfinite(number) else None


def figures(values: Any) -> list[float | None]:
    """Numbers for a machine, each as in `figure`."""
    array = np.asarray(values, dtype=np.float64)
    listed: list[float | None] = array.tolist()
    if not np.isfinite(array).all():
        for i in np.flatnonzero(~np.isfinite(array)):
            listed[i] = None
    return listed


def scaled(name: str, value: Scaled) -> dict[str, list[float | None]]:
    """Columns `name` and `name`_log10 of numbers that may leave float64's range."""
    return {name: figures(value.value), f"{name}_log10": figures(value.log10)}


def scientific(value: float | None, log10: float | None, digits: int = 2) -> str:
    """Write a magnitude for people, also one that float64 cannot hold: ``3.16e-1000``.

    Examples
    --------
    >>> scientific(0.0, -999.5), scientific(1.5, 0.176), scientific(None, None)
    ('3.16e-1000', '1.50e+00', '–')
    >>> scientific(0.0, None)
    '0'
    """
    if log10 is None:
        return "0" if value == 0 else "–"
    if value is not None and value != 0:
        return f"{value:.{digits}e}"
    exponent = math.floor(log10)
    mantissa = round(10 ** (log10 - exponent), digits)
    if mantissa >= 10:
        mantissa, exponent = 1.0, exponent + 1
    return f"{mantissa:.{digits}f}e{exponent:+03d}"


def short(value: float | None, digits: int = 4) -> str:
    """Write an ordinary number for people; a dash for none.

    Examples
    --------
    >>> short(0.16666), short(None), short(1.0)
    ('0.1667', '–', '1')
    """
    return "–" if value is None else f"{value:.{digits}g}"
