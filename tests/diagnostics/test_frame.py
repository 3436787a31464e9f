"""Directions carried through a product: the factors are the product, and lose no digit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.frame import Frame
from bpttcli.errors import RunError


def growth(matrices, Q=None):
    """Sum of ln|R_jj| over all factors."""
    Q = np.eye(len(matrices[0])) if Q is None else Q
    return sum(factor.ln_diagonal for factor in Frame(Q).carry(matrices))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 6), count=st.integers(1, 40))
def test_the_growth_of_all_directions_is_the_determinant(seed, n, count):
    matrices = np.random.default_rng(seed).normal(size=(count, n, n))
    log_determinant = sum(np.linalg.slogdet(X)[1] for X in matrices)
    assert growth(matrices).sum() == pytest.approx(log_determinant, abs=1e-10 * count)


def test_the_factors_multiply_to_the_product():
    matrices = np.random.default_rng(0).normal(size=(5, 4, 4))
    product = np.linalg.multi_dot(matrices[::-1])
    R = np.eye(4)
    for factor in Frame(np.eye(4)).carry(matrices):
        R = factor.R @ R * 2.0**factor.exponent
    # The product is Q R with Q orthogonal.
    np.testing.assert_allclose(R.T @ R, product.T @ product, rtol=1e-11)


def test_nothing_depends_on_how_the_matrices_come_in():
    matrices = np.random.default_rng(1).normal(size=(12, 3, 3)) / 2
    frame, one_by_one = Frame(np.eye(3)), np.zeros(3)
    for X in matrices:
        one_by_one += sum(factor.ln_diagonal for factor in frame.carry([X]))
    np.testing.assert_allclose(growth(matrices), one_by_one, rtol=1e-11, atol=1e-11)


def test_matrices_that_lose_nothing_share_a_factor():
    orthogonal = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    assert len(list(Frame(np.eye(5)).carry([orthogonal] * 40))) < 20


@pytest.mark.parametrize("size", [1e-250, 1e-160, 1e160, 1e250])
def test_sizes_at_the_ends_of_the_range_keep_their_exponent(size):
    X = np.random.default_rng(3).normal(size=(4, 4))
    expected = growth([X] * 6) + 6 * np.log(size)
    np.testing.assert_allclose(growth([size * X] * 6), expected, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decades=st.integers(1, 60))
def test_rows_of_any_size_keep_the_determinant(seed, decades):
    """A saturated unit is a tiny row: 1e-60 beside 1 must not drown."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-decades, 0, size=(4, 5))
    Y = rng.normal(size=(4, 5, 5))
    expected = np.log(scales).sum() + sum(np.linalg.slogdet(X)[1] for X in Y)
    Q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    found = growth(list(scales[:, :, None] * Y), Q).sum()
    assert found == pytest.approx(expected, abs=1e-9)
    transposed = growth([(s[:, None] * X).T for s, X in zip(scales, Y, strict=True)], Q).sum()
    assert transposed == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("X", "lost"),
    [
        (np.zeros((3, 3)), 3),
        (np.diag([1.0, 0.0, 2.0]), 1),
        (np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 1.0]), 2),
        (np.diag([1.0, 1.0], 1), 1),
        (np.array([[1e-30, 1e-30, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1e20]]), 1),
    ],
)
def test_a_direction_that_is_lost_is_lost_exactly(X, lost):
    Q = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    assert np.count_nonzero(np.isneginf(growth([X], Q))) == lost


def test_a_matrix_beyond_the_range_is_refused():
    with pytest.raises(RunError, match="a Jacobian leaves the range of float64"):
        growth([np.full((2, 2), np.inf)])
