"""Numbers with an exponent behave as the exact numbers that they stand for."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.scaled import Scaled, exponent_of, near_one, norms, shift
from tests.naive import log10_of

# Zeros, ordinary numbers and those near the ends of float64's range.
MAGNITUDES = st.one_of(
    st.just(0.0), st.floats(1e-3, 1e3), st.floats(1e-290, 1e-280), st.floats(1e280, 1e290)
)
EXPONENTS = st.one_of(st.integers(-4, 4), st.integers(-4000, 4000))
PAIRS = st.tuples(MAGNITUDES, EXPONENTS)
HUGE = Fraction(2) ** 1000


def scaled(pairs):
    mantissa, exponent = zip(*pairs, strict=True)
    return Scaled(np.array(mantissa), np.array(exponent, dtype=np.int64))


def exact(number):
    """The fraction that one Scaled number stands for."""
    return Fraction(float(number.mantissa)) * Fraction(2) ** int(number.exponent)


def exacts(pairs):
    return [Fraction(m) * Fraction(2) ** e for m, e in pairs]


def assert_is(number, wanted, digits=1e-14):
    assert abs(exact(number) - wanted) <= Fraction(digits) * abs(wanted)


def test_plain_numbers_have_exponent_zero():
    number = Scaled.of([1.5, -2])
    assert not number.exponent.any()
    np.testing.assert_array_equal(number.value, [1.5, -2.0])


def test_the_value_is_zero_or_infinite_beyond_float64_and_nothing_warns():
    number = Scaled(np.array([1.0, 1.0, -1.0, 0.0]), np.array([-4000, 4000, 4000, 9**18]))
    np.testing.assert_array_equal(number.value, [0.0, np.inf, -np.inf, 0.0])


def test_a_logarithm_goes_on_where_float64_ends():
    number = Scaled(np.array([1.0, -0.75, 0.0]), np.array([-33220, 5000, 7]))
    wanted = [-33220, 5000 + math.log2(0.75), -math.inf]
    np.testing.assert_allclose(number.log2, wanted, rtol=1e-15)
    np.testing.assert_allclose(number.log10, np.array(wanted) * math.log10(2), rtol=1e-14)
    np.testing.assert_allclose(number.ln, np.array(wanted) * math.log(2), rtol=1e-14)


def test_what_is_not_a_number_stays_none():
    number = Scaled(np.array([[np.nan, 1.0], [1.0, 1.0]]), np.array([[0, 500], [-500, 0]]))
    for reduced in (number.sum(1), number.mean(1), number.min(1), number.max(1)):
        assert np.isnan(reduced.value).tolist() == [True, False]
    assert np.isnan(number.norm().value)


def test_a_choice_keeps_the_exponents():
    number = Scaled(np.arange(6.0).reshape(2, 3), np.array([[10], [20]]))
    assert number[1].exponent.tolist() == [20, 20, 20]
    assert exact(number[0, 2]) == 2 * 2**10


@settings(max_examples=50)
@given(st.lists(PAIRS, min_size=1, max_size=6))
def test_sum_and_mean_are_those_of_the_exact_numbers(pairs):
    assert_is(scaled(pairs).sum(0), sum(exacts(pairs)))
    assert_is(scaled(pairs).mean(0), sum(exacts(pairs)) / len(pairs))


@settings(max_examples=50)
@given(st.lists(PAIRS, min_size=1, max_size=6))
def test_min_and_max_are_among_the_numbers_to_the_last_bit(pairs):
    assert exact(scaled(pairs).min(0)) == min(exacts(pairs))
    assert exact(scaled(pairs).max(0)) == max(exacts(pairs))


@settings(max_examples=50)
@given(st.lists(st.tuples(PAIRS, PAIRS), min_size=1, max_size=4))
def test_addition_is_element_by_element(pairs):
    left, right = zip(*pairs, strict=True)
    total = scaled(left) + scaled(right)
    for i, wanted in enumerate(map(sum, zip(exacts(left), exacts(right), strict=True))):
        assert_is(total[i], wanted)


@settings(max_examples=50)
@given(st.lists(PAIRS, min_size=1, max_size=6))
def test_the_norm_neither_overflows_nor_underflows(pairs):
    norm = scaled(pairs).norm()
    wanted = log10_of(sum(x * x for x in exacts(pairs))) / 2
    assert norm.log10 == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_reductions_go_along_one_axis_of_rows_that_share_an_exponent():
    number = Scaled(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[1000], [-1000]]))
    # 2^-1000 is there and cannot be seen beside 3·2^1000.
    assert [exact(x) for x in (number.sum(0)[0], number.sum(0)[1])] == [3 * HUGE, 4 * HUGE]
    assert [exact(x) for x in (number.min(1)[0], number.min(1)[1])] == [3 * HUGE, 0]


def test_a_zero_decides_nobodys_scale():
    number = Scaled(np.array([0.0, 1.0]), np.array([10**6, -(10**6)]))
    assert exact(number.sum(0)) == exact(number.max(0)) == Fraction(2) ** -(10**6)


@pytest.mark.parametrize(
    ("row", "log10"),
    [
        ([3.0, 4.0], math.log10(5)),
        ([3e200, -4e200], math.log10(5) + 200),
        ([3e-200, 4e-200], math.log10(5) - 200),
        ([1e-300, 1.0], 0.0),
        ([1.7e308, 1.7e308], math.log10(1.7) + 308 + math.log10(2) / 2),
        ([0.0, 0.0], -math.inf),
        ([np.inf, 1.0], math.inf),
        ([np.nan, 1.0], math.nan),
    ],
)
def test_the_norm_of_a_row_has_all_its_digits_at_both_ends_of_the_range(row, log10):
    np.testing.assert_allclose(norms(np.array([row])).log10, [log10], rtol=1e-14, atol=1e-15)


@settings(max_examples=50)
@given(st.floats(-1e300, 1e300), st.integers(-2200, 2200))
def test_a_shift_is_what_ldexp_gives(mantissa, exponent):
    try:
        wanted = math.ldexp(mantissa, exponent)
    except OverflowError:
        wanted = math.copysign(math.inf, mantissa)
    assert shift(np.array([mantissa]), exponent) == wanted


def test_the_exponent_of_zero_and_of_what_is_not_finite_is_zero():
    sizes = np.array([0.0, np.inf, np.nan, 1.0, 0.4])
    assert exponent_of(sizes).tolist() == [0, 0, 0, 1, -1]


def test_only_rows_far_from_one_are_moved_and_no_digit_with_them():
    rows = np.array([[0.3, 2.0], [3e-90, 1e-91], [0.0, 0.0]])
    moved = near_one(rows)
    assert moved.exponent[:, 0].tolist() == [0, exponent_of(np.array(3e-90)), 0]
    np.testing.assert_array_equal(moved.value, rows)
    assert 0.5 <= norms(moved.mantissa).value[1] < 1
