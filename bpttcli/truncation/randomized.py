"""Cuts at random, with or without the weights that make the estimate unbiased."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.edges import Factors
from bpttcli.record import Record
from bpttcli.truncation.bounds import within
from bpttcli.truncation.estimator import Targets
from bpttcli.truncation.label import written
from bpttcli.truncation.stopping import Stopping


class Moments(Record, frozen=True):
    """Mean and variance of the factor on an edge, all edges being independent and alike.

    Parameters
    ----------
    mean : float
    variance : float
        Not the mean square: from it, a small variance would come with few of its digits.
    """

    mean: float
    variance: float


class Randomized(Record, frozen=True):
    """Cut each edge with probability p, and multiply what passes by 1/(1 − p).

    The estimate is unbiased. Its variance is finite for every sequence, but may grow with the
    length: of a scalar network b with the loss at the last step it converges for p < 1 − b².

    Parameters
    ----------
    probability : float
        p, in [0, 1).

    References
    ----------
    Tallec & Ollivier 2017, *Unbiasing truncated backpropagation through time*
    (arXiv:1705.08209), with a constant probability.
    """

    probability: float

    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the numbers (see `bounds`)."""
        within(self.probability, "probability", 0.0, 1.0)

    @property
    def label(self) -> str:
        """``randomized(p)``."""
        return f"randomized({written(self.probability)})"

    @property
    def moments(self) -> Moments:
        """1 and p/(1 − p)."""
        return Moments(1.0, self.probability / (1.0 - self.probability))

    def edges(self, targets: Targets, rng: np.random.Generator) -> Factors | None:
        """Cut at random (see `Estimator.edges`)."""
        kept = 1.0 / (1.0 - self.probability)
        return _cut(targets, self.probability, kept, rng)

    def mean(self, targets: Targets) -> None:
        """Return None: the estimate is unbiased."""
        return

    def stopping(self, steps: int) -> Stopping:
        """Tell how far the gradient of a loss comes (see `Stopped.stopping`)."""
        return Stopping.alike(self.probability, steps)


class Unreweighted(Record, frozen=True):
    """Cut each edge with probability p, and let pass what passes as it is.

    Biased: what crosses k edges has the weight (1 − p)^k in the mean.

    Parameters
    ----------
    probability : float
        p, in [0, 1).
    """

    probability: float

    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the numbers (see `bounds`)."""
        within(self.probability, "probability", 0.0, 1.0)

    @property
    def label(self) -> str:
        """``unreweighted(p)``."""
        return f"unreweighted({written(self.probability)})"

    @property
    def moments(self) -> Moments:
        """1 − p and p(1 − p)."""
        return Moments(1.0 - self.probability, self.probability * (1.0 - self.probability))

    def edges(self, targets: Targets, rng: np.random.Generator) -> Factors | None:
        """Cut at random (see `Estimator.edges`)."""
        return _cut(targets, self.probability, 1.0, rng)

    def mean(self, targets: Targets) -> Factors | None:
        """Let the share 1 − p of everything pass (see `Estimator.mean`)."""
        if self.probability == 0:
            return None
        factor = np.full(len(targets), 1.0 - self.probability)
        factor[0] = 1.0
        return Factors(factor)

    def stopping(self, steps: int) -> Stopping:
        """Tell how far the gradient of a loss comes (see `Stopped.stopping`)."""
        return Stopping.alike(self.probability, steps)


def _cut(
    targets: Targets, probability: float, kept: float, rng: np.random.Generator
) -> Factors | None:
    """Draw which edges are cut; the others get the factor `kept`."""
    if probability == 0:
        return None
    factor = np.ones(len(targets))
    factor[1:] = np.where(rng.random(len(targets) - 1) < probability, 0.0, kept)
    return Factors(factor)
