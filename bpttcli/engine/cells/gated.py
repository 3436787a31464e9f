"""What the gated cells share."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array


class Gated:
    """A cell whose gates are logistic; a gate outside [0.05, 0.95] is saturated."""

    def drive_bias(self, layer: Layer) -> Array | None:
        """Sum both biases, which add (see `Cell.drive_bias`)."""
        return layer.bias

    def recurrent_delta(self, tape: Tape, delta: Array) -> Array:
        """The same as ∂ℓ_n/∂(A x_t) (see `Cell.recurrent_delta`)."""
        return delta

    def saturated(self, tape: Tape) -> Array:
        """Share of gates outside [0.05, 0.95], over all gates."""
        outside = [saturated_share(gate) for gate in tape.gates]
        return np.asarray(np.mean(outside, axis=0))

    def mean_slope(self, tape: Tape) -> Array | None:
        """None: there is no one φ."""
        return None


def keep_back(state: Array, keep: Array, entering: Array | None, edges: Array | None) -> None:
    """Carry the adjoint of a state back over n steps by nothing but its gate, in place.

    Parameters
    ----------
    state : (n+1, R, N, H) array
        On entry, entry n is what reaches the last step from later ones; on return, entry i
        is the adjoint after step i, and entry 0 is what reaches the step before.
    keep : (n, N, H) array
        The gate.
    entering : (n, R′, N, H) array or None
        What comes from outside into the first R′ ≤ R rows.
    edges : (n, R, 1, 1) array or None
        Factor on what passes from a step to the one before it.
    """
    backward = range(len(keep) - 1, -1, -1)
    for arrived, below, kept, i in zip(
        state[:0:-1], state[-2::-1], keep[::-1], backward, strict=True
    ):
        if entering is not None:
            entered = arrived[: entering.shape[1]]
            np.add(entered, entering[i], entered)
        np.multiply(arrived, kept, below)
        if edges is not None:
            np.multiply(below, edges[i], below)


def saturated_share(gate: Array) -> Array:
    """Share of a gate's units outside [0.05, 0.95] in each step, (n,)."""
    inside = np.count_nonzero((gate >= 0.05) & (gate <= 0.95), axis=(1, 2))
    return np.asarray(1.0 - inside / gate[0].size)
