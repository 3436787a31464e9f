"""White noise."""

import numpy as np

from bpttcli.tasks.noise import Noise


def test_noise_is_standard_normal_and_asks_for_nothing():
    sequences = Noise(steps=1000, batch=20, inputs=3).sequences(np.random.default_rng(0))
    assert sequences.x.shape == (1000, 20, 3)
    n = sequences.x.size
    # Within 4 standard errors: 1/√n of the mean, √(2/n) of the variance.
    assert abs(sequences.x.mean()) < 4 / np.sqrt(n)
    assert abs(sequences.x.var() - 1) < 4 * np.sqrt(2 / n)
    assert (sequences.y, sequences.loss, sequences.at) == (None, None, "last")
    assert sequences.n_outputs is None
