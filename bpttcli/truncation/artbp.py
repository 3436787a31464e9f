"""Random cuts whose probability falls with the distance since the last one."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.engine.edges import Factors
from bpttcli.engine.scaled import Array
from bpttcli.record import Record
from bpttcli.truncation.bounds import above
from bpttcli.truncation.estimator import Targets
from bpttcli.truncation.label import written


class Artbp(Record, frozen=True):
    """Anticipated reweighted truncated backpropagation.

    Going forward, the δ-th edge since the last cut is cut with probability
    c_δ = α/((α − 1)L₀ + δ), and what passes is multiplied by 1/(1 − c_δ): unbiased. Segments
    have mean length L₀ exactly and survive longer than l with probability ∝ l^−α, so the
    weights grow like a power of the lag and not exponentially.

    Parameters
    ----------
    alpha : float
        α > 1, the exponent.
    mean_length : float
        L₀ > 1, in steps.

    References
    ----------
    Tallec & Ollivier 2017, *Unbiasing truncated backpropagation through time*
    (arXiv:1705.08209), section 5.
    """

    alpha: float
    mean_length: float

    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the numbers (see `bounds`)."""
        above(self.alpha, "alpha", 1.0)
        above(self.mean_length, "mean_length", 1.0)

    @property
    def label(self) -> str:
        """``artbp(α,L₀)``."""
        return f"artbp({written(self.alpha)},{written(self.mean_length)})"

    def hazard(self, steps: int) -> Array:
        """Return the probabilities c_δ for δ = 1 … steps."""
        start = (self.alpha - 1.0) * self.mean_length
        return np.asarray(self.alpha / (start + np.arange(1, steps + 1)))

    def edges(self, targets: Targets, rng: np.random.Generator) -> Factors | None:
        """Cut at random (see `Estimator.edges`)."""
        steps = len(targets)
        passes = 1.0 - self.hazard(steps)
        # P(no cut on the first δ edges of a segment), falling; one number drawn per segment.
        survival = np.cumprod(passes)
        factor = np.ones(steps)
        begin = 0
        while begin < steps:
            lasting = int(np.searchsorted(-survival, -rng.random(), side="left"))
            end = min(begin + lasting + 1, steps)
            factor[begin + 1 : end] = 1.0 / passes[: end - begin - 1]
            if end < steps:
                factor[end] = 0.0
            begin = end
        return Factors(factor)

    def mean(self, targets: Targets) -> None:
        """Return None: the estimate is unbiased."""
        return
