"""The copying memory problem."""

import math

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.copying import Copying


@pytest.mark.parametrize("delay", [1, 2, 80])
def test_input_and_target_have_the_layout_of_the_paper(delay):
    sequences = Copying(steps=delay + 20, batch=4).sequences(np.random.default_rng(0))
    x, y = sequences.x, sequences.y
    assert x.shape == y.shape == (delay + 20, 4)
    assert x[:10].max() < 8
    np.testing.assert_array_equal(x[10 : 9 + delay], 8)
    np.testing.assert_array_equal(x[9 + delay], 9)
    np.testing.assert_array_equal(x[10 + delay :], 8)
    np.testing.assert_array_equal(y[: 10 + delay], 8)
    np.testing.assert_array_equal(y[10 + delay :], x[:10])
    assert (sequences.n_inputs, sequences.n_outputs) == (10, 9)


def test_all_eight_symbols_occur():
    x = Copying(batch=50).sequences(np.random.default_rng(0)).x
    assert set(np.unique(x[:10])) == set(range(8))


def test_guessing_the_last_ten_costs_the_baseline():
    """THEORY: 10 ln 8/(T + 20), 0.173287 for a delay of 100."""
    sequences = Copying(steps=120).sequences(np.random.default_rng(0))
    assert (sequences.loss, sequences.at) == ("cross_entropy", "every")
    guess = np.full((120, 9), 1e-300)
    guess[:110, 8] = 1.0
    guess[110:, :8] = 1 / 8
    cost = -np.log(guess[np.arange(120), sequences.y[:, 0]]).mean()
    assert math.isclose(sequences.baseline, cost, rel_tol=1e-14)
    assert round(sequences.baseline, 6) == 0.173287


def test_the_delay_is_at_least_one_step():
    with pytest.raises(InputError, match=r"at least 21 .*, got 20") as error:
        Copying(steps=20)
    assert error.value.key == "task.steps"
