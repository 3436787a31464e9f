"""Eigenvalues are LAPACK's, in a fixed order, with a bound on their error that holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.eigenvalues import by_modulus, eigenvalues_of


def decompose(B, *, vectors=True):
    return eigenvalues_of(np.asarray(B, dtype=float), np.linalg.norm(B, 2), vectors=vectors)


def orthogonal(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_the_order_is_by_falling_modulus_with_pairs_side_by_side(n, seed):
    B = np.random.default_rng(seed).standard_normal((n, n))
    values = decompose(B).values
    size = np.abs(values)
    assert np.all(size[1:] <= size[:-1])
    complex_ones = values[values.imag != 0]
    np.testing.assert_array_equal(complex_ones[1::2], complex_ones[::2].conj())
    assert np.all(complex_ones[::2].imag > 0)
    np.testing.assert_allclose(np.sort(values), np.sort(np.linalg.eigvals(B)), atol=1e-12)


def test_equal_pairs_are_not_torn():
    pair = [0.6 + 0.8j, 0.6 - 0.8j]
    values = np.array([pair[0], pair[1], 2.0, pair[0], pair[1]])
    np.testing.assert_array_equal(values[by_modulus(values)], [2.0, *pair, *pair])


@pytest.mark.parametrize(("count", "kept"), [(1, 1), (2, 3), (3, 3), (4, 4)])
def test_a_count_keeps_one_more_rather_than_half_a_pair(count, kept):
    values = np.array([3.0, 2j, -2j, 1.0])
    assert len(by_modulus(values, count)) == kept


def test_the_vectors_belong_to_the_values():
    B = np.random.default_rng(0).standard_normal((7, 7))
    eigen = decompose(B)
    np.testing.assert_allclose(B @ eigen.vectors, eigen.vectors * eigen.values, atol=1e-13)


@pytest.mark.parametrize(
    "B",
    [
        np.eye(4),
        orthogonal(6) @ np.diag([2.0, 2.0, 2.0, 1.0, 1.0, -1.0]) @ orthogonal(6).T,
        orthogonal(9),
    ],
    ids=["identity", "symmetric-multiple", "orthogonal"],
)
def test_the_basis_of_a_normal_matrix_has_condition_1(B):
    if np.allclose(B, B.T):
        B = (B + B.T) / 2
    assert decompose(B).condition == pytest.approx(1.0, abs=1e-12)


def test_the_condition_of_a_2x2_basis_has_a_closed_form():
    """Unit vectors with the cosine c between them: κ = √((1+c)/(1−c))."""
    B = np.array([[1.0, 5.0], [0.0, 0.5]])
    c = 10 / np.sqrt(101)
    assert decompose(B).condition == pytest.approx(np.sqrt((1 + c) / (1 - c)), rel=1e-12)


def test_a_jordan_block_has_no_basis():
    assert decompose([[0.9, 10.0], [0.0, 0.9]]).condition == np.inf


def test_what_is_triangular_in_some_order_has_its_diagonal_exactly():
    rng = np.random.default_rng(4)
    order = rng.permutation(8)
    B = np.triu(rng.standard_normal((8, 8)))[np.ix_(order, order)]
    eigen = decompose(B)
    assert eigen.error == 0.0
    np.testing.assert_array_equal(np.sort(eigen.values.real), np.sort(np.diag(B)))


@pytest.mark.parametrize("n", [2, 4, 6])
def test_the_error_bound_covers_what_rounding_makes_of_a_nilpotent_matrix(n):
    """Exactly, every eigenvalue is 0; LAPACK finds them of the order ε^(1/n)."""
    Q = orthogonal(n, seed=n)
    eigen = decompose(Q @ np.diag(np.ones(n - 1), 1) @ Q.T)
    assert 0 < abs(eigen.values[0]) <= eigen.error


def test_without_vectors_only_the_exact_case_has_a_bound():
    assert decompose([[1.0, 2.0], [0.0, 1.0]], vectors=False).error == 0.0
    general = decompose([[1.0, 2.0], [3.0, 1.0]], vectors=False)
    assert general.error is None
    assert general.condition is None
    assert general.vectors is None


def test_a_power_of_two_scales_exactly_and_saturates():
    eigen = decompose([[0.0, -2.0], [2.0, 0.0]])
    np.testing.assert_array_equal(eigen.times_power_of_two(3).values, 8 * eigen.values)
    assert np.isinf(eigen.times_power_of_two(2000).values.imag).all()
