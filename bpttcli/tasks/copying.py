"""The copying memory problem."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from bpttcli.tasks.task import Generated, require_steps

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences

_DATA = 8  # symbols worth remembering, 0 … 7
_BLANK, _DELIMITER = 8, 9
_LENGTH = 10  # of what is to be remembered


class Copying(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Repeat ten symbols after a delay.

    The input is ten symbols drawn from eight, delay − 1 blanks, a delimiter and ten more
    blanks: T = delay + 20 steps, the delay being 1 or more. The target is a blank until the
    delimiter has been read, then the ten symbols in their order: of the ten input symbols the
    nine without the delimiter. Answering blanks, and at the end one of the eight at random,
    costs 10 ln 8 / T.

    References
    ----------
    Arjovsky, Shah & Bengio 2016 (arXiv:1511.06464), section 5.1, with the length of a whole
    sequence for `steps`; after Hochreiter & Schmidhuber 1997.
    """

    name: Literal["copy"] = "copy"

    def __post_init__(self) -> None:
        """Check the keys together."""
        require_steps(self.steps, 2 * _LENGTH + 1, "20 and a delay of 1")

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        x = np.full((self.steps, self.batch), _BLANK)
        y = x.copy()
        x[:_LENGTH] = y[-_LENGTH:] = rng.integers(0, _DATA, (_LENGTH, self.batch))
        x[-_LENGTH - 1] = _DELIMITER
        return Sequences(
            x=x,
            n_inputs=_DATA + 2,
            y=y,
            n_outputs=_DATA + 1,
            loss="cross_entropy",
            at="every",
            baseline=_LENGTH * math.log(_DATA) / self.steps,
            baseline_name="blanks, then one of the 8 symbols at random",
        )
