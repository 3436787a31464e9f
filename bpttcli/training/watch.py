"""What is looked at while a network is trained: how its gradient travels now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bpttcli.diagnostics.gradient_norms import GradientNorms, PerLayer, grad_norms
from bpttcli.diagnostics.verdict import Limits
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.record import Record
from bpttcli.training.feed import Batch


class Probe(Record, frozen=True):
    """Sequences that stay the same all through a run, and how they are judged.

    Parameters
    ----------
    batch : Batch
    epsilon : float
        Share of the gradient that ends the horizon.
    limits : Limits
        Where vanishing ends and exploding begins.
    """

    batch: Batch
    epsilon: float = 0.01
    limits: Limits = Limits()

    def look(self, network: Network) -> GradientNorms:
        """Measure the exact gradient's way back through a network.

        Raises
        ------
        RunError
            The forward pass is undefined (see `unroll`).
        """
        trajectory = unroll(network, self.batch.x, self.batch.start)
        adjoints = backpropagate(trajectory, self.batch.objective)
        return grad_norms(network, adjoints, epsilon=self.epsilon, limits=self.limits)


def figures(found: GradientNorms) -> dict[str, Any]:
    """Pick what a row of the log holds.

    ρ(B) and σ₁(B) are the largest of all layers and gates; saturation is the mean over the
    steps of the top layer.
    """
    return {
        "growth_per_step": found.reach.growth_per_step,
        "horizon": found.reach.horizon,
        "spectral_radius": _largest(found.spectral_radius),
        "spectral_norm": _largest(found.spectral_norm),
        "saturated": float(np.mean(found.layers[-1].saturated)),
    }


def _largest(values: Iterable[PerLayer]) -> float:
    """Of all layers and gates."""
    return max(max(value.values()) if isinstance(value, dict) else value for value in values)
