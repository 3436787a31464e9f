"""The iterative extremes are those of the dense decompositions, with an honest residual."""

import numpy as np
import pytest

from bpttcli.diagnostics.eigenvalues import by_modulus
from bpttcli.diagnostics.extreme_values import largest_eigenvalues, largest_singular_value


def singular(B, tolerance=1e-10):
    return largest_singular_value(lambda x: B @ x, lambda x: B.T @ x, len(B), tolerance=tolerance)


def gaussian(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)


@pytest.mark.parametrize(
    "B",
    [
        gaussian(1),
        gaussian(60),
        np.eye(30),
        np.linalg.qr(gaussian(50))[0],
        np.zeros((5, 5)),
        np.diag(np.ones(20), 1),
        np.diag([1.0, *np.full(19, 1e-9)]),
        np.outer(np.arange(8.0), np.ones(8)),
    ],
    ids=["1x1", "gaussian", "identity", "orthogonal", "zero", "shift", "graded", "rank-1"],
)
def test_the_largest_singular_value_is_that_of_the_dense_way(B):
    sigma, residual = singular(B)
    exact = np.linalg.norm(B, 2)
    assert sigma == pytest.approx(exact, rel=1e-12)
    assert sigma <= exact * (1 + 1e-13)
    assert residual <= 1e-10 * exact


def test_a_space_that_is_used_up_before_the_tolerance_gives_nothing():
    assert singular(gaussian(30), tolerance=-1.0) is None


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_the_largest_eigenvalues_are_those_of_the_dense_way(count):
    B = gaussian(120, seed=1)
    values, residual = largest_eigenvalues(B, count, tolerance=1e-8)
    dense = np.linalg.eigvals(B)
    np.testing.assert_allclose(values, dense[by_modulus(dense, count)], atol=1e-9)
    assert residual <= 1e-8


def test_the_residual_bounds_the_distance_to_an_eigenvalue_of_a_symmetric_matrix():
    B = gaussian(300, seed=2)
    B = (B + B.T) / 2
    values, residual = largest_eigenvalues(B, 3, tolerance=1e-6)
    distance = np.abs(values[:, None] - np.linalg.eigvalsh(B)).min(axis=1)
    assert distance.max() <= residual + 1e-12


def test_a_multiple_eigenvalue_is_left_to_the_dense_way():
    assert largest_eigenvalues(np.eye(10), 1, tolerance=1e-6)[0] == 1.0
    assert largest_eigenvalues(np.eye(10), 2, tolerance=1e-6) is None


def test_a_small_residual_alone_is_no_answer_in_a_nonnormal_matrix():
    """Here a value 8 % beyond every eigenvalue has a residual of 1e-8, and keeps moving."""
    B = np.triu(gaussian(800, seed=3)) + 0.5 * np.eye(800)
    assert largest_eigenvalues(B, 1, tolerance=1e-6) is None


def test_slow_convergence_is_left_to_the_dense_way():
    cycle = np.roll(np.eye(450), 1, axis=0)  # all moduli are equal: nothing stands out
    assert largest_eigenvalues(cycle, 1, tolerance=1e-6) is None
