"""Where a forward pass leaves the range of float64."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.unroll import Window
from bpttcli.record import Record


class Overflow(Record, frozen=True):
    """The first hidden state that float64 cannot hold: step and unit from 1, layer from 0."""

    step: int
    layer: int
    unit: int


def first_overflow(window: Window) -> Overflow | None:
    """Find the first hidden state of a window that is not finite."""
    found: list[Overflow] = []
    with np.errstate(all="ignore"):
        for k, tape in enumerate(window.tapes):
            h = tape.states[0][1:]
            # One sum tells for nearly every window that there is nothing to look for.
            if not np.isfinite(h.sum()) and len(where := np.argwhere(~np.isfinite(h))):
                step, _, unit = (int(i) for i in where[0])
                found.append(Overflow(window.start + step + 1, k, unit + 1))
    return min(found, key=lambda overflow: (overflow.step, overflow.layer), default=None)
