"""Biases that decide how far a gated cell remembers before it has learned anything."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.cells.cell import Cell
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError


def with_forget_bias(network: Network, bias: float) -> Network:
    """Set the bias of the gate that carries a unit's state (Gers et al. 2000).

    The two biases of a gate add, so the number goes into bias_ih and bias_hh becomes 0 there.
    Jozefowicz et al. 2015 (ICML) found 1 or 2 to do much for an LSTM; a carry gate of bias β
    keeps σ(β) a step.

    Parameters
    ----------
    network : Network
    bias : float
        β, the same for all units and layers.

    Raises
    ------
    InputError
        The cell has no such gate.
    """
    carry = _carry_gate(network.cell, "model.init.forget_bias")
    return _with_biases(network, lambda hidden: {carry: np.full(hidden, bias)})


def with_chrono_bias(network: Network, time_scale: float, rng: np.random.Generator) -> Network:
    """Spread the memories of the units over a range of time scales.

    Each unit's carry gate gets the bias ln u, u ~ U(1, T_max − 1), which keeps a state for
    about u steps, and the gate that lets new content in, where it is another one, gets −ln u
    (Tallec & Ollivier 2018, arXiv:1804.11188, eq. 16).

    Parameters
    ----------
    network : Network
    time_scale : float
        T_max, the longest memory in steps, at least 2.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        The cell has no gate that carries its state.
    """
    cell = network.cell
    carry = _carry_gate(cell, "model.init.chrono")

    def biases(hidden: int) -> dict[str, Array]:
        bias = np.log(rng.uniform(1, time_scale - 1, hidden))
        return {carry: bias} if cell.entry is None else {carry: bias, cell.entry: -bias}

    return _with_biases(network, biases)


def _carry_gate(cell: Cell, key: str) -> str:
    """Name the gate that carries a cell's state; refuse a cell without one."""
    if cell.carry is None:
        gated = ", ".join(name for name in CELLS if cell_named(name).carry)
        raise InputError(
            f"must not be given: a {cell.name} cell has no gate that carries its state "
            f"(cells that have one: {gated})",
            key=key,
        )
    return cell.carry


def _with_biases(network: Network, biases: Callable[[int], dict[str, Array]]) -> Network:
    """Set the biases of some gates in every layer, given as a function of H."""
    gates = network.cell.gates
    layers = []
    for layer in network.layers:
        ih, hh = (
            np.zeros(len(layer.B)) if bias is None else bias.copy()
            for bias in (layer.bias_ih, layer.bias_hh)
        )
        for gate, bias in biases(layer.hidden).items():
            first = gates.index(gate) * layer.hidden
            block = slice(first, first + layer.hidden)
            ih[block], hh[block] = bias, 0.0
        layers.append(msgspec.structs.replace(layer, bias_ih=ih, bias_hh=hh))
    return msgspec.structs.replace(network, layers=tuple(layers))
