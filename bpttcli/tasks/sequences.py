"""Sequences, what is asked of the network, and what guessing would cost."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.record import Record
from bpttcli.tasks.numeric import flags, numbers
from bpttcli.tasks.vocabulary import Vocabulary


class Sequences(Record, frozen=True):
    """Time-major sequences and what is asked of the network.

    Parameters
    ----------
    x : (T, N, I) array, or (T, N) array of int
        What the network is fed; integers are symbols, fed as one-hot vectors.
    n_inputs : int
        I, or the number of symbols (at least the largest one and one more).
    y : (T, N) array of int, or (T, N, O) array, or None
        Classes, or reals; of one step, (1, N) or (1, N, O), they are the last step's.
    n_outputs : int or None
        The number of classes, or O; None without y.
    loss : {'cross_entropy', 'mse'} or None
        The task's own loss, which y decides; None without y.
    at : {'every', 'last'}
        Where the task's own loss stands.
    mask : (T, N) array of bool, optional
        The steps that carry a target; `at` decides if it is not given.
    lengths : (N,) array of int, optional
        The steps that each sequence has, from 1 to T; those beyond are padding without a
        target, and the last one of `at` is each sequence's own.
    h0, c0 : (layers, N, H) array, optional
        The state before the first step, and an LSTM's cell state.
    random_start : bool
        Draw the states before the first step that are not given, instead of zeros.
    baseline : float, optional
        What guessing costs in the task's own loss, where that is known.
    baseline_name : str, optional
        What guess that is, in a few words.
    measured : (T, N) array of bool, optional
        The steps by which answers are judged right or wrong; all that carry a target, unless
        given.
    vocabulary : Vocabulary, optional
        What the symbols stand for, where they are a text's.
    notes : tuple of str
        What a reader should know of where they come from.

    Raises
    ------
    InputError
        Shapes contradict each other, a number is not finite, or a symbol out of range.

    Notes
    -----
    The arrays are int64, float64 or bool, contiguous, and cannot be written to; they share
    the memory of those given where these are so already.
    """

    x: NDArray[Any]
    n_inputs: int
    y: NDArray[Any] | None
    n_outputs: int | None
    loss: Literal["cross_entropy", "mse"] | None
    at: Literal["every", "last"]
    mask: NDArray[np.bool_] | None = None
    lengths: NDArray[np.int64] | None = None
    h0: Array | None = None
    c0: Array | None = None
    random_start: bool = False
    baseline: float | None = None
    baseline_name: str | None = None
    measured: NDArray[np.bool_] | None = None
    vocabulary: Vocabulary | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the arrays and freeze them."""
        x = numbers(self.x, "task.x")
        if x.ndim == 2:
            _require_symbols(x, self.n_inputs, "inputs", "task.x")
        else:
            x = x.astype(np.float64, copy=False)
            _require_shape(x, (None, None, self.n_inputs), "(T, N, I)", "task.x")
        self._keep("x", x)
        self._check_targets()
        for name in ("mask", "measured"):
            steps = getattr(self, name)
            if steps is not None:
                steps = flags(steps, f"task.{name}")
                _require_shape(steps, (self.steps, self.batch), "(T, N)", f"task.{name}")
                self._keep(name, steps)
        if self.lengths is not None:
            lengths = numbers(self.lengths, "task.lengths")
            _require_shape(lengths, (self.batch,), "(N,)", "task.lengths")
            _require_lengths(lengths, self.steps)
            self._keep("lengths", lengths)
        for name in ("h0", "c0"):
            state = getattr(self, name)
            if state is not None:
                key = f"task.{name}"
                state = numbers(state, key).astype(np.float64, copy=False)
                _require_shape(state, (None, self.batch, None), "(layers, N, H)", key)
                self._keep(name, state)

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return int(self.x.shape[0])

    @property
    def batch(self) -> int:
        """Number of sequences N."""
        return int(self.x.shape[1])

    def first(self, steps: int | None = None, batch: int | None = None) -> Sequences:
        """Take the first steps of the first sequences.

        Parameters
        ----------
        steps, batch : int, optional
            How many; all unless given.

        Raises
        ------
        InputError
            There are fewer, or the targets are those of a step that would be left out.
        """
        for name, wanted, there in (("steps", steps, self.steps), ("batch", batch, self.batch)):
            if wanted is not None and not 1 <= wanted <= there:
                message = f"must be from 1 to {there}, which is what the data has, got {wanted}"
                raise InputError(message, key=f"task.{name}")
        y, mask, lengths = self.y, self.mask, self.lengths
        if steps not in (None, self.steps) and y is not None and len(y) < self.steps:
            message = f"must be {self.steps}: the targets are those of that step, got {steps}"
            raise InputError(message, key="task.steps")
        return msgspec.structs.replace(
            self,
            x=self.x[:steps, :batch],
            y=None if y is None else y[:steps, :batch],
            mask=None if mask is None else mask[:steps, :batch],
            lengths=None if lengths is None else np.minimum(lengths, steps or self.steps)[:batch],
            measured=None if self.measured is None else self.measured[:steps, :batch],
            h0=None if self.h0 is None else self.h0[:, :batch],
            c0=None if self.c0 is None else self.c0[:, :batch],
        )

    @property
    def targets(self) -> NDArray[np.bool_]:
        """(T, N): the steps that carry a target where one stands at every step."""
        if self.lengths is None:
            return np.ones((self.steps, self.batch), dtype=bool)
        return np.asarray(np.arange(self.steps)[:, None] < self.lengths)

    @property
    def last(self) -> NDArray[np.bool_]:
        """(T, N): the last step of each sequence, its padding left out."""
        lengths = self.steps if self.lengths is None else self.lengths
        return np.broadcast_to(
            np.arange(self.steps)[:, None] == np.asarray(lengths) - 1, (self.steps, self.batch)
        )

    def backward(self) -> Sequences:
        """Turn each sequence round, its padding left where it is."""
        step = np.arange(self.steps)[:, None]
        lengths = np.broadcast_to(
            self.steps if self.lengths is None else self.lengths, (self.batch,)
        )
        order = np.where(step < lengths, lengths - 1 - step, step)
        column = np.arange(self.batch)
        y, mask = self.y, self.mask
        return msgspec.structs.replace(
            self,
            x=self.x[order, column],
            y=y if y is None or len(y) < self.steps else y[order, column],
            mask=None if mask is None else mask[order, column],
        )

    def take(self, which: NDArray[np.int64]) -> Sequences:
        """Take some of the sequences.

        Parameters
        ----------
        which : (n,) array of int
            Their indices.
        """
        named = ("x", "y", "mask", "measured", "h0", "c0")
        arrays = {name: getattr(self, name) for name in named}
        taken = {name: array[:, which] for name, array in arrays.items() if array is not None}
        if self.lengths is not None:
            taken["lengths"] = self.lengths[which]
        return msgspec.structs.replace(self, **taken)

    def _check_targets(self) -> None:
        """Check y, and with it the fields that y decides."""
        if self.y is None:
            if self.loss is not None or self.n_outputs is not None:
                raise InputError("must be given for a loss of the outputs", key="task.y")
            return
        y, key = numbers(self.y, "task.y"), "task.y"
        steps = 1 if y.ndim and len(y) == 1 else self.steps
        if self.loss == "cross_entropy":
            _require_shape(y, (steps, self.batch), "(T, N)", key)
            _require_symbols(y, self.n_outputs or 0, "classes", key)
        else:
            y = y.astype(np.float64, copy=False)
            _require_shape(y, (steps, self.batch, self.n_outputs), "(T, N, O)", key)
        if steps < self.steps and (self.at == "every" or self.mask is not None):
            message = f"must have a target for each of the {self.steps} steps, got the last one's"
            raise InputError(message, key=key)
        self._keep("y", y)

    def _keep(self, name: str, array: NDArray[Any]) -> None:
        """Hold an array that nobody can write to through this object."""
        frozen = np.ascontiguousarray(array).view()
        frozen.setflags(write=False)
        msgspec.structs.force_setattr(self, name, frozen)


