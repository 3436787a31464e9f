"""The covariance of an adjoint, against the mean over all patterns of cuts in fractions."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from bpttcli.diagnostics.adjoint_covariance import NOTHING, AdjointCovariance
from bpttcli.engine.scaled import Scaled
from bpttcli.truncation.randomized import Moments
from tests import naive

P = Fraction(1, 4)


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(array)


def adjoints(J, said, factors):
    """ĝ_1 of both sequences in one vector, (2S,), for the factors on the edges."""
    g = [fractions(each) for each in said[-1]]
    for t in range(len(J) - 2, -1, -1):
        g = [fractions(said[t, n]) + factors[t] * (g[n] @ fractions(J[t + 1, n])) for n in range(2)]
    return np.concatenate(g)


def wild(seed, spread, steps=6):
    """Positive Jacobians and losses of two sequences, of sizes up to 10^±spread."""
    rng = np.random.default_rng(seed)
    J = rng.uniform(0.5, 1, size=(steps, 2, 3, 3))
    J *= 10.0 ** rng.uniform(-spread, spread, size=(steps, 2, 1, 3))
    said = np.zeros((steps, 2, 3))
    said[..., 1:] = rng.uniform(0.5, 1, size=(steps, 2, 2))
    said *= 10.0 ** rng.uniform(-spread, spread, size=(steps, 2, 1))
    return J, said


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spread", [0, 40, 200])
def test_it_is_the_covariance_over_all_patterns(seed, spread):
    J, said = wild(seed, spread)
    found = AdjointCovariance(2, 3, slice(1, 3), Moments(1.0, float(P / (1 - P))))
    for t in range(len(J) - 1, -1, -1):
        found.receive(said[t, :, 1:])
        if t:
            found.back(Scaled.of(J[t]))
    mean, square = 0, 0
    for cuts in itertools.product([0, 1 / (1 - P)], repeat=len(J) - 1):
        weight = np.prod([P if cut == 0 else 1 - P for cut in cuts])
        g = adjoints(J, said, cuts)
        mean, square = mean + weight * g, square + weight * g[:, None] * g
    wanted = square - mean[:, None] * mean
    exponent = found.exponent.reshape(-1)
    flat = found.covariance.swapaxes(1, 2).reshape(6, 6)
    log10 = Scaled(flat, exponent[:, None] + exponent).log10
    for i, j in np.ndindex(6, 6):
        assert log10[i, j] == pytest.approx(naive.log10_of(wanted[i, j]), rel=1e-13, abs=1e-12)
        if i == j:
            size = naive.log10_of(wanted[i, i]) / 2 / np.log10(2)
            assert abs(found.sizes.reshape(-1)[i] - size) <= 1


def test_nothing_varies_before_an_edge_lies_behind_a_loss():
    found = AdjointCovariance(1, 2, slice(0, 2), Moments(1.0, 1.0))
    assert found.silent
    found.back(Scaled.of(np.ones((1, 2, 2))))
    assert found.silent
    found.receive(np.ones((1, 2)))
    assert not found.silent
    assert found.certain
    found.back(Scaled.of(np.ones((1, 2, 2))))
    assert not found.certain


def test_a_state_that_nothing_comes_from_has_no_size():
    found = AdjointCovariance(1, 2, slice(0, 2), Moments(1.0, 1.0))
    found.receive(np.ones((1, 2)))
    found.back(Scaled.of(np.array([[[1.0, 0.0], [1e-200, 0.0]]])))
    np.testing.assert_array_equal(found.sizes, [[1, NOTHING]])
    np.testing.assert_array_equal(found.covariance[0, 0], [[1.0, 0.0], [0.0, 0.0]])
