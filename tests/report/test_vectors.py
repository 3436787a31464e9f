"""Small vectors are read number by number, large ones and those out of range by their norm."""

import numpy as np
import pytest

from bpttcli.engine.scaled import Scaled
from bpttcli.report.vectors import column, is_small, magnitude, matrix, norm, number, vector


def far(values, exponent):
    return Scaled(np.array(values), np.array([exponent]))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([2.0], "2"),
        ([0.123456], "0.1235"),
        ([-0.0, 1.0], "(0 1)"),
        ([1 / 3, -2e-7], "(0.3333 -2e-07)"),
        ([1 / 3, 1.0, 2.0], "(0.333 1 2)"),
        ([1.0] * 4, "(1 1 1 1)"),
        ([1.0] * 9, "norm 3"),
        ([np.nan, np.inf, -np.inf], "(– ∞ −∞)"),
    ],
)
def test_a_vector_stands_in_a_line(values, wanted):
    assert vector(np.array(values)) == wanted
    assert vector(Scaled.of(values)) == wanted


@pytest.mark.parametrize("write", [vector, column, matrix])
@pytest.mark.parametrize(
    ("exponent", "wanted"), [(-4000, "norm 7.59e-1205"), (4000, "norm 1.32e+1204")]
)
def test_what_float64_cannot_hold_has_a_norm(write, exponent, wanted):
    assert write(far([0.0, 1.0], exponent)) == wanted


def test_an_exact_zero_is_no_underflow():
    assert vector(far([0.0, 0.0], -4000)) == "(0 0)"


def test_a_column_and_a_matrix_are_aligned():
    assert column(np.array([5.5, 8.0])) == "(5.5)\n(  8)"
    assert column(np.array([5.5])) == "5.5"
    assert matrix(np.array([[10.0, 4.0], [0.5, 0.0]])) == "( 10 4)\n(0.5 0)"
    assert matrix(np.array([[4.0, 12.0]])) == "(4 12)"
    assert matrix(np.array([1.0, 2.0])) == "(1 2)"
    assert matrix(np.ones((5, 5))) == column(np.ones(25)) == "norm 5"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.0, "0"),
        (4.0, "4"),
        (1.1**100, "13781"),
        (123456.7, "123457"),
        (1e6, "1.00e+06"),
        (2.6561e-5, "2.66e-05"),
        (1e-3, "0.001"),
        (np.nan, "–"),
    ],
)
def test_a_magnitude_is_plain_where_that_can_be_read(value, wanted):
    assert magnitude(Scaled.of(value)) == wanted


def test_a_norm_is_over_all_entries():
    assert norm(np.full((2, 2), 2.0)) == "4"


def test_small_is_up_to_four_a_side():
    assert is_small(4, 4)
    assert not is_small(1, 5)
    assert is_small()


@pytest.mark.parametrize(("among", "wanted"), [(1, "0.1235"), (2, "0.1235"), (3, "0.123")])
def test_among_many_a_number_has_a_digit_less(among, wanted):
    assert number(0.123456, among) == wanted
