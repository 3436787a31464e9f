"""No truncation: the exact gradient."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from bpttcli.record import Record
from bpttcli.truncation.estimator import Targets


class Full(Record, frozen=True):
    """Everything passes."""

    random: ClassVar[bool] = False
    label: ClassVar[str] = "full"

    def edges(self, targets: Targets, rng: np.random.Generator) -> None:
        """Cut nothing (see `Estimator.edges`)."""
        return

    def mean(self, targets: Targets) -> None:
        """Cut nothing (see `Estimator.mean`)."""
        return
