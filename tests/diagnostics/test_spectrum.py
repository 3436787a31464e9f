"""What B itself says: NumPy's own figures, closed forms, and every kind of matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.spectrum import DEFAULT_POWERS, spectrum_of
from bpttcli.errors import InputError


def orthogonal(n, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))[0]


def gaussian(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, n)) / np.sqrt(n)


MATRICES = {
    "random": gaussian(20),
    "orthogonal": orthogonal(20),
    "symmetric": gaussian(20) + gaussian(20).T,
    "skew": gaussian(15) - gaussian(15).T,
    "nilpotent": np.triu(gaussian(8), 1),
    "companion": np.vstack([[0.1, -0.2, 0.3, -0.1, 0.2], np.eye(5)[:4]]),
    "defective": 0.9 * np.eye(2) + np.array([[0.0, 10.0], [0.0, 0.0]]),
    "badly-scaled": np.diag(10.0 ** np.arange(4)) @ gaussian(4) @ np.diag(10.0 ** -np.arange(4)),
    "singular": np.outer(np.arange(5.0), np.ones(5)),
    "zero": np.zeros((4, 4)),
    "1x1": np.array([[-0.7]]),
    "integers": np.array([[1, 2], [3, 4]]),
}


@pytest.mark.parametrize("name", MATRICES)
def test_the_figures_are_those_of_numpy(name):
    B = MATRICES[name]
    spectrum = spectrum_of(B)
    values, norm = np.linalg.eigvals(B), np.linalg.norm(B, 2)
    found, expected = (np.sort_complex(np.round(v, 9)) for v in (spectrum.eigenvalues, values))
    np.testing.assert_allclose(found, expected, atol=2e-9)
    assert spectrum.spectral_radius == pytest.approx(np.abs(values).max(), rel=1e-12)
    assert spectrum.spectral_norm == pytest.approx(norm, rel=1e-13)
    assert spectrum.residual is None
    assert spectrum.numerical_abscissa == pytest.approx(
        np.linalg.eigvalsh((B + B.T) / 2)[-1], abs=1e-13 * max(norm, 1.0)
    )
    if name not in ("nilpotent", "defective"):
        condition = np.linalg.cond(np.linalg.eig(B)[1])
        assert spectrum.eigenvector_condition == pytest.approx(condition, rel=1e-6)


@pytest.mark.parametrize("name", MATRICES)
def test_the_known_inequalities_hold(name):
    spectrum = spectrum_of(MATRICES[name])
    slack = 1 + 1e-9
    assert spectrum.spectral_radius <= spectrum.numerical_radius * slack
    assert spectrum.numerical_abscissa <= spectrum.numerical_radius * slack
    assert spectrum.numerical_radius <= spectrum.spectral_norm * slack
    assert spectrum.spectral_norm <= 2 * spectrum.numerical_radius * slack
    if spectrum.growth is not None:
        assert spectrum.kreiss_lower_bound <= spectrum.growth.norm.value * slack


@pytest.mark.parametrize("name", ["orthogonal", "symmetric", "skew", "zero", "1x1"])
def test_a_normal_matrix_departs_from_normality_by_0(name):
    spectrum = spectrum_of(MATRICES[name])
    assert spectrum.departure_from_normality == 0.0
    assert spectrum.departure_relative == 0.0
    assert spectrum.numerical_radius == pytest.approx(spectrum.spectral_radius, rel=1e-12)


def test_the_departure_of_a_triangular_matrix_is_what_stands_above_its_diagonal():
    B = np.triu(gaussian(10))
    departure = np.linalg.norm(np.triu(B, 1))
    spectrum = spectrum_of(B)
    assert spectrum.departure_from_normality == pytest.approx(departure, rel=1e-12)
    assert spectrum.departure_relative == pytest.approx(departure / np.linalg.norm(B), rel=1e-12)


def test_a_spectral_radius_below_1_need_not_vanish():
    """[[0.9, 10], [0, 0.9]] grows for nine steps before it decays."""
    spectrum = spectrum_of([[0.9, 10.0], [0.0, 0.9]], powers=(10, 100))
    assert spectrum.spectral_radius == 0.9
    assert spectrum.spectral_norm == pytest.approx(5 + np.sqrt(25 + 0.81), rel=1e-14)
    assert spectrum.eigenvector_condition == np.inf
    assert spectrum.eigenvalue_error == 0.0
    assert spectrum.growth.k == 9
    assert spectrum.growth.norm.value == pytest.approx(38.745922717546996, rel=1e-14)
    k = np.array([10, 100])
    exact = 0.9 ** (k - 1) * (10 * k + np.sqrt((10 * k) ** 2 + 4 * 0.81)) / 2
    np.testing.assert_allclose(spectrum.powers.norm.value, exact, rtol=1e-13)


def test_the_default_powers_are_those_of_the_manual():
    spectrum = spectrum_of(np.eye(2))
    np.testing.assert_array_equal(spectrum.powers.k, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
    assert tuple(spectrum.powers.k) == DEFAULT_POWERS


@settings(max_examples=25, deadline=None)
@given(exponent=st.integers(-1000, 1000), seed=st.integers(0, 2**32 - 1))
def test_a_power_of_two_scales_every_linear_figure_exactly_or_nearly(exponent, seed):
    B = np.random.default_rng(seed).uniform(1, 2, (4, 4)) * [1, -1, 1, -1]
    plain, scaled = spectrum_of(B), spectrum_of(np.ldexp(B, exponent))
    for name in (
        "eigenvalues",
        "spectral_radius",
        "spectral_norm",
        "departure_from_normality",
        "numerical_radius",
        "numerical_abscissa",
    ):
        back = np.asarray(getattr(scaled, name)) / 2.0**exponent
        tolerance = 1e-12 * plain.spectral_norm
        np.testing.assert_allclose(back, getattr(plain, name), rtol=1e-12, atol=tolerance)
    shifted = plain.powers.norm.log2 + plain.powers.k * exponent
    np.testing.assert_allclose(scaled.powers.norm.log2, shifted, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("entry", [5e-324, 1e-310, 1e308, 1.7e308])
def test_the_ends_of_the_range_are_inf_at_worst_and_the_powers_keep_their_exponent(entry):
    """n equal entries in a row: ρ = σ₁ = n·entry."""
    spectrum = spectrum_of(np.full((4, 4), entry), powers=[1, 1000])
    size = np.log10(entry) + np.log10(4.0)
    np.testing.assert_allclose(spectrum.powers.norm.log10, [size, 1000 * size], rtol=1e-12)
    np.testing.assert_allclose(spectrum.powers.rho.log10, [size, 1000 * size], rtol=1e-12)
    assert np.isinf(spectrum.spectral_radius) == (size > np.log10(np.finfo(float).max))


def test_above_500_units_what_is_dear_is_skipped():
    spectrum = spectrum_of(gaussian(501) / 2, powers=[1])
    assert spectrum.numerical_radius is None
    assert spectrum.kreiss_lower_bound is None
    assert spectrum.eigenvector_condition is None
    assert spectrum.eigenvalue_error is None
    assert spectrum.numerical_abscissa is not None
    assert len(spectrum.eigenvalues) == 501


@pytest.mark.parametrize("top", [1, 3, 6])
def test_only_the_largest_come_with_their_residual(top):
    B = gaussian(80, seed=3)
    spectrum, dense = spectrum_of(B, top=top), spectrum_of(B)
    assert 0 <= spectrum.residual <= 1e-6 * spectrum.spectral_norm
    assert len(spectrum.eigenvalues) in (top, top + 1)
    some = dense.eigenvalues[: len(spectrum.eigenvalues)]
    np.testing.assert_allclose(spectrum.eigenvalues, some, atol=1e-9)
    assert spectrum.spectral_radius == pytest.approx(dense.spectral_radius, rel=1e-9)
    assert spectrum.spectral_norm == pytest.approx(dense.spectral_norm, rel=1e-9)
    assert spectrum.powers is None


def test_where_the_iteration_fails_the_dense_way_is_taken():
    spectrum = spectrum_of(np.eye(12), top=3)
    assert spectrum.residual is None
    np.testing.assert_array_equal(spectrum.eigenvalues, np.ones(3))


@pytest.mark.parametrize("top", [1, 2, 4])
@pytest.mark.parametrize("scale", [0.0, 1e-300, 1e300])
def test_the_largest_of_extreme_matrices_are_found_too(scale, top):
    B = scale * np.diag([4.0, -3.0, 2.0, 1.0])
    spectrum = spectrum_of(B, top=top)
    expected = scale * np.array([4.0, -3.0, 2.0, 1.0])[:top]
    np.testing.assert_allclose(spectrum.eigenvalues, expected, rtol=1e-9)
    assert spectrum.spectral_norm == pytest.approx(4 * scale, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"matrix": np.zeros((2, 3))}, "matrix"),
        ({"matrix": np.eye(2), "powers": [-1]}, "powers"),
        ({"matrix": np.eye(2), "top": 3}, "top"),
    ],
)
def test_wrong_inputs_are_refused_with_their_key(arguments, key):
    with pytest.raises(InputError) as error:
        spectrum_of(**arguments)
    assert error.value.key == key


def test_the_input_is_left_alone_and_the_result_cannot_be_changed():
    B = gaussian(5)
    before = B.copy()
    spectrum = spectrum_of(B)
    np.testing.assert_array_equal(B, before)
    assert B.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        spectrum.eigenvalues[0] = 0
