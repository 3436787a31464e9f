"""Powers of B beside powers of ρ: closed forms, range, and an error that covers the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.matrix_powers import MatrixPowers, Power, power_norms
from bpttcli.engine.scaled import Scaled


def norms_of(B, k, rho=None):
    B = np.asarray(B, dtype=float)
    radius = np.abs(np.linalg.eigvals(B)).max() if rho is None else rho
    return power_norms(MatrixPowers(B), Scaled.of(radius), k)


def orthogonal(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]


K = [0, 1, 2, 3, 5, 10, 50, 100, 1000]


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.1, 2.0])
def test_a_jordan_block_grows_before_it_decays(scale):
    """‖B^k‖ = λ^(k−1) (k + √(k²+4λ²))/2 for [[λ, 1], [0, λ]]."""
    k = np.array(K)
    log10 = (k - 1) * np.log10(scale) + np.log10((k + np.sqrt(k**2 + 4 * scale**2)) / 2)
    found = norms_of([[scale, 1.0], [0.0, scale]], K).norm.log10
    np.testing.assert_allclose(found, log10, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("rho", [0.1, 0.9, 1.0, 1.1, 2.0])
def test_normal_matrices_have_norm_equal_to_the_power_of_rho_up_to_a_million(rho):
    k = [0, 1, 100, 999_983, 1_000_000]
    result = norms_of(rho * orthogonal(8), k, rho)
    expected = np.array(k) * np.log10(rho)
    np.testing.assert_allclose(result.rho.log10, expected, rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(result.norm.log10, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("rho", "k", "value"), [(1.1, 100, 13780.612339822238), (0.9, 100, 2.6561398887587544e-05)]
)
def test_the_powers_that_everybody_quotes(rho, k, value):
    result = norms_of([[rho]], [k])
    # 1.1 and 0.9 are themselves rounded, by up to ε/2, and a hundred of them are multiplied.
    assert result.rho.value[0] == pytest.approx(value, rel=50 * np.finfo(float).eps * 2)
    assert result.norm.value[0] == pytest.approx(value, rel=50 * np.finfo(float).eps * 2)


def test_the_power_0_is_the_identity_of_any_matrix():
    result = norms_of(np.zeros((3, 3)), [0, 1])
    np.testing.assert_array_equal(result.rho.value, [1.0, 0.0])
    np.testing.assert_array_equal(result.norm.value, [1.0, 0.0])
    assert result.relative_error[0] == 0.0
    assert np.isnan(result.relative_error[1])


def test_a_nilpotent_matrix_is_exactly_zero_from_its_index_on():
    result = norms_of(np.diag(np.ones(4), 1), [1, 4, 5, 1000])
    np.testing.assert_array_equal(result.norm.value, [1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize("n", [4, 5, 7])
def test_a_rotated_nilpotent_matrix_says_that_no_digit_is_certain(n):
    """Exactly, B^n = 0; what is computed is rounding, and its stated error says so."""
    Q = orthogonal(n, seed=n)
    result = norms_of(Q @ np.diag(np.ones(n - 1), 1) @ Q.T, [n, n + 1, 100])
    assert np.all((result.relative_error > 1) | (result.norm.mantissa == 0))


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_entries_at_the_ends_of_the_range_are_scaled_first(size):
    """[[1, 2], [3, 4]]: σ₁ = √(15 + √221), ρ = (5 + √33)/2."""
    B = size * np.array([[1.0, 2.0], [3.0, 4.0]])
    result = norms_of(B, [1, 1000], float(size * (5 + np.sqrt(33)) / 2))
    assert result.norm.log10[0] == pytest.approx(np.log10(size) + 0.5 * np.log10(15 + 221**0.5))
    assert result.rho.log10[1] == pytest.approx(1000 * result.rho.log10[0], rel=1e-13)
    assert abs(result.norm.log10[1] - result.rho.log10[1]) < 0.1


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 8), k=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_the_norm_is_that_of_the_plain_product_within_the_stated_error(n, k, seed):
    B = np.random.default_rng(seed).standard_normal((n, n))
    result = norms_of(B, [k])
    plain = np.linalg.norm(np.linalg.matrix_power(B.astype(np.longdouble), k).astype(float), 2)
    assert result.norm.value[0] == pytest.approx(plain, rel=max(result.relative_error[0], 4e-16))
    assert result.norm.value[0] >= result.rho.value[0] * (1 - 1e-9)


def test_the_stated_error_of_a_normal_matrix_is_k_n_epsilon():
    result = norms_of(orthogonal(10), [1, 1000])
    epsilon = np.finfo(float).eps
    np.testing.assert_allclose(result.relative_error, [10 * epsilon, 1e4 * epsilon], rtol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_the_stated_error_is_not_more_than_the_condition_of_the_eigenvectors_says(seed):
    """‖B^j‖/ρ^j ≤ κ(V), and no product cancels by more than κ(V)²."""
    B = np.random.default_rng(seed).standard_normal((12, 12))
    kappa = np.linalg.cond(np.linalg.eig(B)[1])
    result = norms_of(B, [1, 10, 1000])
    assert np.all(result.relative_error <= result.k * 12 * np.finfo(float).eps * kappa**2)


def test_above_the_dense_size_the_norms_are_iterative_and_the_same():
    B = np.random.default_rng(0).standard_normal((501, 501)) / np.sqrt(501)
    result = norms_of(B, [1, 3], rho=1.0)
    dense = [np.linalg.norm(B, 2), np.linalg.norm(B @ B @ B, 2)]
    np.testing.assert_allclose(result.norm.value, dense, rtol=1e-11)


@pytest.mark.parametrize("kind", ["gaussian", "orthogonal", "rank-1"])
def test_the_cheap_bound_is_above_the_norm_by_at_most_the_eighth_root_of_n(kind):
    X = np.random.default_rng(1).standard_normal((16, 16))
    X = {"gaussian": X, "orthogonal": orthogonal(16), "rank-1": np.outer(X[0], X[1])}[kind]
    power = Power.of(X)
    norm, bound = float(power.norm().value), float(power.norm_bound().value)
    assert norm == pytest.approx(np.linalg.norm(X, 2), rel=1e-13)
    assert norm * (1 - 1e-14) <= bound <= norm * 16**0.125 * (1 + 1e-14)


def test_a_result_cannot_be_changed():
    result = norms_of(np.eye(2), [1])
    for array in (result.k, result.rho.mantissa, result.norm.exponent, result.relative_error):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 2
