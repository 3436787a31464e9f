"""A recurrent network: its cell, the parameters of each layer, the readout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError, nearest
from bpttcli.record import Record

if TYPE_CHECKING:
    from bpttcli.engine.cells.cell import Cell

_RECURRENT = re.compile(r"(weight_ih|weight_hh|bias_ih|bias_hh)_l(0|[1-9]\d*)")
_READOUT = ("readout.weight", "readout.bias")


class Layer(Record, frozen=True):
    """Parameters of one recurrent layer; G is the number of gates the cell stacks.

    Parameters
    ----------
    A : (G·H, I) array
        Input → hidden.
    B : (G·H, H) array
        Hidden → hidden.
    bias_ih, bias_hh : (G·H,) array or None
        They add, but for a gate that acts on the recurrent product alone.
    """

    A: Array
    B: Array
    bias_ih: Array | None = None
    bias_hh: Array | None = None

    @property
    def hidden(self) -> int:
        """Number of hidden units H."""
        return int(self.B.shape[1])

    @property
    def bias(self) -> Array | None:
        """Sum of the two biases; None without any."""
        if self.bias_ih is None or self.bias_hh is None:
            return self.bias_hh if self.bias_ih is None else self.bias_ih
        return self.bias_ih + self.bias_hh


class Network(Record, frozen=True):
    """A stack of layers of one cell, with a linear readout or none.

    Parameters
    ----------
    cell : Cell
        What a unit does in one step.
    layers : tuple of Layer
        From the input upward; the hidden state of one is the input of the next.
    C : (O, H) array or None
        Hidden → output; None for a network without a readout.
    c : (O,) array or None
        Bias of the readout.
    """

    cell: Cell
    layers: tuple[Layer, ...]
    C: Array | None = None
    c: Array | None = None

    @property
    def n_inputs(self) -> int:
        """Number of inputs I."""
        return int(self.layers[0].A.shape[1])

    @property
    def n_outputs(self) -> int | None:
        """Number of outputs O; None without a readout."""
        return None if self.C is None else int(self.C.shape[0])

    @property
    def parameters(self) -> dict[str, Array]:
        """The parameters under PyTorch's names, without those the network lacks."""
        named: dict[str, Array | None] = {}
        for k, layer in enumerate(self.layers):
            named[f"weight_ih_l{k}"] = layer.A
            named[f"weight_hh_l{k}"] = layer.B
            named[f"bias_ih_l{k}"] = layer.bias_ih
            named[f"bias_hh_l{k}"] = layer.bias_hh
        named["readout.weight"] = self.C
        named["readout.bias"] = self.c
        return {name: value for name, value in named.items() if value is not None}

    @classmethod
    def from_parameters(cls, cell: Cell, parameters: Mapping[str, Array]) -> Network:
        """Build a network from arrays under PyTorch's names.

        Parameters
        ----------
        cell : Cell
        parameters : mapping of str to array
            ``weight_ih_l<k>`` (G·H, I), ``weight_hh_l<k>`` (G·H, H) for k = 0, 1, …;
            optional ``bias_ih_l<k>``, ``bias_hh_l<k>`` (G·H,), ``readout.weight`` (O, H),
            ``readout.bias`` (O,).

        Raises
        ------
        InputError
            An unknown name, a missing weight, a value that is not finite, or shapes that
            contradict each other.
        """
        depth = _depth(parameters)
        arrays = {name: _finite(name, value) for name, value in parameters.items()}
        layers = []
        width: int | None = None
        for k in range(depth):
            layer = _layer(arrays, k, len(cell.gates), width)
            width = layer.hidden
            layers.append(layer)
        C, c = arrays.get("readout.weight"), arrays.get("readout.bias")
        if C is not None:
            _expect("readout.weight", C, (None, width), "one column a hidden unit")
        if c is not None:
            if C is None:
                raise InputError("has readout.bias without readout.weight")
            _expect("readout.bias", c, (C.shape[0],), "one entry an output")
        return cls(cell, tuple(layers), C, c)


def _depth(parameters: Mapping[str, Array]) -> int:
    """Count the layers, refusing names that belong to none and gaps between them."""
    depth = 0
    for name in parameters:
        match = _RECURRENT.fullmatch(name)
        if match:
            depth = max(depth, int(match[2]) + 1)
        elif name not in _READOUT:
            known = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", *_READOUT]
            raise InputError(f"has no place for '{name}': {nearest(name, known)}")
    for k in range(max(depth, 1)):
        for kind in ("weight_ih", "weight_hh"):
            if f"{kind}_l{k}" not in parameters:
                raise InputError(f"has no {kind}_l{k}")
    return depth


def _layer(arrays: Mapping[str, Array], k: int, gates: int, width: int | None) -> Layer:
    """Take layer k, of which the layer below has `width` units."""
    B = arrays[f"weight_hh_l{k}"]
    if B.ndim != 2 or 0 in B.shape or B.shape[0] != gates * B.shape[1]:
        rows = "H" if gates == 1 else f"{gates}·H"
        raise InputError(
            f"weight_hh_l{k} must have the shape ({rows}, H) of this cell, got {B.shape}"
        )
    rows = B.shape[0]
    A = arrays[f"weight_ih_l{k}"]
    below = "one row a row of B" if width is None else f"{width} units in the layer below"
    _expect(f"weight_ih_l{k}", A, (rows, width), below)
    biases = [arrays.get(f"{kind}_l{k}") for kind in ("bias_ih", "bias_hh")]
    for kind, bias in zip(("bias_ih", "bias_hh"), biases, strict=True):
        if bias is not None:
            _expect(f"{kind}_l{k}", bias, (rows,), "one entry a row of B")
    return Layer(A, B, *biases)


def _expect(name: str, value: Array, shape: tuple[int | None, ...], why: str) -> None:
    """Compare a shape with the one that the other parameters ask for; None fits any size."""
    fits = len(value.shape) == len(shape) and all(
        want in (None, have) and have > 0 for want, have in zip(shape, value.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        comma = "," if len(shape) == 1 else ""
        raise InputError(f"{name} must have the shape ({wanted}{comma}) ({why}), got {value.shape}")


def _finite(name: str, value: Array) -> Array:
    """Take one parameter as contiguous float64 that nobody can change."""
    kind = np.asarray(value).dtype
    if kind.kind not in "biuf":
        raise InputError(f"{name} must hold real numbers, got {kind}")
    with np.errstate(over="ignore"):  # what float64 cannot hold is refused below
        array = np.array(value, dtype=np.float64, order="C")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise InputError(f"{name} must be finite, got {array[where]} at index {where}")
    array.setflags(write=False)
    return array
