"""White noise without a target, to examine a network by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences


_INPUTS = 8  # where there is no model yet


class Noise(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Feed independent standard normal numbers; nothing is asked of the network."""

    name: Literal["noise"] = "noise"
    inputs: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(description="inputs of a step, I; null: as many as the model has"),
    ] = None

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        from bpttcli.tasks.sequences import Sequences

        width = self.inputs or _INPUTS
        return Sequences(
            x=rng.standard_normal((self.steps, self.batch, width)),
            n_inputs=width,
            y=None,
            n_outputs=None,
            loss=None,
            at="last",
        )
