"""How far a run has come: everything about it but its arrays."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

Row = dict[str, Any]


def judged(row: Row) -> float | None:
    """The loss by which a row is judged: the held-out one, where there is one."""
    value = row["loss"] if row["held_out"] is None else row["held_out"]
    return None if value is None else float(value)


class Progress(Struct, kw_only=True):
    """What changes from update to update; plain values, so that a checkpoint can hold them.

    Parameters
    ----------
    update : int
        Updates that are done.
    seconds : float
        Spent on them, by all processes that worked on the run.
    rate_factor : float
        What backing off has made of the learning rate.
    first_loss : float or None
        Of update 1.
    norm : float or None
        Of the last gradient.
    last : dict or None
        What the next row tells of the last gradient.
    rows : list of dict
        The log.
    losses, largest_norm, fired, counted : float, float, int, int
        Sum of the losses since the last row, the largest norm, how often a clip fired, and
        of how many updates.
    best, best_update : float or None, int
        The smallest held-out loss (or training loss, where nothing is held out), and when.
    waited : int
        Rows since then.
    troubles : list of dict
        Where the run diverged, and what was done.
    refused : int
        Updates in a row that were not carried out.
    stopped_by : str or None
        What ended it; None while it can go on.
    """

    update: int = 0
    seconds: float = 0.0
    rate_factor: float = 1.0
    first_loss: float | None = None
    norm: float | None = None
    last: Row | None = None
    rows: list[Row] = field(default_factory=list)
    losses: float = 0.0
    largest_norm: float = 0.0
    fired: int = 0
    counted: int = 0
    best: float | None = None
    best_update: int = 0
    waited: int = 0
    troubles: list[Row] = field(default_factory=list)
    refused: int = 0
    stopped_by: str | None = None

    def count(self, loss: float, norm: float, *, fired: bool) -> None:
        """Take in an update for the next row."""
        self.losses += loss
        self.largest_norm = max(self.largest_norm, norm)
        self.fired += fired
        self.counted += 1

    def start_row(self) -> None:
        """Begin to count anew."""
        self.losses, self.largest_norm, self.fired, self.counted = 0.0, 0.0, 0, 0
