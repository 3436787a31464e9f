"""Slopes of tanh and σ keep all their digits, however closed or open a unit is."""

import math

import numpy as np
import pytest

from bpttcli.engine.cells.smooth import complement, tanh_slope

ACTIVATIONS = [0.0, 1e-9, 0.5, 1.8, 3.0, 19.0, 40.0, 300.0, 700.0]


@pytest.mark.parametrize("a", ACTIVATIONS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_a_gate_keeps_back_is_sigma_of_minus_a(a, sign):
    a = np.array([sign * a])
    e = np.exp(-a)
    wanted = 1 / (1 + math.exp(a[0]))
    np.testing.assert_allclose(complement(e, 1 / (1 + e)), wanted, rtol=1e-15)


def test_a_gate_that_is_shut_beyond_the_range_keeps_everything_back():
    """exp(−a) is infinite from a = −710 on, and σ(a) is 0."""
    e = np.array([np.inf, np.nan])
    with np.errstate(invalid="ignore"):
        found = complement(e, np.array([0.0, np.nan]))
    np.testing.assert_array_equal(found, [1.0, np.nan])


@pytest.mark.parametrize("a", ACTIVATIONS[:-1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_slope_of_tanh_is_sech_squared(a, sign):
    sech = 2 * math.exp(-a) / (1 + math.exp(-2 * a))
    a = np.array([sign * a])
    np.testing.assert_allclose(tanh_slope(a, np.tanh(a)), sech * sech, rtol=1e-14)
