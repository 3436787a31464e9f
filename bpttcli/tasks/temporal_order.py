"""The temporal order problem."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.tasks.task import Generated, require_steps

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences

# The tenth of the sequence that each relevant symbol stands in, counted from 0.
_TENTHS = {2: (1, 4), 3: (1, 3, 6)}
_RELEVANT, _DISTRACTORS = 2, 4


class TemporalOrder(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tell in which order two (or three) relevant symbols came.

    Each of them is A (0) or B (1), at a random place in a tenth of the sequence of its own:
    indices T/10 … 2T/10 and 4T/10 … 5T/10 for two, T/10 … 2T/10, 3T/10 … 4T/10 and
    6T/10 … 7T/10 for three (the lower end included, from 0). All other steps hold one of four
    distractors (2 … 5). The target, at the last step, is one of 4 (8) classes: the relevant
    symbols read as a binary number, the first its highest digit. Guessing costs ln 4 (ln 8).

    References
    ----------
    Pascanu, Mikolov & Bengio 2013 (arXiv:1211.5063), supplementary material, *The temporal
    order problem* and *The 3-bit temporal order problem*; after Hochreiter & Schmidhuber
    1997, section 5.6.
    """

    name: Literal["temporal-order"] = "temporal-order"
    relevant: Annotated[
        Literal[2, 3], Meta(description="how many symbols there are whose order is asked for")
    ] = 2

    def __post_init__(self) -> None:
        """Check the keys together."""
        require_steps(self.steps, 10, "a relevant symbol stands in a tenth of its own")

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        x = rng.integers(_RELEVANT, _RELEVANT + _DISTRACTORS, (self.steps, self.batch))
        y = np.zeros((1, self.batch), dtype=np.int64)
        for tenth in _TENTHS[self.relevant]:
            low, high = tenth * self.steps // 10, (tenth + 1) * self.steps // 10
            symbol = rng.integers(0, _RELEVANT, self.batch)
            x[rng.integers(low, high, self.batch), np.arange(self.batch)] = symbol
            y = _RELEVANT * y + symbol
        classes = _RELEVANT**self.relevant
        return Sequences(
            x=x,
            n_inputs=_RELEVANT + _DISTRACTORS,
            y=y,
            n_outputs=classes,
            loss="cross_entropy",
            at="last",
            baseline=math.log(classes),
            baseline_name=f"one of the {classes} orders at random",
        )
