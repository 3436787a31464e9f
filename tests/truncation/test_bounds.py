"""What the numbers of an estimator must keep within."""

import math

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.truncation.bounds import above, whole_steps, within


@pytest.mark.parametrize("steps", [1, 7, np.int32(3), True])
def test_steps_are_integers_from_one_on(steps):
    whole_steps(steps, "length")


@pytest.mark.parametrize("steps", [0, -1, 2.0, np.float64(3), math.nan])
def test_other_steps_are_refused(steps):
    with pytest.raises(InputError, match=f"must be an integer of at least 1, got {steps}") as error:
        whole_steps(steps, "length")
    assert error.value.key == "truncation.length"


@pytest.mark.parametrize(
    ("number", "closed", "says"),
    [
        (0.0, False, None), (0.999, False, None), (1.0, True, None),
        (1.0, False, "at least 0 and below 1, got 1"),
        (1.1, True, "at least 0 and at most 1, got 1.1"),
        (-1e-9, False, "got -1e-09"), (math.nan, True, "got nan"),
    ],
)  # fmt: skip
def test_an_interval_has_its_lower_end_and_the_upper_one_if_it_is_closed(number, closed, says):
    if says is None:
        within(number, "short", 0.0, 1.0, closed=closed)
        return
    with pytest.raises(InputError, match=says):
        within(number, "short", 0.0, 1.0, closed=closed)


def test_without_an_upper_end_only_infinity_is_too_large():
    within(1e300, "std", 0.0)
    with pytest.raises(InputError, match="must be a number of at least 0, got inf"):
        within(math.inf, "std", 0.0)


@pytest.mark.parametrize("number", [1.0, 0.5, math.inf, math.nan])
def test_a_lower_end_may_be_left_out(number):
    above(1.0001, "alpha", 1.0)
    with pytest.raises(InputError, match=r"must be a number above 1, got"):
        above(number, "alpha", 1.0)
