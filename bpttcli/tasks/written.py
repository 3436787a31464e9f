"""Numbers that are written out, in a csv file or in an experiment, rather than saved.

They have no type, and those of a single sequence no batch axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError
from bpttcli.tasks.layout import lay_out
from bpttcli.tasks.numeric import numbers
from bpttcli.tasks.sequences import Sequences


def lay_out_written(
    arrays: Mapping[str, NDArray[Any]], *, tokens: bool = False, batch_first: bool = False
) -> Sequences:
    """Make sequences of arrays whose numbers were written out.

    Parameters
    ----------
    arrays : mapping of str to array
        As for `lay_out`, or without the axis N of a single sequence: ``x`` (T, I), or (T,)
        with one input or of tokens; ``y`` (T,) or (T, O); ``mask`` (T,); ``h0`` and ``c0``
        (layers, H), or (H,) of one layer.
    tokens : bool
        x holds symbols; otherwise it is real even where it is written in integers.
    batch_first : bool
        The first two axes of x, y and mask are N, T.

    Returns
    -------
    Sequences

    Raises
    ------
    InputError
        As `lay_out`; or `batch_first` where there is no batch axis.
    """
    x = numbers(arrays["x"], "task.x")
    if not tokens:
        x = x.astype(np.float64)
    if 0 < x.ndim < (2 if tokens else 3):
        if batch_first:
            raise InputError("must be false where x has no batch axis", key="task.batch_first")
        arrays = {name: _with_batch_axis(name, array, len(x)) for name, array in arrays.items()}
        x = x[:, None] if tokens or x.ndim == 2 else x[:, None, None]
    return lay_out({**arrays, "x": x}, tokens=tokens, batch_first=batch_first)


def _with_batch_axis(name: str, array: NDArray[Any], steps: int) -> NDArray[Any]:
    """Restore the axis N = 1 of an array beside x, unless it has one or is of one step."""
    if name == "lengths":
        return array
    if name in ("h0", "c0"):
        return np.atleast_2d(array)[:, None] if array.ndim < 3 else array
    lacks = array.ndim == 1 or (array.ndim == 2 and array.shape[1] > 1)
    return array[:, None] if lacks and len(array) == steps else array
