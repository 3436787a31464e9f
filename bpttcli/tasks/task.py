"""What all tasks have in common: the keys of `task:` in an experiment file.

Importing a task imports no NumPy, so that names and keys can be listed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from bpttcli.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences

# Sizes up to these, times 10,000 inputs of 8 bytes, still have a number of bytes below 2**63:
# what is too large for a machine is a MemoryError, never an overflow of NumPy's sizes.
Steps = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Batch = Annotated[int, Meta(ge=1, le=90_000)]


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
