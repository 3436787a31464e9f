"""Sequences that a user brings: arrays in a file, or numbers in the experiment itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bpttcli.errors import InputError, nearest
from bpttcli.tasks.task import Supply, Task

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.files import InputFile
    from bpttcli.tasks.parts import Parts
    from bpttcli.tasks.sequences import Sequences
    from bpttcli.tasks.streams import Stream


class Data(Task, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the sequences as they are: the first `steps` of the first `batch` of them.

    - An npz file holds ``x`` (T, N, I) or integer ``x`` (T, N), and may hold ``y``, ``h0``,
      ``c0``, ``mask`` and ``lengths`` (see `bpttcli.tasks.layout.lay_out`). An npy file is x
      alone.
    - A csv file holds one sequence, a row a step (see `bpttcli.tasks.csv_table.read_csv`).
    - In the experiment itself they are lists of the same shapes, or for a single sequence
      without the axis N (see `bpttcli.tasks.written.lay_out_written`). With `batch_first` the
      sequences may have different lengths (see `bpttcli.tasks.padding.pad`).

    In csv files and lists x is real unless `tokens` says otherwise, and y is classes if all of
    it is written in integers.
    """

    name: Literal["data"] = "data"
    file: Annotated[str | None, Meta(description="an npz, npy or csv file")] = None
    batch_first: Annotated[
        bool, Meta(description="the first two axes of x, y and mask are N, T")
    ] = False
    tokens: Annotated[bool, Meta(description="x holds symbols, integers from 0")] = False
    x: Annotated[list[Any] | None, Meta(description="the inputs, instead of a file")] = None
    y: Annotated[list[Any] | None, Meta(description="the targets, beside x")] = None
    h0: Annotated[list[Any] | None, Meta(description="the state before step 1, beside x")] = None
    c0: Annotated[list[Any] | None, Meta(description="the cell state then, beside x")] = None
    mask: Annotated[list[Any] | None, Meta(description="the target steps, beside x")] = None
    lengths: Annotated[
        list[Any] | None, Meta(description="the steps of each sequence, beside padded x")
    ] = None

    def __post_init__(self) -> None:
        """Check the keys together."""
        lists = self._lists()
        if self.file is not None and lists:
            raise InputError("must not stand beside task.file", key=f"task.{next(iter(lists))}")
        if self.file is None and "x" not in lists:
            raise InputError("needs a file (npz, npy or csv), or x as a list", key="task")

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Read the sequences (see `Task.sequences`); draws nothing."""
        return self._whole().first(self.steps, self.batch)

    def supply(self) -> Supply:
        """Read the sequences (see `Task.supply`)."""
        from bpttcli.tasks.streams import Drawn

        there = self._whole().first(self.steps, self.batch)
        return Drawn(lambda rng: there)

    def stream(self, rng: np.random.Generator) -> Stream:
        """Run through the sequences again and again (see `Task.stream`); draws nothing."""
        return self._stream(self._whole().first(None, self.batch))

    def parts(self, rng: np.random.Generator, share: float, batch: int) -> Parts:
        """Keep some of the sequences aside, where there are several (see `Task.parts`)."""
        from bpttcli.tasks.parts import Parts, chosen_aside
        from bpttcli.tasks.streams import Drawn

        whole = self._whole().first(None, self.batch)
        train, aside = chosen_aside(whole.batch, share if batch else 0.0, rng)
        some = whole.take(train)
        drawn, held_out = some.first(self.steps), None
        if len(aside):
            test = whole.take(aside[:batch]).first(self.steps)
            held_out = Drawn(lambda rng: test)
        return Parts(Drawn(lambda rng: drawn), lambda rng: self._stream(some), held_out)

    def _stream(self, whole: Sequences) -> Stream:
        """Run through some of the sequences."""
        from bpttcli.tasks.streams import Cycle

        if whole.y is None or len(whole.y) < whole.steps or whole.lengths is not None:
            message = "must be false where there is not a target for each step"
            raise InputError(message, key="train.carry_state")
        return Cycle(whole, self.steps or whole.steps)

    def _whole(self) -> Sequences:
        """All that is there."""
        from bpttcli.tasks.files import InputFile
        from bpttcli.tasks.numeric import from_lists
        from bpttcli.tasks.padding import pad
        from bpttcli.tasks.written import lay_out_written

        if self.file is not None:
            return self._read(InputFile(self.file, "task.file"))
        lists = pad(self._lists()) if self.batch_first else self._lists()
        arrays = {name: from_lists(given, f"task.{name}") for name, given in lists.items()}
        return lay_out_written(arrays, tokens=self.tokens, batch_first=self.batch_first)

    def _lists(self) -> dict[str, list[Any]]:
        """Collect the arrays that stand in the experiment itself."""
        names = ("x", "y", "h0", "c0", "mask", "lengths")
        lists = {name: getattr(self, name) for name in names}
        return {name: given for name, given in lists.items() if given is not None}

    def _read(self, file: InputFile) -> Sequences:
        """Read the file, of whichever kind it is."""
        from bpttcli.tasks.arrays import is_saved_by_numpy, read_arrays
        from bpttcli.tasks.csv_table import read_csv
        from bpttcli.tasks.layout import NAMES, lay_out
        from bpttcli.tasks.written import lay_out_written

        content = file.read()
        saved = is_saved_by_numpy(content, file)
        arrays = read_arrays(content, file) if saved else read_csv(file.decode(content), file)
        unused = [name for name in arrays if name not in NAMES]
        for name in unused:
            asked = nearest(name, NAMES)
            # Beside all that a batch needs, other arrays may be anybody's; else one is misspelt.
            if "y" not in arrays or asked.startswith("did you mean"):
                raise file.error(f"holds an unknown array {name!r}: {asked}")
            del arrays[name]
        if "x" not in arrays:
            raise file.error("must hold an array x, got none")
        if self.tokens and not saved:
            if arrays["x"].shape[1] > 1:
                raise file.error(f"must have one column of tokens, got {arrays['x'].shape[1]}")
            arrays["x"] = arrays["x"][:, 0]
        make = lay_out if saved else lay_out_written
        try:
            made = make(arrays, tokens=self.tokens, batch_first=self.batch_first)
            return msgspec.structs.replace(made, notes=_left_out(unused, file))
        except InputError as error:
            name = (error.key or "").removeprefix("task.")
            if name not in NAMES:
                raise
            # Nobody wrote this key: the array is at fault, and the file named instead.
            raise file.error(f"holds {name}, which {error}") from None


def _left_out(names: list[str], file: InputFile) -> tuple[str, ...]:
    """Say which arrays of a file were of no use."""
    if not names:
        return ()
    few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (f"{file.path} holds arrays that are not used: {few}",)
