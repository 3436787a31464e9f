"""What may be asked about a bare matrix: checked once, at the border."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError

LARGEST_POWER = 1_000_000


def checked_matrix(matrix: Any) -> Array:
    """Take a square, real, finite matrix as float64.

    Parameters
    ----------
    matrix : (n, n) array_like

    Returns
    -------
    (n, n) array

    Raises
    ------
    InputError
        With the key ``matrix``: which shape, kind or entry is wrong.
    """
    try:
        given = np.asarray(matrix)
    except ValueError:
        raise InputError("must be square, got rows of unequal length", key="matrix") from None
    if given.dtype.kind not in "iuf":
        raise InputError(f"must hold real numbers, got type {given.dtype}", key="matrix")
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise InputError(
            f"must be square with at least one row, got shape {given.shape}", key="matrix"
        )
    with np.errstate(over="ignore"):  # an extended float may leave the range: not finite below
        B = given.astype(np.float64)
    wrong = np.argwhere(~np.isfinite(B))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"must be finite, got {given[row, column]} at row {row + 1}, column {column + 1}",
            key="matrix",
        )
    return B


def checked_powers(powers: Any) -> list[int]:
    """Take a list of powers k.

    Parameters
    ----------
    powers : sequence of int

    Returns
    -------
    list of int

    Raises
    ------
    InputError
        With the key ``powers``: which one is not an integer from 0 to 1,000,000.
    """
    if not isinstance(powers, Sequence | np.ndarray) or isinstance(powers, str):
        raise InputError(f"must be a list of integers, got {powers!r}", key="powers")
    return [_integer(k, 0, LARGEST_POWER, "", key="powers") for k in powers]


def checked_top(top: Any, size: int) -> int:
    """Take the number of eigenvalues that are wanted.

    Parameters
    ----------
    top : int
    size : int
        Of the matrix.

    Returns
    -------
    int

    Raises
    ------
    InputError
        With the key ``top``, if it is not an integer from 1 to the size.
    """
    return _integer(top, 1, size, " (the size of the matrix)", key="top")


def _integer(value: Any, lowest: int, highest: int, what: str, *, key: str) -> int:
    """Take an integer, NumPy's included, but no boolean and no float."""
    try:
        number = None if isinstance(value, bool | np.bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not lowest <= number <= highest:
        raise InputError(
            f"must be an integer from {lowest} to {highest}{what}, got {value!s}", key=key
        )
    return number
