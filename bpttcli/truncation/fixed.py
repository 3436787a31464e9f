"""Segments of a fixed length: the truncation that training loops do."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.edges import Factors
from bpttcli.record import Record
from bpttcli.truncation.bounds import whole_steps
from bpttcli.truncation.estimator import Targets


class Fixed(Record, frozen=True):
    """Cut the sequence into segments of K steps: 1 … K, K + 1 … 2K and so on.

    The state passes on from one to the next, the gradient does not. In the stationary state
    the part of the gradient that crosses k edges is kept with weight (1 − k/K)₊: the bias
    falls as slowly as 1/K.

    Parameters
    ----------
    length : int
        K, in steps.

    References
    ----------
    Williams & Peng 1990, Neural Computation 2:490, BPTT(h; h′) with h = h′ = K.
    """

    length: int

    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the numbers (see `bounds`)."""
        whole_steps(self.length, "length")

    @property
    def label(self) -> str:
        """``fixed(K)``."""
        return f"fixed({self.length})"

    def edges(self, targets: Targets, rng: np.random.Generator) -> Factors | None:
        """Cut every K steps (see `Estimator.edges`)."""
        return self.mean(targets)

    def mean(self, targets: Targets) -> Factors | None:
        """Cut every K steps (see `Estimator.mean`)."""
        if self.length >= len(targets):
            return None
        factor = np.ones(len(targets))
        factor[self.length :: self.length] = 0.0
        return Factors(factor)
