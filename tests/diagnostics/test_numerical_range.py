"""Numerical radius and abscissa: closed forms, and two-sided bounds by the supporting lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.numerical_range import numerical_abscissa, numerical_radius


def shift_matrix(n):
    return np.diag(np.ones(n - 1), 1)


def reach(B, angle):
    """Largest real part of exp(i angle)·xᴴBx."""
    rotated = np.exp(1j * angle) * B
    return np.linalg.eigvalsh((rotated + rotated.conj().T) / 2)[-1]


@pytest.mark.parametrize("n", [1, 2, 5, 30])
@pytest.mark.parametrize(("diagonal", "theta"), [(0.9, 0.1), (0.5, 1.0), (0.0, 1.0), (1e-3, 2.0)])
def test_a_toeplitz_bidiagonal_has_a_closed_form(n, diagonal, theta):
    """The range of λI + θ·shift is a disc: r = λ + θ cos(π/(n+1))."""
    B = diagonal * np.eye(n) + theta * shift_matrix(n)
    exact = diagonal + theta * np.cos(np.pi / (n + 1))
    assert numerical_radius(B) == pytest.approx(exact, abs=1e-13)
    assert numerical_abscissa(B, np.linalg.norm(B, 2)) == pytest.approx(exact, abs=1e-13)


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, np.pi / 2, 3.0, np.pi])
def test_a_rotation_reaches_the_circle_wherever_its_eigenvalues_are(angle):
    c, s = np.cos(angle), np.sin(angle)
    B = np.zeros((3, 3))
    B[:2, :2] = [[c, -s], [s, c]]
    B[2, 2] = -0.5
    assert numerical_radius(B) == pytest.approx(1.0, abs=1e-13)
    assert numerical_abscissa(B, 1.0) == pytest.approx(max(c, -0.5), abs=1e-13)


def test_the_zero_matrix_reaches_nowhere():
    assert numerical_radius(np.zeros((4, 4))) == 0.0
    assert numerical_abscissa(np.zeros((4, 4)), 0.0) == 0.0


def test_the_abscissa_may_be_negative():
    assert numerical_abscissa(np.diag([-2.0, -3.0]), 3.0) == pytest.approx(-2.0, abs=1e-14)


matrices = st.tuples(
    st.integers(1, 7), st.sampled_from(["gaussian", "hollow", "orthogonal", "nilpotent", "graded"])
)


def draw(n, kind, seed):
    B = np.random.default_rng(seed).standard_normal((n, n))
    if kind == "hollow":  # the range is symmetric about 0: both real ends are reached equally
        return np.block([[np.zeros((n, n)), B], [B.T[::-1], np.zeros((n, n))]])
    if kind == "orthogonal":  # the range is a polygon, every corner of which is a maximum
        return np.linalg.qr(B)[0]
    if kind == "nilpotent":
        return np.triu(B, 1)
    if kind == "graded":
        return B * np.logspace(-6, 6, n)
    return B


@settings(max_examples=50, deadline=None)
@given(matrix=matrices, seed=st.integers(0, 2**32 - 1))
def test_the_radius_lies_between_the_best_angle_and_the_polygon_of_supporting_lines(matrix, seed):
    """Neighbouring supporting lines at most 1.0001 r away meet within r/cos(Δ/2)."""
    B = draw(*matrix, seed)
    angles = np.linspace(0.0, np.pi, 201)
    best = max(reach(B, angle) for angle in angles)
    radius = numerical_radius(B)
    assert best * (1 - 2e-10) <= radius
    assert radius <= best / np.cos(np.pi / 400) * (1 + 1e-13)


@settings(max_examples=30, deadline=None)
@given(matrix=matrices, seed=st.integers(0, 2**32 - 1))
def test_the_radius_stands_between_the_spectral_radius_and_the_norm(matrix, seed):
    B = draw(*matrix, seed)
    radius, norm = numerical_radius(B), np.linalg.norm(B, 2)
    if matrix[1] != "nilpotent":
        assert np.abs(np.linalg.eigvals(B)).max() <= radius * (1 + 1e-9)
    assert radius <= norm * (1 + 1e-12)
    assert norm <= 2 * radius * (1 + 1e-9)


def test_above_the_dense_size_the_abscissa_is_iterative_and_the_same():
    B = np.random.default_rng(0).standard_normal((501, 501)) / np.sqrt(501)
    dense = np.linalg.eigvalsh((B + B.T) / 2)[-1]
    assert numerical_abscissa(B, np.linalg.norm(B, 2)) == pytest.approx(dense, abs=1e-10)
