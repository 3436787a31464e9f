"""The backward sweep of a stack of layers, from the last window of steps to the first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array, Scaled, near_one
from bpttcli.engine.sweep_layer import Flow, LayerSweep, sweep_layer
from bpttcli.engine.unroll import Window

# Numbers in the arrays of a sweep of several rows: 32 MiB, whatever their number.
_PART_NUMBERS = 2**22


class Sweep:
    """Adjoints on their way from the last step to the first, through all layers.

    g_t = ∂ℓ_n/∂h_t obeys g_t = (through o_t) + J_{t+1}ᵀ g_{t+1} with J_t = ∂h_t/∂h_{t-1}
    (Werbos 1990, Proc. IEEE 78:1550). What a layer passes to the one below it, Aᵀ δ_t,
    enters there as an output's gradient does at the top.

    Parameters
    ----------
    network : Network
    batch : int
        Number of sequences N.
    rows : int
        Number R of adjoints that share the trajectory.
    own : bool
        Go by the cells' own path alone, never through B.
    arriving : sequence of Flow, optional
        What reaches each layer at the last step from later ones; nothing unless given.
    """

    def __init__(
        self,
        network: Network,
        batch: int,
        rows: int = 1,
        own: bool = False,
        arriving: Sequence[Flow] | None = None,
    ) -> None:
        self._network = network
        self._own = own
        a_step = sum(
            layer.B.shape[0] + len(network.cell.states) * layer.hidden for layer in network.layers
        )
        self._longest: int = max(1, _PART_NUMBERS // (a_step * batch * rows))
        if arriving is None:
            arriving = [Flow.none(network.cell, rows, batch, k.hidden) for k in network.layers]
        self._flows = list(arriving)

    @property
    def longest(self) -> int:
        """Steps of a window that this many rows can take without filling the memory."""
        return self._longest

    @property
    def silent(self) -> bool:
        """Whether no adjoint is on its way."""
        return all(flow.silent for flow in self._flows)

    def through(
        self, window: Window, hidden: Array | None, edges: Array | None = None
    ) -> tuple[LayerSweep, ...]:
        """Carry the adjoints through a window; each call must take the window before the last.

        Parameters
        ----------
        window : Window
            Of n steps.
        hidden : (n, R′, N, H) array or None
            What the loss says to the top layer's hidden states in the first R′ ≤ R rows, and
            nothing to those in the others.
        edges : (n, R) array, optional
            Factor on what passes from each step to the one before it, in all layers alike.

        Returns
        -------
        tuple of LayerSweep
            From the input upward.
        """
        inject = None if hidden is None else Scaled.of(hidden)
        swept: list[LayerSweep] = []
        for k in reversed(range(len(self._network.layers))):
            layer = self._network.layers[k]
            tape, flow = window.tapes[k], self._flows[k]
            part = sweep_layer(self._network.cell, layer, tape, flow, inject, edges, self._own)
            self._flows[k] = part.out
            swept.append(part)
            if k:
                with np.errstate(all="ignore"):
                    delta = near_one(part.delta)
                    exponent = part.exponent[..., None] + delta.exponent
                    inject = Scaled(np.dot(delta.mantissa, layer.A), exponent)
        return tuple(reversed(swept))
