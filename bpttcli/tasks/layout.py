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
NAMES = ("x", "y", "h0", "c0", "mask", "lengths")

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
        - ``mask``: (T, N), the steps that carry a target. Elsewhere y may be -100 or NaN.
        - ``lengths``: (N,), the steps that each sequence has. Beyond, x and y may be anything.
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
    used = _used(arrays, batch_first=batch_first)
    x = numbers(_blanked(arrays["x"], used), "task.x")
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

    mask = None
    if "mask" in arrays:
        mask = flags(arrays["mask"], "task.mask")
        if mask.shape != lead:
            message = f"must have the shape ({axes}) = {lead}, got {mask.shape}"
            raise InputError(message, key="task.mask")
        mask = mask if used is None else mask & used
    y, n_outputs = None, None
    at: Literal["every", "last"] = "last"
    loss: Literal["cross_entropy", "mse"] | None = None
    if "y" in arrays:
        given = _blanked(arrays["y"], used)
        if mask is not None and given.dtype.kind in "iuf" and given.shape[:2] == mask.shape:
            given = _blanked(given, mask | _could_be_targets(given))
        y, at = _targets(numbers(given, "task.y"), lead, axes)
        y = time_major(y) if at == "every" else y
        loss = "cross_entropy" if y.dtype == np.int64 else "mse"
        n_outputs = _count(y, "task.y") if loss == "cross_entropy" else y.shape[2]
    return Sequences(
        x=time_major(x),
        n_inputs=_count(x, "task.x") if symbols else x.shape[2],
        y=y,
        n_outputs=n_outputs,
        loss=loss,
        at=at,
        mask=None if mask is None else time_major(mask),
        lengths=arrays.get("lengths"),
        h0=arrays.get("h0"),
        c0=arrays.get("c0"),
    )


def _used(arrays: Mapping[str, NDArray[Any]], *, batch_first: bool) -> NDArray[np.bool_] | None:
    """Tell the steps of x that are no padding, its first two axes; None if all are used."""
    x, lengths = arrays["x"], arrays.get("lengths")
    if lengths is None or x.ndim < 2:
        return None
    steps, batch = x.shape[1::-1] if batch_first else x.shape[:2]
    if lengths.shape != (batch,):
        message = f"must have the shape (N,) = ({batch},), got {lengths.shape}"
        raise InputError(message, key="task.lengths")
    if lengths.dtype.kind not in "iu":
        raise InputError(f"must hold integers, got {lengths.dtype}", key="task.lengths")
    inside = np.arange(steps)[:, None] < lengths
    return np.asarray(inside.T if batch_first else inside)


def _blanked(values: NDArray[Any], used: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Put zeros where nothing is used: padding may be -100, or NaN."""
    if used is None or values.dtype.kind not in "iuf" or values.shape[:2] != used.shape[:2]:
        return values
    used = used.reshape(used.shape + (1,) * (values.ndim - used.ndim))
    return np.where(used, values, values.dtype.type(0))


def _could_be_targets(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell classes and finite numbers from what marks the absence of a target, by step."""
    good = np.isfinite(y) if y.dtype.kind == "f" else y >= 0
    return np.asarray(good.all(axis=-1) if y.ndim == 3 else good)


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
