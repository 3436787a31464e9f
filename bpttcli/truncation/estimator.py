"""What every estimator of the gradient says of itself."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.edges import Edges

Targets = NDArray[np.bool_]
"""(T,): whether any sequence has a target at step t = 1 … T."""


class Estimator(Protocol):
    """A way to let less than the whole gradient pass.

    Its estimate of ∂L/∂θ is that of a sweep over the edges that it leaves.
    """

    @property
    def label(self) -> str:
        """What it is called in a report, ``fixed(20)``."""
        ...

    @property
    def random(self) -> bool:
        """Whether two estimates of the same gradient may differ."""
        ...

    def edges(self, targets: Targets, rng: np.random.Generator) -> Edges | None:
        """Make one estimate's edges.

        Parameters
        ----------
        targets : (T,) array of bool
        rng : numpy.random.Generator
            The source of the cuts; untouched by an estimator that is not random.

        Returns
        -------
        Edges or None
            None where everything passes: the exact gradient.
        """
        ...

    def mean(self, targets: Targets) -> Edges | None:
        """Make edges whose estimate is the mean over all estimates.

        Returns
        -------
        Edges or None
            None for an estimator without bias.
        """
        ...
