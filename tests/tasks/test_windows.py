"""Windows of a series."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.windows import windows


def test_windows_are_runs_of_the_series_and_y_is_a_step_ahead():
    x, y = windows(np.arange(50), 8, 20, np.random.default_rng(0), unit="values")
    np.testing.assert_array_equal(np.diff(x, axis=0), 1)
    np.testing.assert_array_equal(y, x + 1)


def test_every_window_may_be_drawn_and_none_leaves_the_series():
    x, _ = windows(np.arange(6), 3, 200, np.random.default_rng(0), unit="values")
    assert set(x[0]) == {0, 1, 2}


def test_the_longest_window_is_the_whole_series():
    x, y = windows(np.arange(6), 5, 1, np.random.default_rng(0), unit="values")
    assert [*x[:, 0], y[-1, 0]] == list(range(6))


def test_a_window_beyond_the_series_is_refused():
    with pytest.raises(InputError, match=r"at most 5 .*6 values.* got 6"):
        windows(np.arange(6), 6, 1, np.random.default_rng(0), unit="values")
