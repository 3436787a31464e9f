"""A network takes parameters under PyTorch's names, and refuses those that make no network."""

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.errors import InputError
from tests.runs import random_parameters

TWO_LAYERS = random_parameters(np.random.default_rng(0), layers=2, outputs=5)


class Gated:
    """A cell of four gates, of which only the number counts here."""

    gates = ("i", "f", "g", "o")


def network(cell=None, **changes):
    """The two layers with some parameters replaced, or left out where they are None."""
    named = {**TWO_LAYERS, **{key.replace("__", "."): value for key, value in changes.items()}}
    given = {name: value for name, value in named.items() if value is not None}
    return Network.from_parameters(cell or cell_named("tanh"), given)


def test_parameters_go_in_and_come_out_under_the_same_names_in_pytorchs_order():
    parameters = network().parameters
    assert list(parameters) == list(TWO_LAYERS)
    for name, value in TWO_LAYERS.items():
        np.testing.assert_array_equal(parameters[name], value)


def test_sizes_are_those_of_the_arrays():
    net = network()
    assert (net.n_inputs, net.n_outputs, len(net.layers)) == (3, 5, 2)
    assert [layer.hidden for layer in net.layers] == [4, 4]


@pytest.mark.parametrize("absent", ["bias_ih_l0", "bias_hh_l0", "bias_hh_l1", "readout__bias"])
def test_a_bias_may_be_missing(absent):
    assert absent.replace("__", ".") not in network(**{absent: None}).parameters


def test_a_readout_may_be_missing():
    net = network(readout__weight=None, readout__bias=None)
    assert (net.C, net.c, net.n_outputs) == (None, None, None)


def test_layers_may_differ_in_width():
    net = network(
        weight_ih_l1=np.ones((2, 4)),
        weight_hh_l1=np.ones((2, 2)),
        bias_ih_l1=np.ones(2),
        bias_hh_l1=np.ones(2),
        readout__weight=np.ones((5, 2)),
    )
    assert [layer.hidden for layer in net.layers] == [4, 2]


def test_a_gated_cell_has_one_block_of_rows_a_gate():
    parameters = random_parameters(np.random.default_rng(0), gates=4)
    assert Network.from_parameters(Gated(), parameters).layers[0].hidden == 4


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, np.uint8, np.bool_])
def test_parameters_become_float64_that_nobody_can_change(dtype):
    given = np.ones((4, 4), dtype=dtype)
    B = network(weight_hh_l0=given).layers[0].B
    assert B.dtype == np.float64
    given[0, 0] = 0
    assert B[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        B[0, 0] = 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_hh_l0": None}, "has no weight_hh_l0"),
        ({"weight_ih_l1": None}, "has no weight_ih_l1"),
        ({"weight_ih_l3": np.ones((4, 4))}, "has no weight_ih_l2"),
        (
            {"weight_hh_10": np.ones((4, 4))},
            r"has no place for 'weight_hh_10': did you mean 'weight_hh_l0'\?",
        ),
        ({"weight_hh_l01": np.ones((4, 4))}, "has no place for 'weight_hh_l01'"),
        (
            {"weight_hh_l0": np.ones((4, 3))},
            r"weight_hh_l0 must have the shape \(H, H\) of this cell, got \(4, 3\)",
        ),
        ({"weight_hh_l0": np.ones(4)}, r"weight_hh_l0 must have the shape \(H, H\)"),
        ({"weight_hh_l0": np.ones((0, 0))}, r"got \(0, 0\)"),
        (
            {"weight_ih_l0": np.ones((3, 3))},
            r"weight_ih_l0 must have the shape \(4, any\) \(one row a row of B\), got \(3, 3\)",
        ),
        ({"weight_ih_l0": np.ones((4, 0))}, r"weight_ih_l0 must have the shape \(4, any\)"),
        (
            {"weight_ih_l1": np.ones((4, 3))},
            r"weight_ih_l1 must have the shape \(4, 4\) \(4 units in the layer below\)",
        ),
        (
            {"bias_hh_l1": np.ones(3)},
            r"bias_hh_l1 must have the shape \(4,\) \(one entry a row of B\), got \(3,\)",
        ),
        ({"bias_ih_l0": np.ones((4, 1))}, r"bias_ih_l0 must have the shape \(4,\)"),
        (
            {"readout__weight": np.ones((5, 3))},
            r"readout.weight must have the shape \(any, 4\) \(one column a hidden unit\)",
        ),
        ({"readout__bias": np.ones(4)}, r"readout.bias must have the shape \(5,\)"),
        ({"readout__weight": None}, "has readout.bias without readout.weight"),
        (
            {"bias_ih_l0": [0, 1, np.nan, 0]},
            r"bias_ih_l0 must be finite, got nan at index \(2,\)",
        ),
        (
            {"weight_hh_l1": -np.inf * np.ones((4, 4))},
            r"weight_hh_l1 must be finite, got -inf at index \(0, 0\)",
        ),
        ({"bias_ih_l0": np.ones(4) * 1j}, "bias_ih_l0 must hold real numbers, got complex128"),
        ({"bias_ih_l0": list("abcd")}, "bias_ih_l0 must hold real numbers, got <U1"),
        ({"bias_ih_l0": np.array([None] * 4)}, "bias_ih_l0 must hold real numbers, got object"),
    ],
)
def test_what_makes_no_network_is_refused_by_name(changes, message):
    with pytest.raises(InputError, match=message):
        network(**changes)


def test_what_float64_cannot_hold_is_refused_without_a_warning():
    wide = np.full(4, np.finfo(np.longdouble).max)
    if wide.dtype.itemsize == 8:
        pytest.skip("long double is no wider than float64 here")
    with pytest.raises(InputError, match="must be finite, got inf"):
        network(bias_ih_l0=wide)


def test_the_rows_of_a_gated_cell_are_counted():
    with pytest.raises(InputError, match=r"must have the shape \(4·H, H\) of this cell"):
        network(Gated())


def test_no_parameters_are_no_network():
    with pytest.raises(InputError, match="has no weight_ih_l0"):
        Network.from_parameters(cell_named("tanh"), {})
