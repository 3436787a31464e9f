"""What is said where the forward pass has left the range of float64."""

import math

import pytest

from bpttcli.diagnostics.overflow_warnings import overflow_warnings
from bpttcli.engine.overflow import Overflow


@pytest.mark.parametrize(
    ("overflow", "loss", "says"),
    [
        (Overflow(7, 1, 3), math.nan, "at step 7 (layer 1, unit 3)"),
        (Overflow(7, 1, 3), 1.0, "at step 7 (layer 1, unit 3)"),
        (None, math.inf, "the loss leaves the range of float64"),
        (None, math.nan, "the loss leaves the range of float64"),
    ],
)
def test_the_first_cause_is_named(overflow, loss, says):
    (warning,) = overflow_warnings(overflow, loss)
    assert says in warning


def test_a_finite_run_is_silent():
    assert overflow_warnings(None, 1.0) == ()
