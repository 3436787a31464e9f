"""Arrays as people have them, laid out as the sequences that a network is fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError
from bpttcli.tasks.numeric import flags, numbers
from bpttcli.tasks.sequences import Sequences

#: The arrays that sequences are made of, by name.
NAMES = ("x", "y", "h0", "c0", "mask")

# Each symbol is a column of the input weights, each class a row of the readout.
_MOST_SYMBOLS = 1_000_000


def lay_out(
    arrays: Mapping[str, NDArray[Any]], *, tokens: bool = False, batch_first: bool = False
) -> Sequences:
    """Make sequences of arrays.

    Parameters
    ----------
    arrays : mapping of str to array
        - ``x``: (T, N, I), or (T, N) integers, which are symbols.
        - ``y``: at every step (T, N) or (T, N, O), at the last step alone (N,) or (N, O).
          Integers are classes (cross-entropy); reals are values (squared error), with O = 1
          if that axis is left out. Integers with an axis O are taken for reals. Where T = N
          lets y be either, it is taken for every step.
        - ``h0``, ``c0``: (layers, N, H).
        - ``mask``: (T, N), the steps that carry a target.
    tokens : bool
        Insist on symbols.
    batch_first : bool
        The first two axes of x, y and mask are N, T.

    Returns
    -------
    Sequences
        With the loss that y asks for. There are as many symbols as the largest one needs.

    Raises
    ------
    InputError
        An array has the wrong type, rank or shape, or holds what is no finite number.
    """
    axes = "N, T" if batch_first else "T, N"
    x = numbers(arrays["x"], "task.x")
    if tokens and x.dtype != np.int64:
        raise InputError(f"must hold integers, the tokens, got {x.dtype}", key="task.x")
    symbols = tokens or (x.ndim == 2 and x.dtype == np.int64)
    if x.ndim != (2 if symbols else 3):
        kinds = f"({axes})" if tokens else f"({axes}, I), or ({axes}) for integer symbols"
        raise InputError(
            f"must have the shape {kinds}, got {x.shape}{_hint(x, axes)}", key="task.x"
        )
    lead = x.shape[:2]

    def time_major(array: NDArray[Any]) -> NDArray[Any]:
        return array.swapaxes(0, 1) if batch_first else array

    y, n_outputs = None, None
    at: Literal["every", "last"] = "last"
    loss: Literal["cross_entropy", "mse"] | None = None
    if "y" in arrays:
        y, at = _targets(numbers(arrays["y"], "task.y"), lead, axes)
        y = time_major(y) if at == "every" else y
        loss = "cross_entropy" if y.dtype == np.int64 else "mse"
        n_outputs = _count(y, "task.y") if loss == "cross_entropy" else y.shape[2]
    mask = None
    if "mask" in arrays:
        mask = flags(arrays["mask"], "task.mask")
        if mask.shape != lead:
            message = f"must have the shape ({axes}) = {lead}, got {mask.shape}"
            raise InputError(message, key="task.mask")
        mask = time_major(mask)
    return Sequences(
        x=time_major(x),
        n_inputs=_count(x, "task.x") if symbols else x.shape[2],
        y=y,
        n_outputs=n_outputs,
        loss=loss,
        at=at,
        mask=mask,
        h0=arrays.get("h0"),
        c0=arrays.get("c0"),
    )


def _targets(
    y: NDArray[Any], lead: tuple[int, ...], axes: str
) -> tuple[NDArray[Any], Literal["every", "last"]]:
    """Tell targets at every step, left in their order, from those of the last one."""
    batch = lead[axes.split(", ").index("N")]
    classes = y.dtype == np.int64 and y.ndim < 3
    at: Literal["every", "last"]
    if y.shape[:2] == lead and y.ndim in (2, 3):
        at = "every"
    elif y.shape == (batch,) or (y.ndim == 2 and len(y) == batch and not classes):
        y, at = y[None], "last"
    else:
        raise InputError(
            f"must have the shape ({axes}) = {lead} or ({axes}, O), or for the last step alone "
            f"(N,) = ({batch},) or (N, O), got {y.shape} of {y.dtype}",
            key="task.y",
        )
    if classes:
        return y, at
    return (y if y.ndim == 3 else y[..., None]).astype(np.float64, copy=False), at


def _hint(x: NDArray[Any], axes: str) -> str:
    """Say how a single sequence gets the axes that it lacks."""
    if x.dtype == np.int64 or x.ndim not in (1, 2):
        return ""
    missing = {"T, N": ("x[:, None, None]", "x[:, None]"), "N, T": ("x[None, :, None]", "x[None]")}
    return f"; a single sequence is saved as {missing[axes][x.ndim - 1]}"


def _count(symbols: NDArray[Any], key: str) -> int:
    """Count the symbols that there must be for the largest one to be among them."""
    low, high = int(symbols.min()), int(symbols.max())
    if low < 0 or high >= _MOST_SYMBOLS:
        raise InputError(
            f"must hold integers from 0 to {_MOST_SYMBOLS - 1}, being symbols, got "
            f"{low if low < 0 else high} (values that are no symbols are floats: 3.0, not 3)",
            key=key,
        )
    return high + 1
