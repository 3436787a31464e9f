"""The gradient of every parameter, gathered from a sweep."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.contributions import bias_gradient, parameter_gradient
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.sweep import WindowSweep
from bpttcli.engine.unroll import Trajectory


class GradientSum:
    """∂L/∂θ for every parameter, gathered window by window from one row of a sweep."""

    def __init__(self, trajectory: Trajectory, row: int = 0) -> None:
        self._trajectory = trajectory
        self._row = row
        self._sums: dict[str, Scaled] = {}

    def add(self, part: WindowSweep) -> None:
        """Add what the steps of a window contribute."""
        trajectory, window = self._trajectory, part.window
        network = trajectory.network
        for k, layer in enumerate(network.layers):
            delta, recurrent = self.deltas(part, k)
            fed = trajectory.layer_input(window, k)
            before = window.tapes[k].states[0][:-1]
            self._put(f"weight_ih_l{k}", parameter_gradient(delta, fed, layer.A.shape[1]))
            self._put(f"weight_hh_l{k}", parameter_gradient(recurrent, before, layer.hidden))
            if layer.bias_ih is not None:
                self._put(f"bias_ih_l{k}", bias_gradient(delta))
            if layer.bias_hh is not None:
                self._put(f"bias_hh_l{k}", bias_gradient(recurrent))
        if network.C is not None:
            top = window.tapes[-1].states[0][1:]
            output = part.source.output
            if output is None:
                output = np.zeros((*top.shape[:2], len(network.C)))
            s = Scaled.of(output)
            self._put("readout.weight", parameter_gradient(s, top, network.C.shape[1]))
            if network.c is not None:
                self._put("readout.bias", bias_gradient(s))

    def deltas(self, part: WindowSweep, k: int) -> tuple[Scaled, Scaled]:
        """∂ℓ_n/∂(A x_t) and ∂ℓ_n/∂(B h_{t-1}) of layer k, (n, N, G·H)."""
        swept = part.layers[k]
        delta = Scaled(swept.delta[:, self._row], swept.exponent[:, self._row, :, None])
        return delta, delta

    def total(self) -> dict[str, Scaled]:
        """The gradients under PyTorch's names, in the order of the network's parameters."""
        return {name: self._sums[name] for name in self._trajectory.network.parameters}

    def _put(self, name: str, value: Scaled) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value
