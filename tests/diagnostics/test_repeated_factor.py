"""What repeats on the way back: powers of B, the slope of φ, the gate that carries."""

import numpy as np
import pytest

from bpttcli.diagnostics.repeated_factor import repeated_factor
from bpttcli.engine.cells import cell_named
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import unroll
from tests.runs import network as one_layer
from tests.runs import silence


def factor(cell, B, steps, x=None, p=None):
    """The factor of a run of one layer without input, B being (G·H, H)."""
    B = np.atleast_2d(B)
    network = one_layer(cell, np.ones((len(B), 1)), B)
    tape = next(unroll(network, silence(steps) if x is None else x, window=steps).windows())
    p = np.ones((steps, B.shape[1])) if p is None else p
    row = Scaled(p, np.zeros((steps, 1), dtype=np.int64))
    return repeated_factor(cell_named(cell), B, tape.tapes[0], row)


def test_lags_are_small_then_round_and_end_at_the_first_step():
    assert factor("linear", 0.9, 1).k.tolist() == [0]
    assert factor("linear", 0.9, 4).k.tolist() == [0, 1, 2, 3]
    wanted = [0, 1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 219]
    assert factor("linear", 0.9, 220).k.tolist() == wanted


@pytest.mark.parametrize(("b", "at_100"), [(1.1, 13780.61), (0.9, 2.6561e-5)])
def test_the_hundredth_power_of_a_scalar(b, at_100):
    found = factor("linear", b, 101)
    assert found.k[-1] == 100
    assert found.powers.rho[-1].value == pytest.approx(at_100, rel=1e-4)
    assert found.matrices[-1].value == pytest.approx(b**100, rel=1e-13)


def test_matrices_are_the_powers_of_B():
    B = np.array([[0.5, 0.0], [1.0, 2.0]])
    found = factor("linear", B, 12)
    for k, matrix in zip(found.k, found.matrices, strict=True):
        np.testing.assert_allclose(matrix.value, np.linalg.matrix_power(B, k), rtol=1e-14)
    np.testing.assert_allclose(found.eigenvalues, [2.0, 0.5], rtol=1e-14)


@pytest.mark.parametrize("b", [1e-3, 1e3])
def test_powers_do_not_end_where_float64_does(b):
    found = factor("linear", b * np.eye(2), 201)
    np.testing.assert_allclose(found.matrices[-1].log10[0, 0], 200 * np.log10(b), rtol=1e-12)


def test_matrices_of_many_units_are_left_out():
    assert factor("linear", np.eye(5), 3).matrices is None
    assert factor("linear", np.eye(4), 3).matrices is not None


def test_the_slope_is_the_product_of_its_means_from_the_last_step_on():
    """Without input tanh′ is 1; at a relu whose one unit of two is off the mean is ½."""
    assert factor("tanh", 0.5, 5).factor.value.tolist() == [1.0] * 5
    x = np.ones((3, 1, 1))
    half = factor("relu", np.array([[1.0, 0.0], [-9.0, 0.0]]), 3, x)
    np.testing.assert_allclose(half.factor.value, [1.0, 0.5, 0.25], rtol=1e-14)


def test_a_dead_network_ends_the_product_with_an_exact_zero():
    dead = factor("relu", 1.0, 4)
    assert dead.factor.value.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_gated_cell_has_the_gate_that_carries_and_no_powers():
    """Without weights the forget gate is ½."""
    found = factor("lstm", np.zeros((8, 2)), 4)
    np.testing.assert_allclose(found.factor.value, 0.5 ** np.arange(4), rtol=1e-14)
    assert (found.powers, found.matrices, found.eigenvalues) == (None, None, None)


def test_the_gradient_is_read_at_the_lags():
    p = np.arange(60.0)[:, None]
    found = factor("linear", 1.0, 60, p=p)
    np.testing.assert_array_equal(found.gradient.value[:, 0], 59.0 - found.k)
    np.testing.assert_array_equal(found.norm.value, 59.0 - found.k)
