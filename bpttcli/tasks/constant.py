"""The same input and the same target at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences


class Constant(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer one number to another, at every step: x ≡ input, y ≡ target.

    Nothing is random and nothing can be learnt; with a linear network every figure has a
    closed form.
    """

    name: Literal["constant"] = "constant"
    input: Annotated[float, Meta(description="the input at every step")] = 1.0
    target: Annotated[float, Meta(description="the target at every step")] = 0.0

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Make the sequences (see `Task.sequences`); draws nothing."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        shape = (self.steps, self.batch, 1)
        return Sequences(
            x=np.full(shape, float(self.input)),
            n_inputs=1,
            y=np.full(shape, float(self.target)),
            n_outputs=1,
            loss="mse",
            at="every",
        )
