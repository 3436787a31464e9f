"""A window that slides along: the loss of every step is sent back through the same number."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.edges import Edges
from bpttcli.engine.scaled import Array
from bpttcli.record import Record
from bpttcli.truncation.bounds import whole_steps
from bpttcli.truncation.estimator import Targets


class Sliding(Record, frozen=True):
    """Send the loss of each step back through K steps exactly (K = 1: through its own).

    Up to K rows share one sweep: row r takes the losses of the steps τ with τ mod K = r, and
    is cut where the next of them enters.

    Parameters
    ----------
    length : int
        K, in steps.

    References
    ----------
    Williams & Peng 1990, Neural Computation 2:490, BPTT(h) with h = K.
    """

    length: int

    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the numbers (see `bounds`)."""
        whole_steps(self.length, "length")

    @property
    def label(self) -> str:
        """``sliding(K)``."""
        return f"sliding({self.length})"

    def edges(self, targets: Targets, rng: np.random.Generator) -> Edges | None:
        """Cut each step's loss after K steps (see `Estimator.edges`)."""
        return self.mean(targets)

    def mean(self, targets: Targets) -> Edges | None:
        """Cut each step's loss after K steps (see `Estimator.mean`)."""
        if self.length >= len(targets):
            return None
        steps = np.flatnonzero(targets) + 1
        return Windows(self.length, np.unique(steps % self.length))


class Windows(Record, frozen=True):
    """Edges of windows of one length that end at the steps of each row.

    Parameters
    ----------
    length : int
        K.
    residues : (R,) array of int
        τ mod K of the steps τ whose loss enters each row.
    """

    length: int
    residues: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """R, at most K."""
        return len(self.residues)

    def passing(self, start: int, stop: int) -> Array:
        """Cut each row K steps before its next loss (see `Edges.passing`)."""
        factor = np.ones((stop - start, self.rows))
        factor[self._ends(start - 1, stop - 1)] = 0.0
        if start == 0:
            factor[0] = 1.0
        return factor

    def entering(self, start: int, stop: int) -> Array | None:
        """Let each step's loss enter its own row (see `Edges.entering`)."""
        # A single row has every target; steps without one have nothing that could enter.
        return None if self.rows == 1 else self._ends(start, stop).astype(np.float64)

    def _ends(self, start: int, stop: int) -> NDArray[np.bool_]:
        """Tell which of the steps start + 1 … stop end a window of which row, (n, R)."""
        steps = np.arange(start + 1, stop + 1)[:, None]
        return np.asarray(steps % self.length == self.residues)
