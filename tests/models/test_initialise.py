"""An untrained network starts as its recipe says."""

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.errors import InputError
from bpttcli.models.initialise import INITS, initialise, scaled_to_radius


def start(name, hidden=64, seed=0, cell="tanh", **options):
    rng = np.random.default_rng(seed)
    return initialise(cell_named(cell), rng, n_inputs=3, hidden=hidden, name=name, **options)


def B_of(name, **options):
    return start(name, **options).layers[0].B


def radius(B):
    return np.abs(np.linalg.eigvals(B)).max()


@pytest.mark.parametrize("name", INITS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_parameter_is_there_in_its_shape_for_every_layer(name, cell):
    net = start(name, hidden=5, cell=cell, layers=2, n_outputs=7)
    rows = 5 * len(net.cell.gates)
    assert {key: value.shape for key, value in net.parameters.items()} == {
        "weight_ih_l0": (rows, 3),
        "weight_hh_l0": (rows, 5),
        "bias_ih_l0": (rows,),
        "bias_hh_l0": (rows,),
        "weight_ih_l1": (rows, 5),
        "weight_hh_l1": (rows, 5),
        "bias_ih_l1": (rows,),
        "bias_hh_l1": (rows,),
        "readout.weight": (7, 5),
        "readout.bias": (7,),
    }


@pytest.mark.parametrize("name", INITS)
def test_without_outputs_there_is_no_readout(name):
    net = start(name, hidden=5)
    assert (net.C, net.c) == (None, None)


@pytest.mark.parametrize("name", INITS)
def test_the_same_seed_draws_the_same_network_and_another_seed_another(name):
    first, again, other = (start(name, hidden=5, seed=seed) for seed in (0, 0, 1))
    for key, value in first.parameters.items():
        np.testing.assert_array_equal(again.parameters[key], value)
    assert (other.layers[0].A != first.layers[0].A).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden", [1, 2, 16])
@pytest.mark.parametrize("gain", [1.0, 0.5, 2.0])
def test_orthogonal_keeps_every_length_times_the_gain_gate_by_gate(cell, hidden, gain):
    B = B_of("orthogonal", cell=cell, hidden=hidden, gain=gain)
    for block in np.split(B, len(B) // hidden):
        np.testing.assert_allclose(block @ block.T, gain**2 * np.eye(hidden), atol=1e-14)


def test_orthogonal_is_uniform_over_rotations_and_reflections():
    """Of 2 × 2 matrices half have determinant −1, and each entry has mean 0."""
    draws = np.array([B_of("orthogonal", hidden=2, seed=seed) for seed in range(400)])
    share = (np.linalg.det(draws) < 0).mean()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(400)  # 4 standard errors
    assert (np.abs(draws.mean(axis=0)) < 4 * np.sqrt(0.5 / 400)).all()


@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_identity_is_the_gain_on_the_diagonal(gain):
    np.testing.assert_array_equal(B_of("identity", hidden=4, gain=gain), gain * np.eye(4))


@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_gaussian_entries_have_the_gain_over_root_h_as_their_spread(gain):
    """The spread of 256² draws has a standard error of 0.3 %; the radius is the circular law's."""
    B = B_of("gaussian", hidden=256, gain=gain)
    assert B.std() * 16 == pytest.approx(gain, rel=0.012)
    assert abs(B.mean()) < 4 * gain / 16 / 256
    assert radius(B) == pytest.approx(gain, rel=0.1)


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_uniform_fills_the_interval_of_one_over_root_h(gain):
    net = start("uniform", gain=gain, n_outputs=50)
    for key, value in net.parameters.items():
        bound = (gain if "hh" in key and "weight" in key else 1.0) / 8
        assert np.abs(value).max() <= bound
        assert np.abs(value).max() > 0.9 * bound
        assert value.min() < 0 < value.max()


@pytest.mark.parametrize("name", ["gaussian", "orthogonal", "identity"])
def test_biases_start_at_zero_and_other_weights_at_the_same_spread(name):
    net = start(name, hidden=256, n_outputs=64)
    for key, value in net.parameters.items():
        if "bias" in key:
            assert not value.any()
    for weights in (net.layers[0].A, net.C):
        spread = weights.std() * 16
        assert spread == pytest.approx(1, abs=4 / np.sqrt(2 * weights.size))


@pytest.mark.parametrize("gain", [0.5, 3.0])
@pytest.mark.parametrize("name", INITS)
def test_the_gain_is_a_factor_on_b_alone(name, gain):
    plain, scaled = start(name, hidden=5), start(name, hidden=5, gain=gain)
    np.testing.assert_allclose(scaled.layers[0].B, gain * plain.layers[0].B, rtol=1e-14)
    np.testing.assert_array_equal(scaled.layers[0].A, plain.layers[0].A)


@pytest.mark.parametrize("name", INITS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("wanted", [0.0, 0.95, 1.0, 3.0])
def test_a_spectral_radius_holds_for_every_gate_of_every_layer(name, cell, wanted):
    net = start(name, hidden=8, cell=cell, layers=2, spectral_radius=wanted)
    for layer in net.layers:
        for block in np.split(layer.B, len(net.cell.gates)):
            assert radius(block) == pytest.approx(wanted, rel=1e-12)


def test_a_matrix_whose_radius_is_zero_cannot_be_scaled():
    with pytest.raises(InputError, match="cannot be reached: B has spectral radius 0") as caught:
        scaled_to_radius(np.eye(3, k=1), 0.9)
    assert caught.value.key == "model.init.spectral_radius"


def test_scaling_keeps_the_directions():
    B = np.random.default_rng(0).normal(size=(4, 4))
    scaled = scaled_to_radius(B, 0.9)
    assert radius(scaled) == pytest.approx(0.9, rel=1e-13)
    np.testing.assert_allclose(scaled / B, (scaled / B)[0, 0], rtol=1e-13)


@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize("name", ["gaussian", "orthogonal", "identity"])
def test_a_standard_deviation_takes_the_place_of_one_over_root_h(name, gain):
    """The same draws: each weight that had the spread 1/√H = 1/8 has it times 0.8."""
    plain, given = (start(name, n_outputs=7, gain=gain, std=std) for std in (None, 0.1))
    B = 0.8 * plain.layers[0].B if name == "gaussian" else plain.layers[0].B
    np.testing.assert_allclose(given.layers[0].B, B, rtol=1e-14)
    np.testing.assert_allclose(given.layers[0].A, 0.8 * plain.layers[0].A, rtol=1e-14)
    np.testing.assert_allclose(given.C, 0.8 * plain.C, rtol=1e-14)
    assert not given.layers[0].bias.any()


def test_uniform_has_no_weight_that_a_standard_deviation_is_of():
    with pytest.raises(InputError, match="no weight is normal") as caught:
        start("uniform", std=0.1)
    assert caught.value.key == "model.init.std"


def test_an_unknown_start_names_the_known():
    with pytest.raises(InputError, match="got 'ortogonal': did you mean 'orthogonal'") as caught:
        start("ortogonal")
    assert caught.value.key.startswith("model.init")
