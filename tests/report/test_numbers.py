"""Numbers for machines are finite or null; numbers for people are short, at any size."""

import json

import numpy as np
import pytest

from bpttcli.engine.scaled import Scaled
from bpttcli.report.numbers import figure, figures, scaled, scientific, short


@pytest.mark.parametrize("value", [1.5, np.float64(1.5), np.float32(1.5), np.array(1.5)])
def test_a_figure_is_a_plain_number(value):
    assert json.dumps(figure(value)) == "1.5"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_null(value):
    assert figure(value) is None
    assert figures([1.0, value, 2.0]) == [1.0, None, 2.0]


def test_where_float64_ends_the_figure_is_zero_or_null_and_the_logarithm_goes_on():
    value = Scaled(np.array([0.5, 0.5, 0.0, np.nan]), np.array([-3999, 4001, 0, 0]))
    columns = scaled("hidden", value)
    assert columns["hidden"] == [0.0, None, 0.0, None]
    log10 = columns["hidden_log10"]
    assert log10[:2] == pytest.approx([-4000 * np.log10(2), 4000 * np.log10(2)], rel=1e-15)
    assert log10[2:] == [None, None]


@pytest.mark.parametrize(
    ("value", "log10", "written"),
    [
        (1234.5, np.log10(1234.5), "1.23e+03"),
        (0.0, -999.0, "1.00e-999"),
        (None, 1234.5, "3.16e+1234"),
        (0.0, -1000.0 + np.log10(9.999), "1.00e-999"),
        (0.0, None, "0"),
        (None, None, "–"),
    ],
)
def test_a_magnitude_is_written_with_its_exponent_however_large(value, log10, written):
    assert scientific(value, log10) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(1 / 6, "0.1667"), (100.0, "100"), (1e-7, "1e-07"), (0.0, "0"), (None, "–")],
)
def test_an_ordinary_number_has_four_digits(value, written):
    assert short(value) == written
