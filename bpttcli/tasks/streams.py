"""Endless sequences in chunks, for training with the state carried over.

Chunk k is a function of k alone, so that a run can be resumed at any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.record import Record
from bpttcli.tasks.sequences import Sequences


class Stream(Protocol):
    """N endless sequences, T steps at a time."""

    def chunk(self, k: int) -> Sequences:
        """Give steps kT + 1 … (k + 1)T, k from 0; they follow upon those of chunk k − 1."""
        ...


class Passage(Record, frozen=True):
    """Run through one series from several places at once; after its end comes its beginning.

    Parameters
    ----------
    series : (M, …) array
        Each value is the target of the one before.
    starts : (N,) array of int
        Where the streams begin, from 0.
    steps : int
        T.
    ask : callable
        Makes sequences of x and y, (T, N, …) each.
    """

    series: NDArray[Any]
    starts: NDArray[np.int64]
    steps: int
    ask: Callable[[NDArray[Any], NDArray[Any]], Sequences]

    def chunk(self, k: int) -> Sequences:
        """Give one chunk (see `Stream.chunk`)."""
        # The remainder first: a run may be as long as it likes.
        first = k * self.steps % len(self.series)
        at = first + np.arange(self.steps + 1)[:, None] + self.starts
        window = self.series[at % len(self.series)]
        return self.ask(window[:-1], window[1:])


class Cycle(Record, frozen=True):
    """Run through sequences that have a target at every step, again and again.

    Parameters
    ----------
    sequences : Sequences
        Their states before the first step are left to whoever runs the network.
    steps : int
        T, which need not divide theirs.
    """

    sequences: Sequences
    steps: int

    def chunk(self, k: int) -> Sequences:
        """Give one chunk (see `Stream.chunk`)."""
        whole = self.sequences
        at = (k * self.steps % whole.steps + np.arange(self.steps)) % whole.steps
        cut = {
            name: getattr(whole, name)[at]
            for name in ("x", "y", "mask", "measured")
            if getattr(whole, name) is not None
        }
        return msgspec.structs.replace(whole, **cut, h0=None, c0=None)


class Made(Record, frozen=True):
    """Make each chunk when it is asked for.

    Parameters
    ----------
    make : callable
        Gives chunk k.
    """

    make: Callable[[int], Sequences]

    def chunk(self, k: int) -> Sequences:
        """Give one chunk (see `Stream.chunk`)."""
        return self.make(k)


class Drawn(Record, frozen=True):
    """Draw from what was read before.

    Parameters
    ----------
    draw : callable
        Draws sequences.
    """

    draw: Callable[[np.random.Generator], Sequences]

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        return self.draw(rng)


def spread(length: int, batch: int) -> NDArray[np.int64]:
    """Return the places that divide a series as evenly as whole steps allow, from 0.

    Examples
    --------
    >>> spread(10, 4)
    array([0, 2, 5, 7])
    """
    return np.arange(batch, dtype=np.int64) * length // batch
