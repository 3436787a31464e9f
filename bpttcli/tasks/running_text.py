"""A text as one long row of symbols: windows at random places, or streams through all of it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.record import Record
from bpttcli.tasks.parts import set_aside
from bpttcli.tasks.sequences import Sequences
from bpttcli.tasks.streams import Passage, spread
from bpttcli.tasks.symbols import entropy
from bpttcli.tasks.vocabulary import Symbols, Vocabulary
from bpttcli.tasks.windows import windows


class RunningText(Record, frozen=True):
    """Draw windows of a text that is read already.

    Parameters
    ----------
    symbols : (M,) array of int
        The text.
    vocabulary : Vocabulary
    steps, batch : int
        T, and N windows or streams.
    baseline : float
        Entropy of one symbol of the whole text.
    """

    symbols: Symbols
    vocabulary: Vocabulary
    steps: int
    batch: int
    baseline: float

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the windows (see `Task.sequences`).

        Raises
        ------
        InputError
            A window is longer than the text.
        """
        unit = {"char": "characters", "word": "words"}[self.vocabulary.unit]
        return self._asked(*windows(self.symbols, self.steps, self.batch, rng, unit=unit))

    @classmethod
    def of(cls, symbols: Symbols, vocabulary: Vocabulary, steps: int, batch: int) -> RunningText:
        """Take a whole text."""
        return cls(symbols, vocabulary, steps, batch, entropy(symbols))

    def split(self, share: float, batch: int) -> tuple[RunningText, RunningText | None]:
        """Part the text from its end, which is `share` of it and holds one window or more.

        Parameters
        ----------
        share : float
        batch : int
            Windows that are drawn of the end.

        Returns
        -------
        RunningText
            Of as many windows as before.
        RunningText or None
            None if the text is too short to be parted.
        """
        aside = set_aside(len(self.symbols), share, self.steps + 1)
        if not aside:
            return self, None
        begin, end = self.symbols[:-aside], self.symbols[-aside:]
        return (
            msgspec.structs.replace(self, symbols=begin),
            msgspec.structs.replace(self, symbols=end, batch=batch),
        )

    def stream(self) -> Passage:
        """Run through the text from N places that divide it evenly (see `Task.stream`)."""
        starts = spread(len(self.symbols), self.batch)
        return Passage(self.symbols, starts, self.steps, self._asked)

    def _asked(self, x: NDArray[Any], y: NDArray[Any]) -> Sequences:
        """Ask for the next symbol at every step."""
        count = len(self.vocabulary)
        return Sequences(
            x=x,
            n_inputs=count,
            y=y,
            n_outputs=count,
            loss="cross_entropy",
            at="every",
            baseline=self.baseline,
            baseline_name=f"how often each of the {count} symbols occurs",
            vocabulary=self.vocabulary,
        )
