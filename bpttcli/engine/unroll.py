"""The forward pass, unrolled over time, and what the backward sweep needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.freed_memory import keep_freed_memory
from bpttcli.engine.network import Layer, Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError, RunError
from bpttcli.record import Record

Input = NDArray[Any]
"""(T, N, I) reals, or (T, N) integer symbols, each fed as its one-hot vector."""

States = tuple[tuple[Array, ...], ...]
"""For each layer, for each state of the cell: (N, H)."""

# Tapes above this many float64 numbers are not kept whole but made again window by window.
_KEPT_NUMBERS = 2**25
# Arrays of a window that stay in the processor's cache; and enough steps to be worth a window.
_WINDOW_NUMBERS = 2**18
_SHORTEST_WINDOW = 32


class Window(Record, frozen=True):
    """Steps start + 1 … stop of a trajectory, with the tape of every layer."""

    start: int
    stop: int
    tapes: tuple[Tape, ...]

    def part(self, first: int, last: int) -> Window:
        """Cut the steps from index `first` up to `last`, counted in the window, out of it."""
        if last - first == self.stop - self.start:
            return self
        tapes = tuple(
            Tape(
                tuple(state[first : last + 1] for state in tape.states),
                tuple(slope[first:last] for slope in tape.slopes),
                tuple(gate[first:last] for gate in tape.gates),
            )
            for tape in self.tapes
        )
        return Window(self.start + first, self.start + last, tapes)

    def parts(self, longest: int) -> Iterator[Window]:
        """Yield it in parts of at most so many steps, from the last."""
        steps = self.stop - self.start
        for first in reversed(range(0, steps, longest)):
            yield self.part(first, min(first + longest, steps))


class Trajectory(Record, frozen=True):
    """A network's run over a batch of sequences.

    Parameters
    ----------
    network : Network
    x : (T, N, I) array or (T, N) array of int
        What it was fed.
    start : tuple of tuples of (N, H) arrays
        The states before the first step, for each layer and each state of the cell.
    window : int
        Steps that are worked on at a time.
    """

    network: Network
    x: Input
    start: States
    window: int
    _tapes: tuple[tuple[Tape, ...], ...] | None = None
    _checkpoints: tuple[States, ...] = ()

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.x)

    @property
    def batch(self) -> int:
        """Number of sequences N."""
        return int(self.x.shape[1])

    def windows(self, *, backward: bool = True) -> Iterator[Window]:
        """Yield the windows that make up the trajectory, from the last unless told otherwise.

        Every step is in exactly one of them. Where the tapes are not kept, a window is run
        forward again from a checkpoint of the states (Chen et al. 2016, arXiv:1604.06174).
        """
        starts = range(0, self.steps, self.window)
        for start in reversed(starts) if backward else starts:
            stop, i = min(start + self.window, self.steps), start // self.window
            if self._tapes is not None:
                tapes = self._tapes[i]
            else:
                x, states = self.x[start:stop], self._checkpoints[i]
                tapes = _advance(self.network, x, states, start)
            yield Window(start, stop, tapes)

    def end(self) -> States:
        """Return the states after the last step."""
        last = next(self.windows())
        return tuple(tuple(state[-1] for state in tape.states) for tape in last.tapes)

    def layer_input(self, window: Window, k: int) -> Input:
        """Return what layer `k` was fed in the window: x, or the layer below."""
        if k == 0:
            return self.x[window.start : window.stop]
        return window.tapes[k - 1].states[0][1:]


def unroll(
    network: Network,
    x: Input,
    start: States | None = None,
    *,
    window: int | None = None,
    keep: bool | None = None,
    progress: Callable[[float], None] | None = None,
) -> Trajectory:
    """Run a network forward, h_t = φ(A x_t + B h_{t-1} + b), keeping what the sweep needs.

    Parameters
    ----------
    network : Network
    x : (T, N, I) array, or (T, N) array of int
        Integers stand for one-hot vectors.
    start : tuple of tuples of (N, H) arrays, optional
        The states before the first step, for each layer and state; zeros unless given.
    window : int, optional
        Steps that are worked on at a time; as many as stay in the processor's cache, unless
        given.
    keep : bool, optional
        Keep the tapes of all windows, or only the states between them (a checkpoint a
        window); decided by their size unless given.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    Trajectory

    Raises
    ------
    InputError
        x does not fit the network.
    RunError
        A pre-activation is NaN, so that φ′ is undefined there (never for a linear cell).
    """
    _check_input(network, x)
    keep_freed_memory()
    if x.ndim == 3:
        x = np.asarray(x, dtype=np.float64)
    steps, batch = int(x.shape[0]), int(x.shape[1])
    states = start if start is not None else zero_states(network, batch)
    a_step = batch * sum(
        layer.B.shape[0] + len(network.cell.states) * layer.hidden for layer in network.layers
    )
    keep = steps * a_step <= _KEPT_NUMBERS if keep is None else keep
    window = window or max(_SHORTEST_WINDOW, _WINDOW_NUMBERS // a_step)
    kept, checkpoints, at = [], [], states
    for begin in range(0, steps, window):
        tapes = _advance(network, x[begin : begin + window], at, begin)
        if keep:
            kept.append(tapes)
        else:
            checkpoints.append(at)
        if progress is not None:
            progress(begin / steps)
        at = tuple(tuple(state[-1].copy() for state in tape.states) for tape in tapes)
    return Trajectory(
        network, x, states, min(window, steps), tuple(kept) if keep else None, tuple(checkpoints)
    )


def zero_states(network: Network, batch: int) -> States:
    """Return the states of a network that has seen nothing."""
    return tuple(
        tuple(np.zeros((batch, layer.hidden)) for _ in network.cell.states)
        for layer in network.layers
    )


def feed(x: Input, A: Array) -> Array:
    """A x_t for every step: one matrix product, or a choice of columns for symbols."""
    if x.ndim == 2:
        return np.asarray(A.T[x])
    n, batch, width = x.shape
    return np.asarray(np.dot(x.reshape(-1, width), A.T).reshape(n, batch, -1))


def _advance(network: Network, x: Input, states: States, begin: int = 0) -> tuple[Tape, ...]:
    """Run all layers over one window, each over all steps before the next one."""
    tapes: list[Tape] = []
    with np.errstate(all="ignore"):
        for layer, start in zip(network.layers, states, strict=True):
            drive = feed(x, layer.A)
            bias = network.cell.drive_bias(layer)
            if bias is not None:
                drive += bias
            tape = network.cell.advance(drive, layer, start)
            tapes.append(tape)
            x = tape.states[0][1:]
    _check_slopes(tapes, begin)
    return tuple(tapes)


def _check_input(network: Network, x: Input) -> None:
    """Refuse sequences that the network cannot read."""
    width = network.n_inputs
    if x.ndim == 2 and np.issubdtype(x.dtype, np.integer):
        if x.size and not (0 <= x.min() and x.max() < width):
            raise InputError(
                f"must hold symbols from 0 to {width - 1} (the network has {width} inputs), "
                f"got {x.min()} to {x.max()}",
                key="task.x",
            )
    elif x.ndim != 3 or x.shape[2] != width:
        raise InputError(
            f"must have the shape (T, N, {width}) for a network of {width} inputs, got {x.shape}",
            key="task.x",
        )
    if 0 in x.shape:
        raise InputError(f"must have at least one step and one sequence, got {x.shape}")


def _check_slopes(tapes: list[Tape], begin: int) -> None:
    """Stop where the linearisation is undefined; what merely overflowed may go on."""
    found = []
    for k, tape in enumerate(tapes):
        for slope in tape.slopes:
            # A sum is NaN if any term is; only then is it worth looking where.
            if np.isnan(slope.sum()) and len(where := np.argwhere(np.isnan(slope))):
                step, sequence, unit = (int(i) for i in where[0])
                found.append((step, k, sequence, unit))
    if found:
        step, k, sequence, unit = min(found)
        raise RunError(
            f"the forward pass is undefined from step {begin + step + 1} on: unit {unit + 1} "
            f"of layer {k} has a pre-activation that is not a number "
            f"(sequence {sequence + 1}); smaller weights or inputs keep it finite"
        )


__all__ = ["Input", "Layer", "States", "Trajectory", "Window", "feed", "unroll", "zero_states"]
