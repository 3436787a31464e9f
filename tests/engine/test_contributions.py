"""The norm of what a step adds to a weight's gradient, against the matrix itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.contributions import bias_gradient, contribution_norms, parameter_gradient
from bpttcli.engine.scaled import Scaled

# (sequences, rows of the matrix, columns): N = 1, N < rows, N between, N above both.
SHAPES = [(1, 4, 3), (2, 5, 6), (4, 3, 8), (9, 3, 2), (30, 3, 4), (2, 1, 1)]


def matrices(delta, fed):
    """(1/N) Σ_n δ_n u_nᵀ for every step, written down."""
    return np.einsum("tnd,tni->tdi", delta, fed) / fed.shape[1]


def frobenius(matrix):
    return np.linalg.norm(matrix, axis=(1, 2))


@settings(max_examples=40)
@given(st.sampled_from(SHAPES), st.integers(1, 5), st.integers(0, 2**32))
def test_the_norm_is_that_of_the_matrix(shape, steps, seed):
    batch, rows, columns = shape
    rng = np.random.default_rng(seed)
    delta = rng.normal(size=(steps, batch, rows))
    fed = rng.normal(size=(steps, batch, columns))
    found = contribution_norms(Scaled.of(delta), fed)
    np.testing.assert_allclose(found.value, frobenius(matrices(delta, fed)), rtol=1e-12)
    total = parameter_gradient(Scaled.of(delta), fed, columns)
    np.testing.assert_allclose(
        total.value, matrices(delta, fed).sum(axis=0), rtol=1e-12, atol=1e-14
    )


@settings(max_examples=40)
@given(st.sampled_from(SHAPES), st.integers(1, 5), st.integers(0, 2**32))
def test_symbols_count_as_one_hot_vectors(shape, steps, seed):
    batch, rows, columns = shape
    rng = np.random.default_rng(seed)
    delta = rng.normal(size=(steps, batch, rows))
    symbols = rng.integers(columns, size=(steps, batch))
    wanted = matrices(delta, np.eye(columns)[symbols])
    found = contribution_norms(Scaled.of(delta), symbols)
    np.testing.assert_allclose(found.value, frobenius(wanted), rtol=1e-12)
    total = parameter_gradient(Scaled.of(delta), symbols, columns)
    np.testing.assert_allclose(total.value, wanted.sum(axis=0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("left", [0.0, 1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("width", [1, 50])
@pytest.mark.parametrize("symbols", [False, True])
def test_sequences_that_cancel_keep_the_digits_that_are_left(left, width, symbols):
    """δ = (1 + left, −1), the same input: the matrix is left/2 · 1uᵀ."""
    delta = np.ones((1, 2, width))
    delta[0, 0], delta[0, 1] = 1 + left, -1
    fed = np.zeros((1, 2), dtype=int) if symbols else np.ones((1, 2, width))
    found = contribution_norms(Scaled.of(delta), fed)
    cancelled = (1 + left) - 1  # the sum of the two numbers in float64 is exact
    wanted = cancelled / 2 * np.sqrt(width if symbols else width * width)
    np.testing.assert_allclose(found.value, [wanted], rtol=1e-14)


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e-110, 1e110, 1e150, 1e300])
@pytest.mark.parametrize("other", [1e-110, 1.0, 1e110])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_size_of_either_factor_leaves_the_range(size, other, shape):
    batch, rows, columns = shape
    rng = np.random.default_rng(0)
    delta = rng.uniform(0.5, 1, size=(3, batch, rows))
    fed = rng.uniform(0.5, 1, size=(3, batch, columns))
    wanted = np.log10(frobenius(matrices(delta, fed))) + np.log10(size) + np.log10(other)
    found = contribution_norms(Scaled.of(delta * other), fed * size)
    np.testing.assert_allclose(found.log10, wanted, rtol=1e-13, atol=1e-13)
    total = parameter_gradient(Scaled.of(delta * other), fed * size, columns)
    wanted = np.log10(matrices(delta, fed).sum(axis=0)) + np.log10(size) + np.log10(other)
    np.testing.assert_allclose(total.log10, wanted, rtol=1e-13, atol=1e-13)


def test_sequences_with_exponents_far_apart_count_by_their_size():
    delta = Scaled(np.ones((2, 2, 1)), np.array([[[5000], [0]], [[-5000], [-5001]]]))
    found = contribution_norms(delta, np.ones((2, 2, 1)))
    np.testing.assert_allclose(found.log2, [4999, -5000 + np.log2(0.75)], rtol=1e-15)


def test_what_fell_below_the_range_counts_where_its_input_grew():
    """δ_t = 2^(-3t) and u_t = 2^(3t): every step adds 1, from one end of the range to beyond."""
    steps = 300
    power = 3 * np.arange(steps)
    delta = Scaled(np.ones((steps, 1, 1)), -power.reshape(-1, 1, 1))
    fed = 2.0 ** power.reshape(-1, 1, 1)
    np.testing.assert_array_equal(contribution_norms(delta, fed).value, 1.0)
    assert parameter_gradient(delta, fed, 1).value == steps


def test_a_step_that_was_fed_nothing_does_not_hide_the_others():
    """However large δ stands beside an input of zero."""
    delta = Scaled(np.ones((2, 1, 2)), np.array([[[10**6]], [[0]]]))
    fed = np.array([[[0.0]], [[3.0]]])
    np.testing.assert_array_equal(parameter_gradient(delta, fed, 1).value, [[3.0], [3.0]])
    np.testing.assert_allclose(contribution_norms(delta, fed).value, [0.0, np.sqrt(18)], rtol=1e-15)


def test_a_small_mantissa_under_a_large_exponent_counts_by_its_size():
    """2^-390 · 2^0 is far below 2^390 · 2^-450, whatever the exponents say."""
    mantissa = np.array([2.0**-390, 2.0**390]).reshape(2, 1, 1)
    delta = Scaled(mantissa, np.array([0, -450]).reshape(2, 1, 1))
    assert parameter_gradient(delta, np.ones((2, 1, 1)), 1).value == 2.0**-60
    assert bias_gradient(delta).value == 2.0**-60


def test_a_bias_is_fed_one():
    rng = np.random.default_rng(0)
    mantissa, exponent = rng.normal(size=(4, 3, 2)), rng.integers(-3, 3, size=(4, 3, 1))
    found = bias_gradient(Scaled(mantissa, exponent))
    wanted = (mantissa * 2.0**exponent).sum(axis=(0, 1)) / 3
    np.testing.assert_allclose(found.value, wanted, rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_input_that_is_no_number_makes_its_own_step_none(shape):
    batch, rows, columns = shape
    fed = np.ones((3, batch, columns))
    fed[1, 0, 0] = np.nan
    found = contribution_norms(Scaled.of(np.ones((3, batch, rows))), fed).value
    assert np.isfinite(found).tolist() == [True, False, True]


def test_a_long_run_is_worked_off_in_pieces():
    """More numbers than one temporary array holds."""
    rng = np.random.default_rng(0)
    for batch, rows, columns in ((8, 64, 64), (2, 256, 256)):
        delta, fed = rng.normal(size=(300, batch, rows)), rng.normal(size=(300, batch, columns))
        symbols = rng.integers(columns, size=(300, batch))
        found = contribution_norms(Scaled.of(delta), fed).value[[0, 150, 299]]
        wanted = frobenius(matrices(delta, fed)[[0, 150, 299]])
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        found = contribution_norms(Scaled.of(delta), symbols).value[[0, 150, 299]]
        chosen = np.eye(columns)[symbols[[0, 150, 299]]]
        np.testing.assert_allclose(
            found, frobenius(matrices(delta[[0, 150, 299]], chosen)), rtol=1e-12
        )
