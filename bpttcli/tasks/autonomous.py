"""No input at all, from a random state: what a network does when it is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences


class Autonomous(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Feed zeros, so that h_t = φ(B h_{t-1} + b), and ask for nothing.

    The state before the first step is drawn, N(0, 1), as from h = 0 a network without biases
    would never move. Biases are the network's own and stay (Sompolinsky, Crisanti & Sommers
    1988 and those after them have none).
    """

    name: Literal["autonomous"] = "autonomous"
    inputs: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(description="inputs of a step, all zero; null: as many as the model has"),
    ] = None

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Make the sequences (see `Task.sequences`); draws nothing."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        width = self.inputs or 1
        return Sequences(
            x=np.zeros((self.steps, self.batch, width)),
            n_inputs=width,
            y=None,
            n_outputs=None,
            loss=None,
            at="last",
            random_start=True,
        )