def _require_shape(
    array: NDArray[Any], shape: tuple[int | None, ...], letters: str, key: str
) -> None:
    """Compare a shape with the one that other arrays ask for; None fits any size."""
    if array.ndim != len(shape) or any(
        want not in (None, have) for want, have in zip(shape, array.shape, strict=True)
    ):
        sizes = ", ".join("any" if size is None else str(size) for size in shape)
        message = f"must have the shape {letters} = ({sizes}), got {array.shape}"
        raise InputError(message, key=key)


def _require_lengths(lengths: NDArray[Any], steps: int) -> None:
    """Refuse lengths that are no integers from 1 to T."""
    if lengths.dtype != np.int64:
        raise InputError(f"must hold integers, got {lengths.dtype}", key="task.lengths")
    low, high = int(lengths.min()), int(lengths.max())
    if low < 1 or high > steps:
        message = f"must hold lengths from 1 to {steps} (T), got {low if low < 1 else high}"
        raise InputError(message, key="task.lengths")


def _require_symbols(array: NDArray[Any], count: int, what: str, key: str) -> None:
    """Refuse symbols that are no integers from 0 to count − 1."""
    if array.dtype != np.int64:
        raise InputError(f"must hold integers, the {what}, got {array.dtype}", key=key)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= count:
        message = f"must hold {what} from 0 to {count - 1}, got {low if low < 0 else high}"
        raise InputError(message, key=key)
