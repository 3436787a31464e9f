"""Segments of random length, as language models are trained with."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from bpttcli.engine.edges import Edges, Factors
from bpttcli.engine.scaled import Array
from bpttcli.record import Record
from bpttcli.truncation.bounds import above, whole_steps, within
from bpttcli.truncation.estimator import Targets
from bpttcli.truncation.label import written
from bpttcli.truncation.stopping import Stopping


class RandomLength(Record, frozen=True):
    """Cut the sequence into segments whose lengths are drawn one after the other.

    A length is max(shortest, ⌊x⌋) with x ~ N(m, std²), where m is the mean, or with
    probability `short` half of it. Nothing is reweighted, so that the estimate is biased as
    fixed segments are; the random ends spread the bias over the steps.

    Parameters
    ----------
    mean_length, std : float
        Mean and standard deviation of x, in steps.
    short : float
        Probability of half the mean, in [0, 1].
    shortest : int
        Least number of steps of a segment.

    References
    ----------
    Merity, Keskar & Socher 2018, *Regularizing and optimizing LSTM language models*
    (arXiv:1708.02182), section 5.
    """

    mean_length: float
    std: float
    short: float
    shortest: int

    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the numbers (see `bounds`)."""
        above(self.mean_length, "mean_length", 1.0)
        within(self.std, "std", 0.0)
        within(self.short, "short", 0.0, 1.0, closed=True)
        whole_steps(self.shortest, "shortest")

    @property
    def label(self) -> str:
        """``random-length(mean)``."""
        return f"random-length({written(self.mean_length)})"

    def edges(self, targets: Targets, rng: np.random.Generator) -> Factors | None:
        """Cut at random (see `Estimator.edges`)."""
        steps, factor = len(targets), np.ones(len(targets))
        begin = 0
        while begin < steps:
            mean = self.mean_length / 2 if rng.random() < self.short else self.mean_length
            begin += max(self.shortest, math.floor(min(rng.normal(mean, self.std), steps)))
            if begin < steps:
                factor[begin] = 0.0
        return Factors(factor)

    def mean(self, targets: Targets) -> Edges | None:
        """Let pass what a segment holds in the mean (see `Estimator.mean`)."""
        steps = len(targets)
        lasting = self.survival(steps)
        started = starts(lasting, steps)
        if np.count_nonzero(targets) == 1:
            return Factors(_one_step(lasting, started, int(np.argmax(targets)) + 1))
        longest = int(np.count_nonzero(lasting))
        return Segments(lasting[:longest], started)

    def stopping(self, steps: int) -> Stopping:
        """Tell how far the gradient of a loss comes (see `Stopped.stopping`)."""
        lasting = self.survival(steps)
        begins = _begins(lasting, starts(lasting, steps), steps)
        exactly, reach = begins[::-1], np.cumsum(begins)[::-1]
        hazard = np.divide(exactly, reach, out=np.ones(steps), where=reach > 0)[:-1]
        with np.errstate(divide="ignore"):
            return Stopping(hazard, np.log2(reach))

    def survival(self, steps: int) -> Array:
        """P(a segment lasts at least l steps), l = 1 … steps: (steps,) array."""
        lengths = range(1, steps + 1)
        lasting = np.zeros(steps)
        for mean, share in ((self.mean_length, 1 - self.short), (self.mean_length / 2, self.short)):
            lasting += share * np.array([_above(length, mean, self.std) for length in lengths])
        lasting[: self.shortest] = 1.0
        return lasting


def starts(lasting: Array, steps: int) -> Array:
    """P(a segment starts at step s), s = 1 … steps, given P(it lasts at least l steps)."""
    exactly = lasting - np.append(lasting[1:], 0.0)
    started = np.zeros(steps)
    started[0] = 1.0
    for s in range(1, steps):
        back = min(s, len(exactly))
        started[s] = started[s - back : s] @ exactly[:back][::-1]
    return started


def _begins(lasting: Array, started: Array, step: int) -> Array:
    """P(the segment that holds this step starts at step s), s = 1 … step."""
    # It does if a segment starts there and lasts step − s + 1 steps.
    return np.asarray(started[:step] * lasting[:step][::-1])


def _one_step(lasting: Array, started: Array, step: int) -> Array:
    """Factors of edges whose products are the probabilities that no cut lies on the way."""
    # Summed from step 1 on, so that the small ones far from the loss keep their digits.
    survives = np.cumsum(_begins(lasting, started, step))
    factor = np.ones(len(started))
    np.divide(survives[:-1], survives[1:], out=factor[1:step], where=survives[1:] > 0)
    return factor


def _above(length: int, mean: float, std: float) -> float:
    """P(x ≥ length) for x ~ N(mean, std²)."""
    if std == 0:
        return float(length <= mean)
    return 0.5 * math.erfc((length - mean) / (std * math.sqrt(2.0)))


class Segments(Record, frozen=True):
    """Edges that make the mean over segments of random length, one row a possible start.

    A row takes each loss with the probability that a segment which starts at the row's step
    lasts until then; rows are used again once no segment lasts any longer.

    Parameters
    ----------
    lasting : (R,) array
        P(a segment lasts at least l steps), l = 1 … R.
    started : (T,) array
        P(a segment starts at step s), s = 1 … T.
    """

    lasting: Array
    started: Array

    @property
    def rows(self) -> int:
        """R, the longest length of a segment."""
        return len(self.lasting)

    def passing(self, start: int, stop: int) -> Array:
        """Cut each row before its step (see `Edges.passing`)."""
        steps = np.arange(start, stop)[:, None]
        factor = np.where(steps % self.rows == np.arange(self.rows), 0.0, 1.0)
        if start == 0:
            factor[0] = 1.0
        return factor

    def entering(self, start: int, stop: int) -> Array:
        """Weigh each loss by who may hold it (see `Edges.entering`)."""
        steps = np.arange(start, stop)[:, None]
        age = (steps - np.arange(self.rows)) % self.rows
        begin = steps - age
        weight = self.lasting[age] * self.started[np.maximum(begin, 0)]
        return np.asarray(np.where(begin >= 0, weight, 0.0))
