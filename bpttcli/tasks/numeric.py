"""What counts as numbers: finite reals and integers, from arrays or from nested lists."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError

_DEEPEST = 3  # axes that any array of a task has
_INT64 = 2**63


def numbers(values: NDArray[Any], key: str) -> NDArray[Any]:
    """Take an array as int64, if it holds integers, or as float64.

    Parameters
    ----------
    values : array
        Of any type and byte order.
    key : str
        What an error is about.

    Returns
    -------
    array of int64 or float64
        `values` itself where that is what it is.

    Raises
    ------
    InputError
        It is empty, or holds booleans, complex numbers, text, objects, a NaN, an infinity or
        an integer beyond 64 bits.

    Examples
    --------
    >>> numbers(np.array([1.0, np.inf], dtype=np.float32), "task.x")
    Traceback (most recent call last):
    bpttcli.errors.InputError: must be finite, got inf at index (1,)
    """
    if values.dtype.kind not in "iuf":
        message = f"must hold real numbers or integers, got the type {values.dtype.name}"
        raise InputError(message, key=key)
    if not values.size:
        raise InputError(f"must not be empty, got the shape {values.shape}", key=key)
    if values.dtype.kind == "f":
        with np.errstate(all="ignore"):  # what leaves the range of float64 is refused below
            values = values.astype(np.float64, copy=False)
        _require(np.isfinite(values), values, "must be finite", key)
    if values.dtype.kind == "u":
        _require(values < _INT64, values, "must be below 2**63", key)
    return values if values.dtype.kind == "f" else values.astype(np.int64, copy=False)


def flags(values: NDArray[Any], key: str) -> NDArray[np.bool_]:
    """Take an array as yes and no: booleans, or the numbers 0 and 1.

    Raises
    ------
    InputError
        It holds anything else.
    """
    if values.dtype.kind == "b":
        return np.asarray(values, dtype=np.bool_)
    values = numbers(values, key)
    _require((values == 0) | (values == 1), values, "must be true or false, or 0 or 1", key)
    return np.asarray(values != 0)


def from_lists(values: object, key: str) -> NDArray[Any]:
    """Make an array of nested lists.

    Parameters
    ----------
    values : object
        Numbers, or booleans, in lists of one length at each depth.
    key : str
        What an error is about.

    Returns
    -------
    array of int64, float64 or bool
        Integers if all the numbers are.

    Raises
    ------
    InputError
        The lists are ragged, empty or too deep, or hold something else.

    Examples
    --------
    >>> from_lists([[1, 2], [3, 4.5]], "task.x").shape
    (2, 2)
    """
    if not isinstance(values, list):
        raise InputError(f"must be a list, got the type {type(values).__name__}", key=key)
    shape, flat = [len(values)], values
    while flat and any(isinstance(item, list) for item in flat):
        lengths = {len(item) if isinstance(item, list) else None for item in flat}
        if len(lengths) > 1:
            short, long = sorted("a single value" if n is None else str(n) for n in lengths)[:2]
            raise InputError(f"must have rows of one length, got {short} and {long}", key=key)
        if len(shape) == _DEEPEST:
            raise InputError(f"must be nested at most {_DEEPEST} lists deep", key=key)
        shape.append(len(flat[0]))
        flat = [number for item in flat for number in item]
    kinds = {type(number) for number in flat}
    if not kinds <= {int, float} and kinds != {bool}:
        at = next(i for i, number in enumerate(flat) if type(number) not in (int, float))
        where = tuple(int(i) for i in np.unravel_index(at, shape))
        raise InputError(f"must hold numbers, got {str(flat[at])[:40]!r} at index {where}", key=key)
    integers = kinds == {int} and all(-_INT64 <= number < _INT64 for number in flat)
    dtype = np.bool_ if kinds == {bool} else np.int64 if integers else np.float64
    try:
        return np.array(flat, dtype=dtype).reshape(shape)
    except OverflowError:
        raise InputError("must hold numbers within the range of float64", key=key) from None


def _require(good: NDArray[np.bool_], values: NDArray[Any], expected: str, key: str) -> None:
    """Name the first value that is not as expected, if there is one."""
    if not good.all():
        where = tuple(int(i) for i in np.unravel_index(np.argmin(good), good.shape))
        raise InputError(f"{expected}, got {values[where]} at index {where}", key=key)
