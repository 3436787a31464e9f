"""The same input and the same target at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.errors import InputError
from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.parts import Parts
    from bpttcli.tasks.sequences import Sequences
    from bpttcli.tasks.streams import Stream


class Constant(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer one number to another, at every step: x ≡ input, y ≡ target.

    Nothing is random and nothing can be learnt; with a linear network every figure has a
    closed form.
    """

    name: Literal["constant"] = "constant"
    input: Annotated[float, Meta(description="the input at every step")] = 1.0
    target: Annotated[float, Meta(description="the target at every step")] = 0.0
    h0: Annotated[
        list[list[float]] | None,
        Meta(description="the state before the first step, (layers, H); zeros unless given"),
    ] = None

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Make the sequences (see `Task.sequences`); draws nothing."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        shape = (self.steps, self.batch, 1)
        h0 = None
        if self.h0 is not None:
            if not self.h0 or len({len(row) for row in self.h0}) > 1 or not self.h0[0]:
                message = "must be rows of one length, one a layer, none of them empty"
                raise InputError(message, key="task.h0")
            state = np.array(self.h0, dtype=np.float64)[:, None]
            h0 = np.repeat(state, self.batch, axis=1)
        return Sequences(
            x=np.full(shape, float(self.input)),
            n_inputs=1,
            y=np.full(shape, float(self.target)),
            n_outputs=1,
            loss="mse",
            at="every",
            h0=h0,
        )

    def stream(self, rng: np.random.Generator) -> Stream:
        """Go on for ever (see `Task.stream`); draws nothing."""
        from bpttcli.tasks.streams import Cycle

        return Cycle(self.sequences(rng), self.steps)

    def parts(self, rng: np.random.Generator, share: float, batch: int) -> Parts:
        """Train on all there is (see `Task.parts`): no other sequence could be a test."""
        from bpttcli.tasks.parts import Parts

        return Parts(self.supply(), self.stream, None)
