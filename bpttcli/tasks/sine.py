"""Prediction of noisy sines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from bpttcli.tasks.task import Generated

if TYPE_CHECKING:
    import numpy as np

    from bpttcli.engine.scaled import Array
    from bpttcli.tasks.sequences import Sequences
    from bpttcli.tasks.streams import Stream


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
        signal = self._wave(self._phase(rng), 0)
        signal += self.noise * rng.standard_normal(signal.shape)
        return self._asked(signal)

    def stream(self, rng: np.random.Generator) -> Stream:
        """Let the waves go on for ever (see `Task.stream`)."""
        import numpy as np

        from bpttcli.tasks.streams import Made

        phase, entropy = self._phase(rng), int(rng.integers(2**63))

        def noise(k: int) -> Array:
            return np.random.default_rng([entropy, k]).standard_normal((self.steps, self.batch))

        def chunk(k: int) -> Sequences:
            # The last target is the first input of the next chunk, noise included.
            added = np.concatenate([noise(k), noise(k + 1)[:1]])
            return self._asked(self._wave(phase, k * self.steps) + self.noise * added)

        return Made(chunk)

    def _phase(self, rng: np.random.Generator) -> Array:
        """Draw where each wave starts."""
        import numpy as np

        return rng.uniform(0.0, 2.0 * np.pi, self.batch)

    def _wave(self, phase: Array, first: int) -> Array:
        """The waves without noise, (T + 1, N), from step `first` on."""
        import numpy as np

        angle = 2.0 * np.pi / self.period * np.arange(first, first + self.steps + 1)
        return np.asarray(np.sin(angle[:, None] + phase))

    def _asked(self, signal: Array) -> Sequences:
        """Ask for the next value."""
        from bpttcli.tasks.sequences import Sequences

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
