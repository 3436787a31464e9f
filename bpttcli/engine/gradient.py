"""The gradient of every parameter, gathered from a sweep."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.contributions import Contributions, bias_gradient
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

    def add(
        self, window: Window, source: Source, layers: tuple[LayerSweep, ...]
    ) -> dict[str, Contributions]:
        """Add what the steps of a window contribute.

        Parameters
        ----------
        window : Window
        source : Source
            Where the loss enters.
        layers : tuple of LayerSweep
            Of one row.

        Returns
        -------
        dict of str to Contributions
            What each step adds to each weight matrix, under its name.
        """
        network = self._trajectory.network
        found: dict[str, Contributions] = {}
        for k, layer in enumerate(network.layers):
            delta, own = layers[k].deltas(network.cell, window.tapes[k])
            fed = self._trajectory.layer_input(window, k)
            before = window.tapes[k].states[0][:-1]
            found[f"weight_ih_l{k}"] = Contributions.of(delta, fed)
            found[f"weight_hh_l{k}"] = Contributions.of(own, before)
            summed = bias_gradient(delta)
            if layer.bias_ih is not None:
                self._put(f"bias_ih_l{k}", summed)
            if layer.bias_hh is not None:
                self._put(f"bias_hh_l{k}", summed if own is delta else bias_gradient(own))
        # A loss that says nothing to the outputs adds nothing, even where the state overflowed.
        if network.C is not None and source.output is not None:
            s, top = Scaled.of(source.output), window.tapes[-1].states[0][1:]
            found["readout.weight"] = Contributions.of(s, top)
            if network.c is not None:
                self._put("readout.bias", bias_gradient(s))
        parameters = network.parameters
        for name, each in found.items():
            self._put(name, each.sum(parameters[name].shape[1]))
        return found

    def total(self) -> dict[str, Scaled]:
        """The gradients under PyTorch's names, in the order of the network's parameters."""
        parameters = self._trajectory.network.parameters
        return {
            name: self._sums[name] if name in self._sums else Scaled.of(np.zeros_like(value))
            for name, value in parameters.items()
        }

    def _put(self, name: str, value: Scaled) -> None:
        self._sums[name] = self._sums[name] + value if name in self._sums else value
