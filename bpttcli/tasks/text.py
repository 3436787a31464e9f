"""Prediction of the next symbol of a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.errors import InputError
from bpttcli.tasks.task import Batch, Steps, Task

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.files import InputFile
    from bpttcli.tasks.lines import Lines
    from bpttcli.tasks.parts import Parts
    from bpttcli.tasks.running_text import RunningText
    from bpttcli.tasks.sequences import Sequences
    from bpttcli.tasks.streams import Stream

_SHIPPED = Path(__file__).parent / "series"
_UNITS = {"char": "characters", "word": "words"}


class Text(Task, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Predict the next symbol of a text from those so far.

    Each sequence is a window of T + 1 symbols at a random place; with ``steps: null`` it is
    the whole text. The symbols are all that occur in the file, in the order of their code
    points. Answering with how often each occurs in the file costs the baseline, the entropy
    H = −Σ p ln p of one symbol.

    With ``lines: true`` each sequence is a line of its own, drawn at random: its symbols
    between two line ends, which are symbols too (see `bpttcli.tasks.lines.Lines`).

    References
    ----------
    Elman 1990, *Finding structure in time*; for characters, Sutskever, Martens & Hinton 2011,
    *Generating text with recurrent neural networks*.
    """

    name: Literal["text"] = "text"
    file: Annotated[
        str | None, Meta(description="a text in UTF-8; without it, one that comes with bptt")
    ] = None
    symbols: Annotated[
        Literal["char", "word"],
        Meta(description="what is one symbol; a Chinese character is a word of its own"),
    ] = "char"
    lines: Annotated[
        bool,
        Meta(description="each line is a sequence; without a file, sentences come with bptt"),
    ] = False
    steps: Annotated[
        Steps | None,
        Meta(description="symbols of a sequence, T; null: the whole text, or the longest line"),
    ] = 100
    batch: Annotated[Batch, Meta(description="sequences drawn, N")] = 1

    def __post_init__(self) -> None:
        """Check the keys together."""
        if self.steps is None and self.batch > 1 and not self.lines:
            message = f"must be 1 where steps are the whole text, got {self.batch}"
            raise InputError(message, key="task.batch")

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        return self.supply().sequences(rng)

    def supply(self) -> RunningText | Lines:
        """Read the text (see `Task.supply`)."""
        from bpttcli.tasks.lines import Lines
        from bpttcli.tasks.running_text import RunningText
        from bpttcli.tasks.symbols import lines, read_symbols

        file, text = self._read()
        if self.lines:
            found, vocabulary = lines(text, self.symbols)
            if not found:
                raise file.error(f"must have a line with {_UNITS[self.symbols]}, got none")
            return Lines.of(found, vocabulary, self.steps, self.batch)
        encoded, vocabulary = read_symbols(text, self.symbols)
        if len(encoded) < 2:
            unit = _UNITS[self.symbols]
            raise file.error(f"must have at least 2 {unit}, got {len(encoded)}")
        steps = len(encoded) - 1 if self.steps is None else self.steps
        return RunningText.of(encoded, vocabulary, steps, self.batch)

    def stream(self, rng: np.random.Generator) -> Stream:
        """Run through the text, N places at a time (see `Task.stream`)."""
        from bpttcli.tasks.running_text import RunningText

        supply = self.supply()
        if not isinstance(supply, RunningText):
            message = "must be false for task.lines, of which each starts afresh"
            raise InputError(message, key="train.carry_state")
        return supply.stream()

    def parts(self, rng: np.random.Generator, share: float, batch: int) -> Parts:
        """Keep the end of the text aside, or some of its lines (see `Task.parts`)."""
        from bpttcli.tasks.lines import Lines
        from bpttcli.tasks.parts import Parts

        whole = self.supply()
        if isinstance(whole, Lines):
            some, lines = whole.split(rng, share if batch else 0.0, batch)
            return Parts(some, self.stream, lines)
        train, test = whole.split(share if batch else 0.0, batch)
        return Parts(train, lambda rng: train.stream(), test)

    def _read(self) -> tuple[InputFile, str]:
        """Read the file, or one of those that come along."""
        from bpttcli.tasks.files import InputFile

        shipped = _SHIPPED / ("sentences.txt" if self.lines else "text.txt")
        file = InputFile(str(shipped) if self.file is None else self.file, "task.file")
        return file, file.decode(file.read())
