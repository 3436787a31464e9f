"""A text as one long row of symbols: windows at random places, or streams through all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.record import Record
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
    """

    symbols: Symbols
    vocabulary: Vocabulary
    steps: int
    batch: int

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the windows (see `Task.sequences`).

        Raises
        ------
        InputError
            A window is longer than the text.
        """
        unit = {"char": "characters", "word": "words"}[self.vocabulary.unit]
        return self._asked(*windows(self.symbols, self.steps, self.batch, rng, unit=unit))

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
            baseline=entropy(self.symbols),
            baseline_name=f"how often each of the {count} symbols occurs",
            vocabulary=self.vocabulary,
        )
