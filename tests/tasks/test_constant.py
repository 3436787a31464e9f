"""The same input and target at every step."""

import numpy as np

from bpttcli.tasks.constant import Constant


def test_input_and_target_are_the_same_at_every_step():
    task = Constant(steps=4, batch=2, input=2.5, target=-1)
    sequences = task.sequences(np.random.default_rng(0))
    np.testing.assert_array_equal(sequences.x, np.full((4, 2, 1), 2.5))
    np.testing.assert_array_equal(sequences.y, np.full((4, 2, 1), -1.0))
    assert (sequences.loss, sequences.at, sequences.baseline) == ("mse", "every", None)


def test_by_default_the_input_is_1_and_the_target_0():
    sequences = Constant(steps=3).sequences(np.random.default_rng(0))
    assert (sequences.x.min(), sequences.y.max()) == (1.0, 0.0)
