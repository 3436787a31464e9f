"""The trained parameters of a network as one row of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from bpttcli.engine.network import Layer, Network
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.errors import InputError, nearest


class Parameters:
    """A network whose trained parameters lie side by side in memory.

    One operation of an optimiser then changes them all.

    Parameters
    ----------
    network : Network
        Its parameters are copied.
    only : iterable of str, optional
        Names of those that are trained; all unless given. The others never change.

    Attributes
    ----------
    theta : (P,) array
        The trained parameters; whoever writes to it changes the network.
    network : Network
        Made of views of `theta`, and of copies of what is frozen.
    trained : dict of str to slice
        Where each trained parameter stands in `theta`.

    Raises
    ------
    InputError
        The network has no parameter of a name in `only`.
    """

    def __init__(self, network: Network, only: Iterable[str] | None = None) -> None:
        whole = network.parameters
        chosen = list(whole) if only is None else [name for name in whole if name in set(only)]
        for name in only or ():
            if name not in whole:
                message = f"must be parameters of the network, got '{name}': {nearest(name, whole)}"
                raise InputError(message, key="train.only")
        self.trained: dict[str, slice] = {}
        size = 0
        for name in chosen:
            self.trained[name] = slice(size, size + whole[name].size)
            size += whole[name].size
        self.theta = np.empty(size)
        own: dict[str, Array] = {}
        for name, value in whole.items():
            if name in self.trained:
                own[name] = self.theta[self.trained[name]].reshape(value.shape)
                own[name][...] = value
            else:
                own[name] = value.copy()
        self._shapes = {name: value.shape for name, value in own.items()}
        # Not `Network.from_parameters`, which would copy again.
        layers = tuple(
            Layer(
                own[f"weight_ih_l{k}"],
                own[f"weight_hh_l{k}"],
                own.get(f"bias_ih_l{k}"),
                own.get(f"bias_hh_l{k}"),
            )
            for k in range(len(network.layers))
        )
        self.network = Network(
            network.cell, layers, own.get("readout.weight"), own.get("readout.bias")
        )

    @property
    def size(self) -> int:
        """Number of trained parameters P."""
        return len(self.theta)

    def gather(self, gradient: Mapping[str, Scaled], out: Array) -> None:
        """Lay a gradient out as `theta` is; entries beyond float64 become infinite.

        Parameters
        ----------
        gradient : mapping of str to Scaled
            Under PyTorch's names.
        out : (P,) array
        """
        for name, place in self.trained.items():
            out[place] = gradient[name].value.reshape(-1)

    def place(self, index: int) -> tuple[str, tuple[int, ...]]:
        """Name the parameter and the entry (from 0) that stand at an index of `theta`."""
        for name, place in self.trained.items():
            if index < place.stop:
                where = np.unravel_index(index - place.start, self._shapes[name])
                return name, tuple(int(i) for i in where)
        raise IndexError(index)

    def copies(self) -> dict[str, Array]:
        """Copy every parameter, frozen ones too."""
        return {name: value.copy() for name, value in self.network.parameters.items()}

    def load(self, parameters: Mapping[str, Array]) -> None:
        """Take over parameters, frozen ones too.

        Raises
        ------
        InputError
            They are those of another network.
        """
        mine = self.network.parameters
        fits = mine.keys() == parameters.keys() and all(
            parameters[name].shape == value.shape for name, value in mine.items()
        )
        if not fits:
            raise InputError("holds the parameters of another network")
        for name, value in mine.items():
            value[...] = parameters[name]
