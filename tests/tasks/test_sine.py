"""Noisy sines."""

import numpy as np
import pytest

from bpttcli.tasks.sine import Sine


def test_the_target_is_the_next_input():
    sequences = Sine(steps=50, batch=3).sequences(np.random.default_rng(0))
    np.testing.assert_array_equal(sequences.y[:-1], sequences.x[1:])
    assert sequences.x.shape == (50, 3, 1)


@pytest.mark.parametrize("period", [2.0, 7.5, 40.0])
def test_without_noise_a_sine_obeys_its_difference_equation(period):
    """sin((k+1)ω) = 2 cos ω sin(kω) − sin((k−1)ω), whatever the phase."""
    s = Sine(steps=200, batch=4, period=period, noise=0.0).sequences(np.random.default_rng(0)).x
    expected = 2 * np.cos(2 * np.pi / period) * s[1:-1] - s[:-2]
    np.testing.assert_allclose(s[2:], expected, atol=1e-12)  # of amplitude 1, after 200 steps


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_answering_0_costs_the_baseline_on_average(noise):
    sequences = Sine(steps=40, batch=4000, period=10, noise=noise).sequences(
        np.random.default_rng(0)
    )
    assert (sequences.loss, sequences.at) == ("mse", "every")
    costs = (sequences.y**2).mean(axis=(0, 2))
    # Whole periods without noise have the mean square ½ exactly.
    tolerance = max(4 * costs.std() / np.sqrt(costs.size), 1e-12)
    assert abs(costs.mean() - sequences.baseline) < tolerance
