"""Prediction of the next symbol of a text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.errors import InputError
from bpttcli.tasks.task import Batch, Steps, Task

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences

_SHIPPED = Path(__file__).parent / "series" / "text.txt"


class Text(Task, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Predict the next symbol of a text from those so far.

    Each sequence is a window of T + 1 symbols at a random place; with ``steps: null`` it is
    the whole text. The symbols are all that occur in the file, in the order of their code
    points. Answering with how often each occurs in the file costs the baseline, the entropy
    H = −Σ p ln p of one symbol.

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
    steps: Annotated[
        Steps | None, Meta(description="symbols of a sequence, T; null: the whole text")
    ] = 100
    batch: Annotated[Batch, Meta(description="sequences drawn, N")] = 1

    def __post_init__(self) -> None:
        """Check the keys together."""
        if self.steps is None and self.batch > 1:
            message = f"must be 1 where steps are the whole text, got {self.batch}"
            raise InputError(message, key="task.batch")

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        from bpttcli.tasks.files import InputFile
        from bpttcli.tasks.sequences import Sequences
        from bpttcli.tasks.symbols import ENCODERS, entropy
        from bpttcli.tasks.windows import windows

        file = InputFile(str(_SHIPPED) if self.file is None else self.file, "task.file")
        encoded, count = ENCODERS[self.symbols](file.decode(file.read()))
        unit = {"char": "characters", "word": "words"}[self.symbols]
        if len(encoded) < 2:
            raise file.error(f"must have at least 2 {unit}, got {len(encoded)}")
        steps = len(encoded) - 1 if self.steps is None else self.steps
        x, y = windows(encoded, steps, self.batch, rng, unit=unit)
        return Sequences(
            x=x,
            n_inputs=count,
            y=y,
            n_outputs=count,
            loss="cross_entropy",
            at="every",
            baseline=entropy(encoded),
            baseline_name=f"how often each of the {count} symbols occurs",
        )
