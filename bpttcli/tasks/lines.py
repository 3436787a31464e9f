"""Lines of a text, each a sequence of its own."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError
from bpttcli.record import Record
from bpttcli.tasks.parts import chosen_aside
from bpttcli.tasks.sequences import Sequences
from bpttcli.tasks.vocabulary import Symbols, Vocabulary


class Lines(Record, frozen=True):
    """Draw lines at random, each as often as any other.

    A line of W symbols is W + 1 steps: the line end is fed first and is the last target, so
    that a network learns how a line begins and where it ends. Shorter lines are filled up
    with line ends that carry no target. What is measured is the last symbol before the line
    end: the one that all the line leads up to.

    Parameters
    ----------
    symbols : (M, T + 1) array of int
        Each line between its line ends.
    length : (M,) array of int
        Steps of each line that carry a target.
    vocabulary : Vocabulary
    batch : int
        N, the lines that are drawn at a time.
    baseline : float
        What answering with the frequencies of the targets costs, over all lines.
    """

    symbols: NDArray[np.int64]
    length: NDArray[np.int64]
    vocabulary: Vocabulary
    batch: int
    baseline: float

    @classmethod
    def of(
        cls, lines: list[Symbols], vocabulary: Vocabulary, steps: int | None, batch: int
    ) -> Lines:
        """Lay the lines out side by side.

        Parameters
        ----------
        lines : list of (M_n,) arrays of int
            Each between its line ends, as `bpttcli.tasks.symbols.lines` gives them.
        vocabulary : Vocabulary
        steps : int or None
            T; as many as the longest line has, unless given.
        batch : int

        Raises
        ------
        InputError
            A line is longer.
        """
        length = np.array([len(line) - 1 for line in lines])
        longest = int(length.max())
        if steps is not None and steps < longest:
            n = int(length.argmax()) + 1
            message = (
                f"must be at least {longest}, the steps of the longest line ({n}), got {steps}"
            )
            raise InputError(message, key="task.steps")
        end = lines[0][0]
        symbols = np.full((len(lines), (steps or longest) + 1), end)
        for n, line in enumerate(lines):
            symbols[n, : len(line)] = line
        return cls(symbols, length, vocabulary, batch, _baseline(symbols[:, 1:], length))

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the lines (see `Task.sequences`)."""
        return self.take(rng.integers(0, len(self.symbols), self.batch))

    def split(
        self, rng: np.random.Generator, share: float, batch: int
    ) -> tuple[Lines, Lines | None]:
        """Part the lines at random: those that are drawn from, and `share` of them kept aside.

        Parameters
        ----------
        rng : numpy.random.Generator
        share : float
        batch : int
            Lines that are drawn of those aside.

        Returns
        -------
        Lines
        Lines or None
            None if nothing is kept aside.
        """
        train, aside = chosen_aside(len(self.symbols), share, rng)
        if not len(aside):
            return self, None
        parts = [
            msgspec.structs.replace(self, symbols=self.symbols[some], length=self.length[some])
            for some in (train, aside)
        ]
        return parts[0], msgspec.structs.replace(parts[1], batch=batch)

    def take(self, chosen: NDArray[np.int64]) -> Sequences:
        """Take the lines of these numbers, counted from 0."""
        symbols, length = self.symbols[chosen].T, self.length[chosen]
        count = len(self.vocabulary)
        step = np.arange(1, len(symbols))[:, None]
        return Sequences(
            x=symbols[:-1],
            n_inputs=count,
            y=symbols[1:],
            n_outputs=count,
            loss="cross_entropy",
            at="every",
            mask=step <= length,
            measured=step == length - 1,
            baseline=self.baseline,
            baseline_name=f"how often each of the {count} symbols occurs",
            vocabulary=self.vocabulary,
        )


def _baseline(targets: NDArray[np.int64], length: NDArray[np.int64]) -> float:
    """Cost −ln p of a target, p its frequency: the mean over a line, then over the lines."""
    there = np.arange(targets.shape[1]) < length[:, None]
    p = np.bincount(targets[there]) / there.sum()
    cost = -np.log(p[targets], where=there, out=np.zeros(targets.shape))
    return float((cost.sum(axis=1) / length).mean())
