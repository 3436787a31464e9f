"""The same input and target at every step."""

import numpy as np
import pytest

from bpttcli.errors import InputError
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


def test_the_state_before_the_first_step_is_the_same_for_every_sequence():
    sequences = Constant(batch=3, h0=[[1, 2], [3, 4]]).sequences(np.random.default_rng(0))
    np.testing.assert_array_equal(sequences.h0, [[[1, 2]] * 3, [[3, 4]] * 3])


@pytest.mark.parametrize("h0", [[], [[]], [[1.0], [1.0, 2.0]]])
def test_a_state_that_is_no_matrix_is_refused(h0):
    with pytest.raises(InputError, match="rows of one length"):
        Constant(h0=h0).sequences(np.random.default_rng(0))
