"""The adding problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bpttcli.tasks.task import Generated, require_steps

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences


class Adding(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Add the two numbers that are marked, one in each half of the sequence.

    Of the two inputs the first is uniform on [0, 1], the second 1 at two steps and 0 at all
    others: one among the first ⌊T/2⌋, one among the rest. The target, at the last step, is
    the sum of the two marked numbers. Always answering 1, its mean, costs its variance,
    2 · 1/12 = 1/6.

    References
    ----------
    Hochreiter & Schmidhuber 1997, *Long short-term memory*, section 5.4; in this form Le,
    Jaitly & Hinton 2015 (arXiv:1504.00941), section 4.1.
    """

    name: Literal["adding"] = "adding"

    def __post_init__(self) -> None:
        """Check the keys together."""
        require_steps(self.steps, 2, "one for each marked number")

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        x = np.zeros((self.steps, self.batch, 2))
        x[..., 0] = rng.random((self.steps, self.batch))
        sequence = np.arange(self.batch)
        half = self.steps // 2
        first = rng.integers(0, half, self.batch)
        second = rng.integers(half, self.steps, self.batch)
        x[first, sequence, 1] = x[second, sequence, 1] = 1.0
        y = x[first, sequence, 0] + x[second, sequence, 0]
        return Sequences(
            x=x,
            n_inputs=2,
            y=y[None, :, None],
            n_outputs=1,
            loss="mse",
            at="last",
            baseline=1 / 6,
            baseline_name="always answering 1, the mean of the sum",
        )
