"""The adding problem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.tasks.adding import Adding


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(2, 60), seed=st.integers(0, 2**32))
def test_one_step_of_each_half_is_marked_and_the_target_is_their_sum(steps, seed):
    sequences = Adding(steps=steps, batch=5).sequences(np.random.default_rng(seed))
    values, marks = np.moveaxis(sequences.x, -1, 0)
    assert set(np.unique(marks)) == {0.0, 1.0} if steps > 2 else {1.0}
    np.testing.assert_array_equal(marks[: steps // 2].sum(axis=0), 1)
    np.testing.assert_array_equal(marks[steps // 2 :].sum(axis=0), 1)
    assert sequences.at == "last"
    np.testing.assert_allclose(sequences.y[0, :, 0], (values * marks).sum(axis=0), rtol=1e-15)


def test_each_step_of_a_half_may_be_marked():
    marks = Adding(steps=7, batch=500).sequences(np.random.default_rng(0)).x[..., 1]
    assert marks.any(axis=1).all()


def test_answering_1_costs_the_baseline():
    sequences = Adding(steps=10, batch=20_000).sequences(np.random.default_rng(0))
    assert sequences.loss == "mse"
    errors = (sequences.y - 1.0) ** 2
    spread = errors.std() / np.sqrt(errors.size)
    assert abs(errors.mean() - sequences.baseline) < 4 * spread  # of 4 standard errors
    assert sequences.baseline == 1 / 6


def test_one_step_cannot_hold_two_marks():
    with pytest.raises(InputError, match=r"at least 2 .*, got 1") as error:
        Adding(steps=1)
    assert error.value.key == "task.steps"
