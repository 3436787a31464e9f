"""The Kreiss bound never exceeds the constant and comes close to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.eigenvalues import eigenvalues_of
from bpttcli.diagnostics.kreiss import kreiss_lower_bound


def kreiss(B):
    B = np.asarray(B, dtype=float)
    return kreiss_lower_bound(B, eigenvalues_of(B, np.linalg.norm(B, 2), vectors=True))


@pytest.mark.parametrize("eta", [0.4, 0.2, 0.1, 0.01, 0.001])
def test_a_jordan_block_has_a_closed_form(eta):
    """K = 1/(4η) + η."""
    exact = 1 / (4 * eta) + eta
    found = kreiss([[1 - eta, 1.0], [0.0, 1 - eta]])
    assert exact * (1 - 1e-4) <= found <= exact * (1 + 1e-12)


@pytest.mark.parametrize(
    "B",
    [
        np.zeros((3, 3)),
        [[0.5]],
        np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0],
        np.diag([0.9, -0.3, 0.0]),
    ],
    ids=["zero", "1x1", "orthogonal", "diagonal"],
)
def test_a_normal_matrix_has_constant_1(B):
    assert kreiss(B) == pytest.approx(1.0, abs=1e-9)


def test_an_eigenvalue_outside_of_the_circle_makes_it_infinite():
    assert kreiss([[1.1, 0.0], [0.0, 0.5]]) == np.inf


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(2, 6),
    inside=st.floats(0.01, 0.6),
    upper=st.floats(0.1, 3.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_near_the_best_of_a_fine_grid_and_below_the_largest_power(n, inside, upper, seed):
    B = np.random.default_rng(seed).standard_normal((n, n))
    B = B + upper * np.triu(B, 1)
    B *= (1 - inside) / np.abs(np.linalg.eigvals(B)).max()
    height, angle = np.meshgrid(np.geomspace(1e-3, 50, 40), np.linspace(0, np.pi, 61))
    z = ((1 + height) * np.exp(1j * angle)).reshape(-1, 1, 1)
    smallest = np.linalg.svd(z * np.eye(n) - B, compute_uv=False)[:, -1]
    found = kreiss(B)
    assert found >= (1 - 5e-3) * np.max(height.reshape(-1) / smallest)

    largest, power = 1.0, np.eye(n)
    for _ in range(400):
        power = power @ B
        largest = max(largest, np.linalg.norm(power, 2))
    assert 1.0 <= found <= largest * (1 + 1e-9)


def test_a_large_matrix_is_searched_through_its_largest_eigenvalues():
    """The slow part is what matters; 150 fast units beside it change nothing."""
    B = np.diag(np.linspace(-0.05, 0.05, 152))
    B[:2, :2] = [[0.9, 1.0], [0.0, 0.8]]
    assert kreiss(B) == pytest.approx(kreiss(B[:2, :2]), rel=1e-3)
    assert kreiss(B) > 1.5
