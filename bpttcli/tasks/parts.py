"""What a network is trained on, and what is kept aside to test it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpttcli.record import Record
from bpttcli.tasks.streams import Stream
from bpttcli.tasks.task import Supply


class Parts(Record, frozen=True):
    """Two parts of a task that have no sequence in common.

    Parameters
    ----------
    train : Supply
        Draws the sequences of one update.
    stream : callable
        Makes endless sequences of the same part (see `Task.stream`).
    held_out : Supply or None
        Draws sequences that are not trained on; None where there are none to spare.
    """

    train: Supply
    stream: Callable[[np.random.Generator], Stream]
    held_out: Supply | None


def set_aside(length: int, share: float, window: int) -> int:
    """Decide how much of the end of a series of `length` values is kept aside.

    Parameters
    ----------
    length : int
        M.
    share : float
        Of it that should be.
    window : int
        Values that one sequence takes: both parts must hold one.

    Returns
    -------
    int
        0 if the series is too short for that, or nothing is asked for.

    Examples
    --------
    >>> set_aside(1000, 0.1, 20), set_aside(1000, 0.1, 200), set_aside(1000, 0.1, 600)
    (100, 200, 0)
    """
    wanted = max(round(share * length), window) if share else 0
    return wanted if length - wanted >= window else 0


def chosen_aside(
    count: int, share: float, rng: np.random.Generator
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Choose at random which of `count` sequences are trained on, and which are kept aside.

    Returns
    -------
    train, aside : (n,) arrays of int
        Ascending; at least one of them is trained on.
    """
    aside = min(round(share * count), count - 1)
    order = rng.permutation(count)
    return np.sort(order[aside:]), np.sort(order[:aside])
