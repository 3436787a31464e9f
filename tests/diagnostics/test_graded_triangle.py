"""Singular values of a product, the smallest as accurate as the largest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.frame import Frame, Triangle
from bpttcli.diagnostics.graded_triangle import GradedTriangle


def log2_of(matrices):
    """Largest, median and smallest singular value of a product, the last matrix leftmost."""
    n = len(matrices[0])
    product = GradedTriangle.identity(n)
    for factor in Frame(np.eye(n)).carry(list(matrices)):
        product = product.after(factor)
    return product.log2_singular_values()


def test_no_matrix_at_all_has_ones():
    assert GradedTriangle.identity(5).log2_singular_values() == (0.0, 0.0, 0.0)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9), count=st.integers(1, 3))
def test_a_short_product_agrees_with_a_dense_decomposition(seed, n, count):
    """Which itself knows small values to ε times the largest."""
    matrices = np.random.default_rng(seed).normal(size=(count, n, n))
    product = np.eye(n)
    for X in matrices:
        product = X @ product
    sigma = np.linalg.svd(product, compute_uv=False)
    found = 2.0 ** np.array(log2_of(matrices))
    expected = [sigma[0], np.median(sigma), sigma[-1]]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13 * sigma[0])


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_symmetric_matrix_has_the_powers_of_its_eigenvalues(count):
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    values = np.array([1.5, 1.1, 0.7, 0.2, 0.05])
    B = (Q * values) @ Q.T
    expected = count * np.log2([1.5, 0.7, 0.05])
    # An eigenvalue of a matrix of norm 1.5 is known to ε·1.5 absolutely.
    np.testing.assert_allclose(log2_of([B] * count), expected, rtol=1e-12, atol=count * 3e-14)


@pytest.mark.parametrize("k", [9, 100, 1000])
def test_a_jordan_block_has_its_closed_form(k):
    """[[λ, 1], [0, λ]]^k: the norm λ^(k−1)(k + √(k² + 4λ²))/2, and the determinant λ^2k."""
    largest = (k - 1) * np.log2(0.9) + np.log2((k + np.sqrt(k**2 + 4 * 0.81)) / 2)
    smallest = 2 * k * np.log2(0.9) - largest
    found = log2_of([np.array([[0.9, 1.0], [0.0, 0.9]])] * k)
    median = smallest + np.log2(1 + 2.0 ** (largest - smallest)) - 1
    np.testing.assert_allclose(found, [largest, median, smallest], rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decades=st.integers(0, 100), count=st.integers(1, 8))
def test_the_values_multiply_to_the_determinant_however_far_apart_they_are(seed, decades, count):
    """n = 3: largest, median and smallest are all there are; rows as small as 1e-100."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-decades, 0, size=(count, 3))
    Y = rng.normal(size=(count, 3, 3))
    expected = np.log2(scales).sum() + sum(np.linalg.slogdet(X)[1] for X in Y) / np.log(2)
    for transposed in (False, True):
        matrices = scales[:, :, None] * Y
        found = log2_of(matrices.transpose(0, 2, 1)[::-1] if transposed else matrices)
        assert sum(found) == pytest.approx(expected, abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), decades=st.integers(0, 100), n=st.integers(2, 8))
def test_the_inverse_has_the_inverse_values(seed, decades, n):
    """The product of the inverses, backwards: small and large change places."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-decades, 0, size=(3, n))
    Q = [np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(3)]
    there = log2_of([d[:, None] * q for d, q in zip(scale, Q, strict=True)])
    back = log2_of([q.T / d for d, q in zip(scale[::-1], Q[::-1], strict=True)])
    assert there[0] == pytest.approx(-back[2], abs=1e-7)
    assert there[2] == pytest.approx(-back[0], abs=1e-7)
    if n % 2:
        assert there[1] == pytest.approx(-back[1], abs=1e-7)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.zeros((3, 3)), (-np.inf, -np.inf, -np.inf)),
        (np.diag([4.0, 0.0, 2.0]), (2.0, 1.0, -np.inf)),
        (np.outer([2.0, 0.0, 0.0], [1.0, 0.0, 0.0]), (1.0, -np.inf, -np.inf)),
        (np.diag([1.0, 1.0, 1.0], 1), (0.0, 0.0, -np.inf)),
        (np.ones((3, 3)), (np.log2(3), -np.inf, -np.inf)),
    ],
)
def test_a_singular_matrix_has_exact_zeros(X, expected):
    np.testing.assert_allclose(log2_of([X]), expected, atol=1e-14)


def test_a_nilpotent_product_is_zero():
    shift = np.diag(np.ones(4), 1)
    assert log2_of([shift] * 5) == (-np.inf, -np.inf, -np.inf)
    assert log2_of([shift] * 3)[0] == pytest.approx(0.0, abs=1e-14)


def test_a_factor_brings_its_exponent():
    triangle = GradedTriangle.identity(2).after(Triangle(np.diag([1.0, 0.5]), 5000))
    assert triangle.log2_singular_values() == pytest.approx((5000, 4999.584962500721, 4999))
