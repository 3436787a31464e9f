"""How the learning rate changes from update to update."""

from __future__ import annotations

import math

from bpttcli.errors import InputError, nearest
from bpttcli.record import Record

SCHEDULES = ("constant", "step", "cosine")


class Schedule(Record, frozen=True):
    """The learning rate of each update.

    After a warm-up of w updates, in which it rises linearly, lr·n/w at update n, update w + i
    (i ≥ 1) has

    - ``constant``: lr;
    - ``step``: lr · factor^⌊(i−1)/every⌋;
    - ``cosine``: floor + (lr − floor)(1 + cos(π(i−1)/length))/2, and floor after `length` of
      them (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts).

    Parameters
    ----------
    lr : float
        The learning rate.
    name : str
        One of `SCHEDULES`.
    warmup : int
        w.
    every : int
        Updates between two steps.
    factor : float
        Of a step.
    length : int
        Updates of the cosine.
    floor : float
        Where the cosine ends.

    Raises
    ------
    InputError
        An unknown name.

    Examples
    --------
    >>> step = Schedule(0.1, "step", every=2, factor=0.5)
    >>> [step.rate(n) for n in range(1, 6)]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    >>> [round(Schedule(1.0, "cosine", warmup=2, length=4).rate(n), 3) for n in range(1, 8)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    lr: float
    name: str = "constant"
    warmup: int = 0
    every: int = 1
    factor: float = 1.0
    length: int = 1
    floor: float = 0.0

    def __post_init__(self) -> None:
        """Check the name."""
        if self.name not in SCHEDULES:
            known = nearest(self.name, SCHEDULES)
            message = f"must be a schedule, got '{self.name}': {known}"
            raise InputError(message, key="train.schedule.name")

    def rate(self, update: int) -> float:
        """Give the learning rate of an update, counted from 1."""
        if update <= self.warmup:
            return self.lr * update / self.warmup
        done = update - self.warmup - 1
        if self.name == "step":
            return float(self.lr * self.factor ** (done // self.every))
        if self.name == "cosine":
            turned = 0.5 * (1.0 + math.cos(math.pi * min(done / self.length, 1.0)))
            return self.floor + (self.lr - self.floor) * turned
        return self.lr
