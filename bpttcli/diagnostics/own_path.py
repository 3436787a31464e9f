"""What a gated cell carries past a step by itself, without its recurrent weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.reach import Reach, reach_of
from bpttcli.engine.backpropagate import LayerAdjoints
from bpttcli.engine.cells.cell import Cell
from bpttcli.record import Record


class OwnPath(Record, frozen=True):
    """The path on which a unit's state is multiplied by a gate and by nothing else.

    Parameters
    ----------
    gate : str
        The gate's name.
    carry : float
        Its mean over the units, the sequences and the steps on the way.
    share : float or None
        Of the propagated adjoint of the state that carries, the norm of what the own path
        alone delivers, over the norm of all, at `lag`; above 1 where the paths through B work
        against it. None where there is nothing to compare.
    lag : int
        The horizon, or 1 if that is 0.
    """

    gate: str
    carry: float
    share: float | None
    lag: int

    @property
    def half_life(self) -> float | None:
        """Steps in which the mean carry halves a gradient, ln ½ / ln(carry); None at 0 and 1."""
        return math.log(0.5) / math.log(self.carry) if 0 < self.carry < 1 else None


def own_path(
    cell: Cell, top: LayerAdjoints, last_target: NDArray[np.int64], reach: Reach
) -> OwnPath | None:
    """Measure a cell's own path; None for a cell without one.

    Parameters
    ----------
    cell : Cell
    top : LayerAdjoints
    last_target : (N,) array of int
        τ, from 1 to T.
    reach : Reach
        Of the hidden state.
    """
    if cell.carry is None or top.carried is None:
        return None
    gate = top.gates[cell.logistic.index(cell.carry)]
    tau = int(last_target.max())
    lag = max(1, reach.horizon or 0)
    share = None
    if tau > lag:
        alone, whole = (
            reach_of(part, last_target, 0.5).by_lag[lag]
            for part in (top.carried, top.propagated[-1])
        )
        if whole.mantissa > 0:
            share = float(np.exp(alone.ln - whole.ln))
    # The first step's gate only leads back to the given initial state, not to a step.
    return OwnPath(cell.carry, float(gate[1:tau].mean() if tau > 1 else gate[0]), share, lag)
