"""How the numbers of an estimator are written in its name."""

from __future__ import annotations


def written(number: float) -> str:
    """Write a number as short as it can be told from every other.

    Examples
    --------
    >>> written(0.05), written(16.0), written(1e-6), written(0.1234567)
    ('0.05', '16', '1e-06', '0.1234567')
    """
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))
