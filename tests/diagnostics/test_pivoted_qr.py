"""QR of a matrix that is graded in its rows and its columns."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.pivoted_qr import pivoted_triangle


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 7))
def test_it_is_a_triangle_of_the_same_gram_matrix(seed, n):
    rng = np.random.default_rng(seed)
    W, exponent = rng.normal(size=(n, n)), rng.integers(-5, 5, size=n)
    R, order = pivoted_triangle(W, exponent)
    assert not np.tril(R, -1).any()
    np.testing.assert_allclose(R.T @ R, W[:, order].T @ W[:, order], atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decades=st.integers(1, 200))
def test_small_rows_do_not_drown(seed, decades):
    """The determinant of D W E is the product of all sizes and of det W, to rounding."""
    rng = np.random.default_rng(seed)
    scale, W = 10.0 ** rng.uniform(-decades, 0, 6), rng.normal(size=(6, 6))
    R, _ = pivoted_triangle(scale[:, None] * W, rng.integers(-300, 300, size=6))
    expected = np.log(scale).sum() + np.linalg.slogdet(W)[1]
    np.testing.assert_allclose(np.log(np.abs(np.diagonal(R))).sum(), expected, atol=1e-9)


def test_the_largest_column_comes_first_by_its_exponent():
    R, order = pivoted_triangle(np.eye(3), np.array([-2000, 5, 1500]))
    np.testing.assert_array_equal(order, [2, 1, 0])
    np.testing.assert_array_equal(np.abs(R), np.eye(3))


def test_columns_of_zeros_end_it():
    R, _ = pivoted_triangle(np.diag([1.0, 0.0, 0.0]), np.zeros(3, dtype=int))
    np.testing.assert_array_equal(np.abs(R), np.diag([1.0, 0.0, 0.0]))
