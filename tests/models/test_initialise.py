"""Where an untrained network starts."""

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.errors import InputError
from bpttcli.models.initialise import INITS, initialise, scaled_to_radius


def start(name="gaussian", cell="tanh", **more):
    sizes = {"n_inputs": 3, "hidden": 200, "n_outputs": 2} | more
    return initialise(cell_named(cell), np.random.default_rng(1), name=name, **sizes)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", INITS)
def test_every_start_fits_every_cell(cell, name):
    net = start(name, cell, hidden=7, layers=2)
    assert net.layers[1].A.shape == net.layers[1].B.shape == (7 * len(net.cell.gates), 7)


def test_a_gaussian_start_has_variance_gain_squared_over_h():
    """A sample deviation of 40,000 numbers stands within 1 %, three standard errors."""
    assert start(gain=2.0).layers[0].B.std() == pytest.approx(2 / np.sqrt(200), rel=0.011)


def test_a_uniform_start_is_pytorchs():
    net = start("uniform")
    for name, value in net.parameters.items():
        assert np.abs(value).max() <= 1 / np.sqrt(200), name
    assert np.abs(net.layers[0].B).max() > 0.999 / np.sqrt(200)


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_an_orthogonal_start_is_orthogonal_gate_by_gate(cell):
    net = start("orthogonal", cell, hidden=20, gain=1.5)
    for block in np.split(net.layers[0].B, len(net.cell.gates)):
        np.testing.assert_allclose(block @ block.T, 2.25 * np.eye(20), atol=1e-14)


def test_an_identity_start_is_the_identity():
    np.testing.assert_array_equal(start("identity", gain=0.5).layers[0].B, 0.5 * np.eye(200))


def test_the_spectral_radius_is_what_was_asked_for():
    B = start(spectral_radius=0.8, hidden=30).layers[0].B
    assert np.abs(np.linalg.eigvals(B)).max() == pytest.approx(0.8, rel=1e-12)


def test_a_matrix_of_spectral_radius_zero_cannot_be_scaled():
    with pytest.raises(InputError, match="spectral radius 0"):
        scaled_to_radius(np.array([[0.0, 1.0], [0.0, 0.0]]), 1.0)


def test_an_unknown_start_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'identity'"):
        start("identty")
