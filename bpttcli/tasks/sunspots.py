"""Prediction of the yearly number of sunspots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences

_FILE = Path(__file__).parent / "series" / "sunspots.csv"


class Sunspots(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Predict next year's number of sunspots from this year's.

    The yearly mean total sunspot number from 1700 to 2008, less its mean and divided by its
    standard deviation; each sequence is a window of T + 1 years from a random start. Its
    cycle of about eleven years asks for memory. Answering this year's number for the next
    (persistence) costs the baseline, exact for the windows drawn.

    References
    ----------
    World Data Center SILSO, Royal Observatory of Belgium, Brussels: yearly mean total sunspot
    number, version 1.0.
    """

    name: Literal["sunspots"] = "sunspots"

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences
        from bpttcli.tasks.windows import windows

        series = np.loadtxt(_FILE, delimiter=",", skiprows=1, usecols=1)
        series = (series - series.mean()) / series.std()
        x, y = windows(series[:, None], self.steps, self.batch, rng, unit="years")
        return Sequences(
            x=x,
            n_inputs=1,
            y=y,
            n_outputs=1,
            loss="mse",
            at="every",
            baseline=float(np.mean((y - x) ** 2)),
            baseline_name="this year's number again",
        )
