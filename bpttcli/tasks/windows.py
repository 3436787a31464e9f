"""Windows cut from one long series, for predicting what comes next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError


def windows(
    series: NDArray[Any], steps: int, batch: int, rng: np.random.Generator, *, unit: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Cut windows at random offsets, all equally likely.

    Parameters
    ----------
    series : (M, …) array
        M values in their order.
    steps : int
        T.
    batch : int
        N, the number of windows; they may overlap.
    rng : numpy.random.Generator
    unit : str
        What there are M of, for a message: ``years``.

    Returns
    -------
    x, y : (T, N, …) arrays
        y is one step ahead of x; the two share their memory.

    Raises
    ------
    InputError
        A window is T + 1 values and the series is shorter.
    """
    if steps >= len(series):
        raise InputError(
            f"must be at most {len(series) - 1} (there are {len(series)} {unit}, and the last "
            f"is only a target), got {steps}",
            key="task.steps",
        )
    offset = rng.integers(0, len(series) - steps, batch)
    window = series[np.arange(steps + 1)[:, None] + offset]
    return window[:-1], window[1:]
