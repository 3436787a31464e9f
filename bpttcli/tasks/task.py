"""What all tasks have in common: the keys of `task:` in an experiment file.

Importing a task imports no NumPy, so that names and keys can be listed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

from msgspec import Meta, Struct

from bpttcli.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.parts import Parts
    from bpttcli.tasks.sequences import Sequences
    from bpttcli.tasks.streams import Stream

# Sizes up to these, times 10,000 inputs of 8 bytes, still have a number of bytes below 2**63:
# what is too large for a machine is a MemoryError, never an overflow of NumPy's sizes.
Steps = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Batch = Annotated[int, Meta(ge=1, le=90_000)]


class Supply(Protocol):
    """What sequences are drawn from."""

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw sequences (see `Task.sequences`)."""
        ...


class Task(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tasks; a field is a key of `task:`."""

    name: str
    steps: Annotated[
        Steps | None, Meta(description="steps of a sequence, T; null: all there are")
    ] = None
    batch: Annotated[Batch | None, Meta(description="sequences, N; null: all there are")] = None

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Make the sequences.

        Parameters
        ----------
        rng : numpy.random.Generator
            The source of all random numbers: its state decides the sequences.

        Returns
        -------
        Sequences

        Raises
        ------
        InputError
            The keys contradict each other, or the file that they name.
        """
        raise NotImplementedError

    def supply(self) -> Supply:
        """Read once what the sequences are drawn from, for whoever draws often.

        Returns
        -------
        Supply
            Draws the sequences that the task draws.

        Raises
        ------
        InputError
            The keys contradict each other, or the file that they name.
        """
        return self

    def stream(self, rng: np.random.Generator) -> Stream:
        """Make N endless sequences that come in chunks of T steps, one after the other.

        Parameters
        ----------
        rng : numpy.random.Generator
            Its state decides what is random in them.

        Returns
        -------
        Stream

        Raises
        ------
        InputError
            The sequences of this task have an end; or as `sequences`.
        """
        message = f"must be false for the task {self.name}, whose sequences have an end"
        raise InputError(message, key="train.carry_state")

    def parts(self, rng: np.random.Generator, share: float, batch: int) -> Parts:
        """Part what a network is trained on from what it is tested on.

        Here all sequences are drawn, and those of the test are drawn anew.

        Parameters
        ----------
        rng : numpy.random.Generator
            Decides what is kept aside, where that is decided at random.
        share : float
            Of a text or data set that is kept aside, from 0 to 1.
        batch : int
            Sequences of the test; 0 for no test.

        Raises
        ------
        InputError
            As `sequences`.
        """
        from msgspec.structs import replace

        from bpttcli.tasks.parts import Parts

        held_out = replace(self, batch=batch).supply() if batch else None
        return Parts(self.supply(), self.stream, held_out)


class Generated(Task, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the tasks that draw as many sequences, as long, as they are asked for."""

    steps: Annotated[Steps, Meta(description="steps of a sequence, T")] = 100
    batch: Annotated[Batch, Meta(description="sequences drawn, N")] = 1


def require_steps(steps: int, least: int, reason: str) -> None:
    """Refuse sequences that are too short for their task.

    Raises
    ------
    InputError
        `steps` is below `least`; `reason` tells why that many are needed.
    """
    if steps < least:
        raise InputError(f"must be at least {least} ({reason}), got {steps}", key="task.steps")
