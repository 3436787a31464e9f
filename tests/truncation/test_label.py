"""Numbers in the names of estimators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpttcli.truncation.label import written


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_can_be_read_back(number):
    assert float(written(number)) == number


@pytest.mark.parametrize(("number", "text"), [(16.0, "16"), (0.05, "0.05"), (1e-7, "1e-07")])
def test_round_numbers_are_short(number, text):
    assert written(number) == text
