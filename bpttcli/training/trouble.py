"""Where a run begins to diverge: the first number that is not finite, or far too large."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.engine.unroll import Trajectory, feed, zero_states
from bpttcli.record import Record
from bpttcli.training.feed import Batch
from bpttcli.training.parameters import Parameters

# A hidden state beyond this is at fault itself; below it the readout is.
_LARGE_STATE = 1e3
# Steps that are run at a time while looking.
_PIECE = 256


class Trouble(Record, frozen=True):
    """The first value of an update that is not finite, or explodes.

    Parameters
    ----------
    update : int
        From 1.
    what : {'state', 'output', 'gradient', 'parameter'}
    tensor : str
        ``h_l0`` for the hidden states of layer 0, ``output``, or a parameter's name.
    step : int or None
        From 1; None for a parameter. Of a gradient the step that adds most to it.
    unit : int
        From 1; of a parameter or gradient its row.
    value : float
    last_finite : float or None
        What it was at the step before, a parameter before the update, and of a gradient the
        norm of the gradient at the update before; None where there is none.
    action : str
        What was done: ``stop``, ``skip`` or ``backoff``.
    """

    update: int
    what: Literal["state", "output", "gradient", "parameter"]
    tensor: str
    step: int | None
    unit: int
    value: float
    last_finite: float | None
    action: str

    def __str__(self) -> str:
        """Say it in one sentence."""
        at = f"unit {self.unit}" if self.step is None else f"step {self.step}, unit {self.unit}"
        names = {
            "state": f"the hidden state {self.tensor}",
            "output": "the output",
            "gradient": f"the gradient of {self.tensor}",
            "parameter": f"the parameter {self.tensor}",
        }
        before = {
            "gradient": "the norm of the gradient before was",
            "parameter": "before the update it was",
        }.get(self.what, "at the step before it was")
        last = "" if self.last_finite is None else f"; {before} {self.last_finite:.4g}"
        what = f"{names[self.what]} is {self.value:.4g} at {at}"
        return f"diverged at update {self.update}: {what}{last}"


def in_forward_pass(network: Network, batch: Batch, update: int, action: str) -> Trouble:
    """Find the first hidden state or output that is not finite, or the largest one.

    Parameters
    ----------
    network : Network
    batch : Batch
        On which the loss is not finite, or too large.
    update : int
    action : str
    """
    states = batch.start or zero_states(network, batch.x.shape[1])
    largest: tuple[float, Trouble] | None = None
    with np.errstate(all="ignore"):
        for begin in range(0, len(batch.x), _PIECE):
            x = batch.x[begin : begin + _PIECE]
            after, columns = [], []
            for layer, start in zip(network.layers, states, strict=True):
                drive = feed(x, layer.A)
                bias = network.cell.drive_bias(layer)
                tape = network.cell.advance(drive if bias is None else drive + bias, layer, start)
                after.append(tuple(state[-1].copy() for state in tape.states))
                columns.append(tape.states[0])
                x = tape.states[0][1:]
            states = tuple(after)
            tensors = [(f"h_l{k}", h) for k, h in enumerate(columns)]
            if network.C is not None:
                o = np.dot(columns[-1], network.C.T)
                tensors.append(("output", o if network.c is None else o + network.c))
            found = [_first(name, h, begin, update, action) for name, h in tensors]
            broken = [trouble for trouble in found if trouble is not None]
            if broken:
                # Of one step the lowest layer is where it starts.
                return min(broken, key=lambda trouble: trouble.step or 0)
            for name, h in tensors:
                here = _largest(name, h, begin, update, action)
                counts = name == "output" or abs(here.value) > _LARGE_STATE
                if counts and (largest is None or _is_worse(here, largest[1])):
                    largest = (abs(here.value), here)
    assert largest is not None
    return largest[1]


def _is_worse(here: Trouble, there: Trouble) -> bool:
    """Whether a large value explains more: a state before an output, then the larger."""
    if (here.what == "state") != (there.what == "state"):
        return here.what == "state"
    return abs(here.value) > abs(there.value)


def _first(name: str, h: Array, begin: int, update: int, action: str) -> Trouble | None:
    """Find the first entry that is not finite; entry 0 of h stands before the piece."""
    if np.isfinite(h[1:].sum()):
        return None
    where = np.argwhere(~np.isfinite(h[1:]))
    return _at(name, h, tuple(where[0]), begin, update, action) if len(where) else None


def _largest(name: str, h: Array, begin: int, update: int, action: str) -> Trouble:
    """Find the largest entry."""
    index = np.unravel_index(int(np.abs(h[1:]).argmax()), h[1:].shape)
    return _at(name, h, tuple(index), begin, update, action)


def _at(
    name: str, h: Array, index: tuple[np.int64, ...], begin: int, update: int, action: str
) -> Trouble:
    """Describe one entry of states or outputs."""
    step, sequence, unit = (int(i) for i in index)
    before = float(h[step, sequence, unit])
    what: Literal["state", "output"] = "output" if name == "output" else "state"
    return Trouble(
        update,
        what,
        name,
        begin + step + 1,
        unit + 1,
        float(h[step + 1, sequence, unit]),
        before if np.isfinite(before) else None,
        action,
    )


def in_gradient(
    parameters: Parameters,
    g: Array,
    trajectory: Trajectory,
    batch: Batch,
    norm_before: float | None,
    update: int,
    action: str,
) -> Trouble:
    """Find the first entry of a gradient that is not finite, and the step that adds most to it.

    Parameters
    ----------
    parameters : Parameters
    g : (P,) array
    trajectory : Trajectory
    batch : Batch
    norm_before : float or None
        Of the gradient of the update before.
    update : int
    action : str
    """
    index = int(np.argmin(np.isfinite(g)))
    name, entry = parameters.place(index)
    adjoints = backpropagate(trajectory, batch.objective)
    if name.startswith("readout"):
        added = adjoints.C
    else:
        part = adjoints.layers[int(name.rpartition("l")[2])]
        added = part.B if name.startswith("weight_hh") else part.A
    logs = np.where(np.isnan(added.log10), np.inf, added.log10)
    step = int(logs.argmax()) + 1
    value = float(g[index])
    return Trouble(update, "gradient", name, step, entry[0] + 1, value, norm_before, action)


def in_parameters(parameters: Parameters, before: Array, update: int, action: str) -> Trouble:
    """Find the first parameter that is not finite.

    Parameters
    ----------
    parameters : Parameters
    before : (P,) array
        What they were before the update.
    update : int
    action : str
    """
    index = int(np.argmin(np.isfinite(parameters.theta)))
    name, entry = parameters.place(index)
    value, last = float(parameters.theta[index]), float(before[index])
    return Trouble(update, "parameter", name, None, entry[0] + 1, value, last, action)
