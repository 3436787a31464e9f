"""Trained parameters as one row of numbers behind a network."""

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from bpttcli.errors import InputError
from bpttcli.training.parameters import Parameters
from tests.runs import random_parameters

RNG = np.random.default_rng


@pytest.fixture
def network():
    parameters = random_parameters(RNG(0), layers=2, outputs=2)
    return Network.from_parameters(cell_named("tanh"), parameters)


def test_whoever_changes_the_row_changes_the_network_and_no_other(network):
    row = Parameters(network)
    before = {name: value.copy() for name, value in network.parameters.items()}
    row.theta += 1.0
    for name, value in row.network.parameters.items():
        np.testing.assert_array_equal(value, before[name] + 1.0)
        np.testing.assert_array_equal(network.parameters[name], before[name])


def test_what_is_frozen_is_not_in_the_row(network):
    row = Parameters(network, ["weight_hh_l1", "readout.bias"])
    assert row.size == network.parameters["weight_hh_l1"].size + 2
    row.theta[...] = 0.0
    for name, value in row.network.parameters.items():
        trained = name in ("weight_hh_l1", "readout.bias")
        assert np.array_equal(value, network.parameters[name]) is not trained


def test_a_gradient_is_laid_out_as_the_parameters_are(network):
    row = Parameters(network, ["bias_ih_l0", "weight_hh_l0"])
    g = np.empty(row.size)
    row.gather({name: Scaled.of(value) for name, value in network.parameters.items()}, g)
    np.testing.assert_array_equal(g, row.theta)


def test_an_index_of_the_row_is_an_entry_of_a_parameter(network):
    row = Parameters(network)
    for index in (0, 5, row.size - 1):
        name, entry = row.place(index)
        assert row.network.parameters[name][entry] == row.theta[index]


def test_parameters_go_out_and_come_back(network):
    row, other = Parameters(network), Parameters(network)
    row.theta *= 2.0
    other.load(row.copies())
    np.testing.assert_array_equal(other.theta, row.theta)


def test_parameters_of_another_network_are_refused(network):
    smaller = Network.from_parameters(cell_named("tanh"), random_parameters(RNG(0)))
    with pytest.raises(InputError, match="another network"):
        Parameters(network).load(smaller.parameters)


def test_an_unknown_parameter_gets_the_nearest(network):
    with pytest.raises(InputError, match="did you mean 'weight_hh_l1'") as caught:
        Parameters(network, ["weight_hh_l2"])
    assert caught.value.key == "train.only"
