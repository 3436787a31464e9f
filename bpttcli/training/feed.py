"""What each update is fed: sequences drawn anew, or the next chunk with the state carried on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from bpttcli.engine.losses import Objective
from bpttcli.engine.unroll import Input, States, Trajectory
from bpttcli.record import Record
from bpttcli.tasks.sequences import Sequences


class Batch(Record, frozen=True):
    """Sequences, what is asked of the network, and the states in which they begin.

    Parameters
    ----------
    x : (T, N, I) array or (T, N) array of int
    objective : Objective
    start : tuple of tuples of (N, H) arrays, or None
        None for zeros.
    factor : float
        What the gradient is multiplied by: a constant of the run, never a length that is
        drawn, whose inverse would weigh short segments more.
    """

    x: Input
    objective: Objective
    start: States | None
    factor: float = 1.0


Make = Callable[[Sequences, np.random.Generator], Batch]
"""Puts a question to sequences."""


class Feed(Protocol):
    """Where the updates get their sequences."""

    states: States | None
    """What is carried from update to update; a checkpoint holds it."""

    def batch(self, update: int) -> Batch:
        """Give the sequences of an update, counted from 1."""
        ...

    def passed(self, trajectory: Trajectory) -> None:
        """Take note that the network has run through them."""
        ...

    def reset(self) -> None:
        """Forget what was carried."""
        ...


def generator(seed: int, purpose: int, n: int) -> np.random.Generator:
    """Make the random numbers of one update: they depend on the seed and on n alone.

    Parameters
    ----------
    seed : int
        The experiment's.
    purpose, n : int
        The spawn key.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, n)))


class Fresh:
    """Sequences drawn anew for every update.

    Parameters
    ----------
    draw : callable
        Draws sequences.
    make : callable
        Puts the question.
    seed, purpose : int
        As of `generator`.
    """

    def __init__(
        self,
        draw: Callable[[np.random.Generator], Sequences],
        make: Make,
        seed: int,
        purpose: int,
    ) -> None:
        self._draw, self._make, self._seed, self._purpose = draw, make, seed, purpose
        self.states: States | None = None

    def batch(self, update: int) -> Batch:
        """Draw the sequences (see `Feed.batch`)."""
        rng = generator(self._seed, self._purpose, update)
        return self._make(self._draw(rng), rng)

    def passed(self, trajectory: Trajectory) -> None:
        """Nothing is carried (see `Feed.passed`)."""

    def reset(self) -> None:
        """Nothing is carried (see `Feed.reset`)."""


class Carried:
    """One chunk of endless sequences after the other; the state passes on, the gradient does not.

    Parameters
    ----------
    chunk : callable
        Gives chunk k, from 0.
    make : callable
        Puts the question.
    start : tuple of tuples of (N, H) arrays, or None
        The states before the first chunk.
    seed, purpose : int
        As of `generator`.
    """

    def __init__(
        self,
        chunk: Callable[[int], Sequences],
        make: Make,
        start: States | None,
        seed: int,
        purpose: int,
    ) -> None:
        self._chunk, self._make, self._start = chunk, make, start
        self._seed, self._purpose = seed, purpose
        self.states = start

    def batch(self, update: int) -> Batch:
        """Give the next chunk, begun in the states carried (see `Feed.batch`)."""
        rng = generator(self._seed, self._purpose, update)
        made = self._make(self._chunk(update - 1), rng)
        return Batch(made.x, made.objective, self.states, made.factor)

    def passed(self, trajectory: Trajectory) -> None:
        """Keep the last states (see `Feed.passed`)."""
        # Copies: a view would keep the tape of the whole chunk alive.
        self.states = tuple(tuple(state.copy() for state in layer) for layer in trajectory.end())

    def reset(self) -> None:
        """Begin in the first states again (see `Feed.reset`)."""
        self.states = self._start
