"""How many edges the gradient of one loss crosses before it is cut."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from bpttcli.engine.scaled import Array
from bpttcli.record import Record


class Stopping(Record, frozen=True):
    """The law of J, the random number of edges between a loss at step τ and the last cut.

    Parameters
    ----------
    hazard : (τ − 1,) array
        P(J = j − 1 | J ≥ j − 1): that the j-th edge back is cut if none before it was,
        j = 1 … τ − 1.
    log2 : (τ,) array
        log₂ P(J ≥ k), k = 0 … τ − 1: of 4000 edges, each cut with probability ½, float64
        would say that none is ever crossed.
    """

    hazard: Array
    log2: Array

    @classmethod
    def alike(cls, probability: float, steps: int) -> Stopping:
        """Cut all edges with one probability, below 1."""
        log2 = np.arange(steps) * (np.log1p(-probability) / np.log(2.0))
        return cls(np.full(steps - 1, probability), log2)


@runtime_checkable
class Stopped(Protocol):
    """An estimator that takes what crosses k edges with a weight of k alone, or not at all."""

    def stopping(self, steps: int) -> Stopping:
        """Tell how far the gradient of a loss at step `steps` comes."""
        ...
