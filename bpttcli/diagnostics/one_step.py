"""Each step of a stack by itself: its states by those before it, and by its pre-activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from bpttcli.diagnostics.state_jacobian import state_size
from bpttcli.engine.cells.cell import Cell, Tape
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import NEAR, Array, Exponents, Scaled, shift
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.sweep_layer import Flow, LayerSweep
from bpttcli.engine.unroll import Window
from bpttcli.record import Record


class OneStep(Record, frozen=True):
    """Derivatives of the S states after each of n steps, for the N sequences of a batch.

    States stand in the order of `state_jacobian`: layers from the lowest, in each the states
    in the cell's order.

    Parameters
    ----------
    J : Scaled of shape (n, N, S, S)
        By the states before the step.
    fed : tuple of Scaled of shape (n, N, G·H, S_k)
        For each layer k, by what its weights A add to the pre-activations, transposed. Only
        the S_k states of this layer and those above it are there: the others never hear it.
    own : tuple of Scaled of shape (n, N, G·H, S_k)
        The same by what B adds; the same object where it is equal.
    """

    J: Scaled
    fed: tuple[Scaled, ...]
    own: tuple[Scaled, ...]


def one_step(network: Network, window: Window) -> OneStep:
    """Linearise each step of a window, paths from layer to layer within it included.

    The steps are taken for sequences of one step each, and one sweep of S rows carries the
    unit vectors of their last states back.

    Parameters
    ----------
    network : Network
    window : Window
        Of n steps.

    Returns
    -------
    OneStep
    """
    cell, size = network.cell, state_size(network)
    steps, batch = window.stop - window.start, window.tapes[0].states[0].shape[1]
    tapes = tuple(_side_by_side(tape) for tape in window.tapes)
    units = _unit_flows(network, steps * batch)
    swept = Sweep(network, steps * batch, size, arriving=units).through(Window(0, 1, tapes), None)

    def by_step(array: Array | Exponents) -> Any:
        """Take (S, n·N, …) apart: (n, N, S, …)."""
        return np.moveaxis(array.reshape(size, steps, batch, *array.shape[2:]), 0, 2)

    columns: list[Scaled] = []
    fed: list[Scaled] = []
    own: list[Scaled] = []
    begin = 0
    for layer, tape, part in zip(network.layers, tapes, swept, strict=True):
        for state in part.out.adjoint:
            columns.append(_plain(by_step(state), by_step(part.out.exponent)[..., None]))

        exponent = by_step(part.exponent[0])[:, :, None, begin:]
        delta = by_step(part.delta[0])[:, :, begin:].swapaxes(-1, -2)
        fed.append(_plain(delta, exponent))
        recurrent = _recurrent(cell, tape, part)
        if recurrent is None:
            own.append(fed[-1])
        else:
            own.append(_plain(by_step(recurrent)[:, :, begin:].swapaxes(-1, -2), exponent))
        begin += len(cell.states) * layer.hidden
    return OneStep(_joined(columns), tuple(fed), tuple(own))


def _side_by_side(tape: Tape) -> Tape:
    """Take the steps of a tape for sequences of one step."""
    return Tape(
        tuple(
            np.stack(
                [state[:-1].reshape(-1, state.shape[-1]), state[1:].reshape(-1, state.shape[-1])]
            )
            for state in tape.states
        ),
        tuple(slope.reshape(1, -1, *slope.shape[2:]) for slope in tape.slopes),
        tuple(gate.reshape(1, -1, gate.shape[-1]) for gate in tape.gates),
    )


def _unit_flows(network: Network, batch: int) -> list[Flow]:
    """One row for each state of the stack, with a 1 there and nothing elsewhere."""
    size, row, flows = state_size(network), 0, []
    for layer in network.layers:
        states = []
        for _ in network.cell.states:
            state = np.zeros((size, batch, layer.hidden))
            units = np.arange(layer.hidden)
            state[row + units, :, units] = 1.0
            states.append(state)
            row += layer.hidden
        flows.append(Flow(tuple(states), np.zeros((size, batch), dtype=np.int64)))
    return flows


def _recurrent(cell: Cell, tape: Tape, part: LayerSweep) -> Array | None:
    """∂/∂(B h) of each row, (S, n·N, G·H), given ∂/∂(A x); None where it is the same."""
    first = part.delta[:, 0]
    if cell.recurrent_delta(tape, first) is first:
        return None
    with np.errstate(all="ignore"):
        rows = [
            cell.recurrent_delta(tape, part.delta[:, row]) for row in range(part.delta.shape[1])
        ]
    return np.concatenate(rows)


def _plain(mantissa: Array, exponent: Exponents) -> Scaled:
    """Drop exponents that float64 has room for."""
    if np.abs(exponent).max() <= NEAR:
        return Scaled.of(np.ascontiguousarray(shift(mantissa, exponent)))
    return Scaled(np.ascontiguousarray(mantissa), exponent)


def _joined(columns: list[Scaled]) -> Scaled:
    """Put column blocks side by side."""
    mantissa = np.concatenate([part.mantissa for part in columns], axis=-1)
    if not any(part.exponent.any() for part in columns):
        return Scaled.of(mantissa)
    exponent = [np.broadcast_to(part.exponent, part.mantissa.shape) for part in columns]
    return Scaled(mantissa, np.concatenate(exponent, axis=-1))
