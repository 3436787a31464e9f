"""Prediction of the yearly number of sunspots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bpttcli.tasks.task import Generated, Supply

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.engine.scaled import Array
    from bpttcli.tasks.parts import Parts
    from bpttcli.tasks.sequences import Sequences
    from bpttcli.tasks.streams import Stream

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
        return self.supply().sequences(rng)

    def supply(self) -> Supply:
        """Read the numbers (see `Task.supply`)."""
        return self._supply(_series(), self.batch)

    def stream(self, rng: np.random.Generator) -> Stream:
        """Run through the years again and again (see `Task.stream`); draws nothing."""
        return self._stream(_series())

    def parts(self, rng: np.random.Generator, share: float, batch: int) -> Parts:
        """Keep the last years aside (see `Task.parts`)."""
        from bpttcli.tasks.parts import Parts, set_aside

        series = _series()
        aside = set_aside(len(series), share, self.steps + 1) if batch else 0
        train, test = series[: len(series) - aside], series[len(series) - aside :]
        held_out = self._supply(test, batch) if aside else None
        return Parts(self._supply(train, self.batch), lambda rng: self._stream(train), held_out)

    def _supply(self, series: Array, batch: int) -> Supply:
        """Draw windows of some of the years."""
        from bpttcli.tasks.streams import Drawn
        from bpttcli.tasks.windows import windows

        def draw(rng: np.random.Generator) -> Sequences:
            return _asked(*windows(series, self.steps, batch, rng, unit="years"))

        return Drawn(draw)

    def _stream(self, series: Array) -> Stream:
        """Run through some of the years."""
        from bpttcli.tasks.streams import Passage, spread

        return Passage(series, spread(len(series), self.batch), self.steps, _asked)


def _series() -> Array:
    """The standardised numbers of all years, (years, 1)."""
    import numpy as np

    series = np.loadtxt(_FILE, delimiter=",", skiprows=1, usecols=1)
    return np.asarray((series - series.mean()) / series.std())[:, None]


def _asked(x: Array, y: Array) -> Sequences:
    """Ask for the number of the next year."""
    import numpy as np

    from bpttcli.tasks.sequences import Sequences

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
