"""What a report says where the forward pass has left the range of float64."""

from __future__ import annotations

import math

from bpttcli.engine.overflow import Overflow


def overflow_warnings(overflow: Overflow | None, loss: float) -> tuple[str, ...]:
    """Say what could not be computed, where, and what to do.

    Parameters
    ----------
    overflow : Overflow or None
        The first state that is not finite, if there is one.
    loss : float
        L.
    """
    if overflow is not None:
        return (
            f"the forward state leaves the range of float64 at step {overflow.step} "
            f"(layer {overflow.layer}, unit {overflow.unit}): figures that use it are null; "
            "fewer steps or a smaller gain keep it finite",
        )
    if not math.isfinite(loss):
        return (
            "the loss leaves the range of float64: figures that use it are null; "
            "smaller targets or a smaller readout keep it finite",
        )
    return ()
