"""Prediction of noisy sines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.tasks.sequences import Sequences


class Sine(Generated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Predict the next value of a noisy sine.

    s_k = sin(2πk/period + phase) + noise · ε_k for k = 0 … T, the phase uniform and
    ε_k ~ N(0, 1); x_t = s_{t−1} and y_t = s_t. Always answering 0, the mean, costs
    E s² = ½ + noise² (the expectation over phases, not the value of one draw); nothing costs
    less than noise².
    """

    name: Literal["sine"] = "sine"
    # A wave of less than two steps is indistinguishable from a longer one.
    period: Annotated[float, Meta(ge=2, description="steps of one wave")] = 25.0
    noise: Annotated[
        float, Meta(ge=0, le=1000, description="standard deviation of what is added")
    ] = 0.1

    def sequences(self, rng: np.random.Generator) -> Sequences:
        """Draw the sequences (see `Task.sequences`)."""
        import numpy as np

        from bpttcli.tasks.sequences import Sequences

        phase = rng.uniform(0.0, 2.0 * np.pi, self.batch)
        angle = 2.0 * np.pi / self.period * np.arange(self.steps + 1)
        signal = np.sin(angle[:, None] + phase)
        signal += self.noise * rng.standard_normal(signal.shape)
        return Sequences(
            x=signal[:-1, :, None],
            n_inputs=1,
            y=signal[1:, :, None],
            n_outputs=1,
            loss="mse",
            at="every",
            baseline=0.5 + self.noise**2,
            baseline_name="always answering 0, the mean",
        )
