"""The peak of ‖B^k‖ and where it stands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.matrix_powers import MatrixPowers
from bpttcli.diagnostics.transient_growth import transient_growth


def peak(B):
    B = np.asarray(B, dtype=float)
    return transient_growth(MatrixPowers(B), float(np.abs(np.linalg.eigvals(B)).max()))


@pytest.mark.parametrize(
    ("corner", "k", "norm"), [(1.0, 9, 3.912567078376661), (10.0, 9, 38.745922717546996)]
)
def test_a_jordan_block_peaks_at_lag_9(corner, k, norm):
    growth = peak([[0.9, corner], [0.0, 0.9]])
    assert growth.k == k
    assert growth.norm.value == pytest.approx(norm, rel=1e-14)
    assert not growth.is_bound


@pytest.mark.parametrize(
    "B",
    [
        np.zeros((2, 2)),
        [[-0.9]],
        np.linalg.qr(np.random.default_rng(0).standard_normal((30, 30)))[0],
        np.diag(np.ones(4), 1),
        0.99 * np.eye(3),
    ],
    ids=["zero", "1x1", "orthogonal", "nilpotent", "contraction"],
)
def test_what_never_grows_peaks_at_the_identity(B):
    growth = peak(B)
    assert (growth.k, float(growth.norm.value), growth.is_bound) == (0, 1.0, False)


@pytest.mark.parametrize("B", [[[1.001]], [[1.0, 1.0], [0.0, 1.0]], [[0.0, -2.0], [2.0, 0.0]]])
def test_growth_without_end_has_no_peak(B):
    assert peak(B) is None


def test_at_spectral_radius_1_the_powers_may_level_off():
    """[[1, 5], [0, ½]]^k → [[1, 10], [0, 0]], of norm √101."""
    growth = peak([[1.0, 5.0], [0.0, 0.5]])
    assert growth.norm.value == pytest.approx(np.sqrt(101), rel=1e-11)
    assert growth.is_bound


def test_a_peak_too_far_off_to_look_at_every_power_is_climbed():
    """[[λ, 1], [0, λ]] peaks where k λ^(k−1) does, at −1/ln λ."""
    growth = peak([[0.9999, 1.0], [0.0, 0.9999]])
    assert growth.is_bound
    assert growth.k == pytest.approx(-1 / np.log(0.9999), abs=2)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 6), radius=st.floats(0.1, 0.97), seed=st.integers(0, 2**32 - 1))
def test_it_is_the_largest_of_all_powers(n, radius, seed):
    B = np.random.default_rng(seed).standard_normal((n, n))
    B = B + 3 * np.triu(B, 1)
    B *= radius / np.abs(np.linalg.eigvals(B)).max()
    norms, power = [1.0], np.eye(n)
    for _ in range(800):
        power = power @ B
        norms.append(np.linalg.norm(power, 2))
    growth = peak(B)
    assert growth.norm.value == pytest.approx(max(norms), rel=1e-11)
    assert norms[growth.k] == pytest.approx(max(norms), rel=1e-11)


def test_growth_beyond_the_range_of_float64_keeps_its_exponent():
    growth = peak([[0.0, 1e300, 0.0], [0.0, 0.0, 1e300], [0.0, 0.0, 0.0]])
    assert growth.k == 2
    assert growth.norm.log10 == pytest.approx(600.0, rel=1e-13)
