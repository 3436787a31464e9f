"""Parameters are named as in the equations."""

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.report.symbols import symbol_of
from tests.runs import random_parameters


def net(cell="tanh", layers=1, gates=1, without=()):
    parameters = random_parameters(np.random.default_rng(0), gates, layers=layers, outputs=2)
    kept = {name: value for name, value in parameters.items() if name not in without}
    return Network.from_parameters(cell_named(cell), kept)


@pytest.mark.parametrize(
    ("name", "letter", "delta", "fed", "used"),
    [
        ("weight_ih_l0", "A", "∂L/∂a_{t}", "x_{t}", "a_{t}"),
        ("weight_hh_l0", "B", "∂L/∂a_{t}", "h_{before}", "a_{t}"),
        ("bias_ih_l0", "b_ih", "∂L/∂a_{t}", "", "a_{t}"),
        ("bias_hh_l0", "b_hh", "∂L/∂a_{t}", "", "a_{t}"),
        ("readout.weight", "C", "∂L/∂o_{t}", "h_{t}", "o_{t}"),
        ("readout.bias", "c", "∂L/∂o_{t}", "", "o_{t}"),
    ],
)
def test_a_letter_and_the_factors_of_its_term(name, letter, delta, fed, used):
    symbol = symbol_of(name, net())
    found = (symbol.letter, symbol.delta, symbol.fed, symbol.used_in)
    assert found == (letter, delta, fed, used)


def test_one_bias_alone_is_b():
    assert symbol_of("bias_hh_l0", net(without=["bias_ih_l0"])).letter == "b"


def test_layers_are_told_apart():
    network = net(layers=2)
    assert symbol_of("weight_ih_l1", network).letter == "A of layer 1"
    assert symbol_of("weight_ih_l1", network).fed == "u_{t}"
    assert symbol_of("readout.weight", network).letter == "C"


def test_the_recurrent_product_of_a_gru_has_its_own_delta():
    network = net("gru", gates=3)
    assert symbol_of("weight_hh_l0", network).delta == "∂L/∂(B h)_{t}"
    assert symbol_of("weight_ih_l0", network).delta == "∂L/∂a_{t}"


def test_every_parameter_has_a_role_of_its_own_line():
    network = net()
    assert all(symbol_of(name, network).role for name in network.parameters)
