"""Sequences of different lengths, padded to one."""

from __future__ import annotations

from typing import Any

from bpttcli.errors import InputError

# Of these each sequence has an entry a step; the padding of a mask is no target.
_BY_STEP = ("x", "y", "mask")


def pad(lists: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Pad sequences to the longest of them with zeros, and tell their lengths.

    Parameters
    ----------
    lists : dict of str to list
        ``x``, and with it perhaps ``y`` and ``mask``: a list of sequences, each a list of
        steps. Others, and a y that has one entry a sequence, are left alone.

    Returns
    -------
    dict of str to list
        With ``lengths``, if the sequences of x differ in length; else `lists` itself.

    Raises
    ------
    InputError
        Lengths that are given too, or that y or the mask contradicts.

    Examples
    --------
    >>> pad({"x": [[1, 2, 3], [4]], "y": [0, 1]})
    {'x': [[1, 2, 3], [4, 0, 0]], 'y': [0, 1], 'lengths': [3, 1]}
    """
    lengths = _lengths(lists["x"])
    if lengths is None or len(set(lengths)) < 2:
        return lists
    if "lengths" in lists:
        raise InputError(
            "must not stand beside sequences of different lengths, which have theirs already",
            key="task.lengths",
        )
    padded = dict(lists)
    for name in _BY_STEP:
        found = _lengths(lists.get(name))
        if found == lengths:
            padded[name] = [_filled(one, max(lengths)) for one in lists[name]]
        elif found is not None and len(set(found)) > 1:
            raise InputError(
                f"must have the lengths of x, {lengths[:10]}, got {found[:10]}", key=f"task.{name}"
            )
    return {**padded, "lengths": lengths}


def _lengths(sequences: Any) -> list[int] | None:
    """Count the steps of each sequence; None where these are no sequences of steps."""
    if not isinstance(sequences, list) or not sequences:
        return None
    if not all(isinstance(one, list) and one for one in sequences):
        return None
    return [len(one) for one in sequences]


def _filled(sequence: list[Any], steps: int) -> list[Any]:
    """Append zeros of the kind that the steps are."""
    return [*sequence, *[_zero(sequence[-1])] * (steps - len(sequence))]


def _zero(step: Any) -> Any:
    """Make a step of zeros like another one."""
    if isinstance(step, list):
        return [_zero(entry) for entry in step]
    return False if isinstance(step, bool) else 0
