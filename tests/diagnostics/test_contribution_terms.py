"""The terms of a gradient are outer products, and they add up."""

import numpy as np
import pytest

from bpttcli.diagnostics.contribution_terms import (
    Terms,
    added,
    difference,
    lost_of,
    relative_difference,
)
from bpttcli.engine.scaled import Scaled

RNG = np.random.default_rng(0)
DELTA = RNG.normal(size=(5, 3, 2))
FED = RNG.normal(size=(5, 3, 4))


def scaled(delta, exponent=0):
    return Scaled(delta, np.full((*delta.shape[:2], 1), exponent, dtype=np.int64))


def test_a_term_is_the_mean_over_the_batch_of_outer_products():
    term = Terms(scaled(DELTA), FED, 4).at(2)
    wanted = sum(np.outer(DELTA[1, n], FED[1, n]) for n in range(3)) / 3
    np.testing.assert_allclose(term.value, wanted, rtol=1e-14)


def test_a_symbol_puts_the_term_in_its_column():
    symbols = RNG.integers(0, 4, size=(5, 3))
    term = Terms(scaled(DELTA), symbols, 4).at(5)
    wanted = Terms(scaled(DELTA), np.eye(4)[symbols], 4).at(5)
    np.testing.assert_allclose(term.value, wanted.value, rtol=1e-14, atol=1e-16)


def test_the_term_of_a_bias_is_the_mean_of_delta():
    np.testing.assert_allclose(Terms(scaled(DELTA)).at(1).value, DELTA[0].mean(axis=0), rtol=1e-14)


@pytest.mark.parametrize("terms", [Terms(scaled(DELTA), FED, 4), Terms(scaled(DELTA))])
def test_the_total_is_the_sum_of_the_terms_and_of_its_parts(terms):
    total = terms.total().value
    np.testing.assert_allclose(total, sum(terms.at(t).value for t in range(1, 6)), rtol=1e-13)
    parts = added(terms.between(1, 2), terms.between(3, 5))
    np.testing.assert_allclose(parts.value, total, rtol=1e-13)


@pytest.mark.parametrize("exponent", [-5000, 5000])
def test_terms_do_not_end_where_float64_does(exponent):
    plain, far = (Terms(scaled(DELTA, e), FED, 4).total() for e in (0, exponent))
    np.testing.assert_allclose(far.log2 - plain.log2, exponent, rtol=1e-13)


def test_sums_of_very_different_sizes_keep_the_larger():
    large, small = Scaled.of(np.ones((2, 2))), Scaled(np.ones((2, 2)), np.asarray(-3000))
    np.testing.assert_array_equal(added(large, small).value, np.ones((2, 2)))
    np.testing.assert_array_equal(added(small, large).value, np.ones((2, 2)))
    assert difference(small, small).norm().mantissa == 0


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        ([3.0, 4.0], [3.0, 4.0], 0.0),
        ([3.0, 9.0], [3.0, 4.0], 1.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([1.0, 0.0], [0.0, 0.0], np.inf),
        ([np.nan, 0.0], [1.0, 0.0], np.nan),
    ],
)
def test_a_relative_difference_is_over_the_second_norm(a, b, wanted):
    np.testing.assert_equal(relative_difference(Scaled.of(a), Scaled.of(b)), wanted)


def test_a_relative_difference_is_the_same_far_outside_the_range():
    a, b = ([3.0, 9.0], [3.0, 4.0])
    exponent = np.asarray(-7000)
    far = [Scaled(np.array(v), exponent) for v in (a, b)]
    assert relative_difference(*far) == pytest.approx(1.0, rel=1e-15)


def test_what_is_lost_is_the_difference_but_for_rounding():
    exact = Scaled(np.array([3.0, 0.3, 1e-30, 5.0]), np.array(0))
    kept = Scaled(np.array([1.0, 0.1 + 0.2, 0.0, 5.0]), np.array(0))
    assert lost_of(exact, kept).value.tolist() == [2.0, 0.0, 1e-30, 0.0]


def test_what_is_lost_does_not_end_where_float64_does():
    exact = Scaled(np.array([3.0, 2.0]), np.array(5000))
    kept = Scaled(np.array([1.0, 2.0]), np.array(5000))
    assert lost_of(exact, kept).log2[0] == pytest.approx(5001)
    assert lost_of(exact, kept).value[1] == 0.0
