"""What passes between the steps of a sequence on the way back, where not everything does."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array
from bpttcli.record import Record


class Edges(Protocol):
    """A modified sweep: R rows of adjoints that share a trajectory and add up to one.

    An edge leads from a step to the one before it, in all layers and states alike; the edge
    into the initial state always passes.
    """

    @property
    def rows(self) -> int:
        """Number of rows R."""
        ...

    def passing(self, start: int, stop: int) -> Array:
        """Factor on what passes from each of the steps start + 1 … stop to the one before it.

        Returns
        -------
        (n, R) array
            0 cuts, 1 lets pass.
        """
        ...

    def entering(self, start: int, stop: int) -> Array | None:
        """Weight with which the loss of each of these steps enters each row.

        Returns
        -------
        (n, R) array or None
            None where it enters every row whole.
        """
        ...


class Factors(Record, frozen=True):
    """One row whose edges have the factors given.

    Parameters
    ----------
    factor : (T,) array
        On what passes from step t to step t − 1, t = 1 … T; the first must be 1.
    """

    factor: Array

    @property
    def rows(self) -> int:
        """One."""
        return 1

    def passing(self, start: int, stop: int) -> Array:
        """Slice the factors (see `Edges.passing`)."""
        return self.factor[start:stop, None]

    def entering(self, start: int, stop: int) -> None:
        """Every loss enters whole (see `Edges.entering`)."""
        return


def into_rows(hidden: Array | None, weights: Array | None, rows: int) -> Array | None:
    """Let what the loss says enter the rows of a sweep.

    Parameters
    ----------
    hidden : (n, N, H) array or None
        ∂ℓ_n/∂h_t through each step's own loss, as a `Source` gives it.
    weights : (n, R) array or None
        As `Edges.entering` gives them.
    rows : int
        R.

    Returns
    -------
    (n, R, N, H) array or None
    """
    if hidden is None:
        return None
    wide = hidden[:, None]
    if weights is None:
        return np.broadcast_to(wide, (len(hidden), rows, *hidden.shape[1:]))
    each = weights[:, :, None, None]
    with np.errstate(invalid="ignore"):
        # What does not enter may well be infinite.
        return np.where(each == 0, 0.0, each * wide)


def rows_entered(edges: Edges | None, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the rows that the losses of some steps enter.

    Parameters
    ----------
    edges : Edges or None
        None for a single row that everything enters.
    steps : (n,) array of int
        From 1 to T.

    Returns
    -------
    (m,) array of int
        Rising, from 0.
    """
    if edges is None:
        return np.zeros(1, dtype=np.int64)
    entered = np.zeros(edges.rows, dtype=bool)
    for step in np.unique(steps):
        weights = edges.entering(int(step) - 1, int(step))
        entered |= True if weights is None else weights[0] != 0
    return np.flatnonzero(entered)
