"""The gradient of every parameter, gathered from a sweep."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.contributions import bias_gradient, parameter_gradient
from bpttcli.engine.losses import Source
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.sweep_layer import LayerSweep
from bpttcli.engine.unroll import Trajectory, Window


class GradientSum:
    """∂L/∂θ for every parameter, gathered window by window.

    Parameters
    ----------
    trajectory : Trajectory
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory
        self._sums: dict[str, Scaled] = {}

    def add(self, window: Window, source: Source, layers: tuple[LayerSweep, ...]) -> None:
        """Add what the steps of a window contribute.

        Parameters
        ----------
        window : Window
        source : Source
            Where the loss enters.
        layers : tuple of LayerSweep
            Of one row.
        """
        network = self._trajectory.network
        for k, layer in enumerate(network.layers):
            delta, own = layers[k].deltas(network.cell, window.tapes[k])
            fed = self._trajectory.layer_input(window, k)
            before = window.tapes[k].states[0][:-1]
            self._put(f"weight_ih_l{k}", parameter_gradient(delta, fed, layer.A.shape[1]))
            self._put(f"weight_hh_l{k}", parameter_gradient(own, before, layer.hidden))
            summed = bias_gradient(delta)
            if layer.bias_ih is not None:
                self._put(f"bias_ih_l{k}", summed)
            if layer.bias_hh is not None:
                self._put(f"bias_hh_l{k}", summed if own is delta else bias_gradient(own))
        # A loss that says nothing to the outputs adds nothing, even where the state overflowed.
        if network.C is not None and source.output is not None:
            s, top = Scaled.of(source.output), window.tapes[-1].states[0][1:]
            self._put("readout.weight", parameter_gradient(s, top, top.shape[2]))
            if network.c is not None:
                self._put("readout.bias", bias_gradient(s))

    def total(self) -> dict[str, Scaled]:
        """The gradients under PyTorch's names, in the order of the network's parameters."""
        parameters = self._trajectory.network.parameters
        return {
            name: self._sums[name] if name in self._sums else Scaled.of(np.zeros_like(value))
            for name, value in parameters.items()
        }

    def _put(self, name: str, value: Scaled) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value
