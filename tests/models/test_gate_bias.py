"""A gated cell remembers from the start as far as its carry gate's bias says."""

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.errors import InputError
from bpttcli.models.initialise import initialise

GATED = [name for name in CELLS if cell_named(name).carry]
HIDDEN = 4


def start(cell, *, hidden=HIDDEN, **options):
    rng = np.random.default_rng(0)
    return initialise(cell_named(cell), rng, n_inputs=3, hidden=hidden, n_outputs=2, **options)


def by_gate(layer, cell):
    """Both biases of each gate, and their sum, which is what counts."""
    blocks = [np.split(bias, len(cell.gates)) for bias in (layer.bias_ih, layer.bias_hh)]
    return {gate: (ih, hh, ih + hh) for gate, ih, hh in zip(cell.gates, *blocks, strict=True)}


@pytest.mark.parametrize("cell", GATED)
@pytest.mark.parametrize("name", ["gaussian", "uniform"])
def test_the_biases_of_the_carry_gate_add_up_to_the_number_given(cell, name):
    net = start(cell, name=name, forget_bias=1.5, layers=2)
    for layer in net.layers:
        _, hh, effective = by_gate(layer, net.cell)[net.cell.carry]
        np.testing.assert_array_equal(effective, np.full(HIDDEN, 1.5))
        np.testing.assert_array_equal(hh, np.zeros(HIDDEN))


@pytest.mark.parametrize(("cell", "block"), [("lstm", slice(4, 8)), ("gru", slice(4, 8))])
def test_the_carry_gate_is_the_second_block(cell, block):
    """PyTorch's i, f, g, o and r, z, n: [H:2H] in both."""
    bias = start(cell, forget_bias=1.0).layers[0].bias_ih
    assert np.flatnonzero(bias).tolist() == list(range(block.start, block.stop))


@pytest.mark.parametrize("cell", GATED)
@pytest.mark.parametrize("option", [{"forget_bias": 2.0}, {"chrono": 50.0}])
def test_all_else_is_as_it_is_without(cell, option):
    plain, biased = (start(cell, name="uniform", layers=2, **more) for more in ({}, option))
    set_here = {biased.cell.carry} | ({biased.cell.entry} if "chrono" in option else set())
    for before, after in zip(plain.layers, biased.layers, strict=True):
        np.testing.assert_array_equal(after.A, before.A)
        np.testing.assert_array_equal(after.B, before.B)
        was, now = by_gate(before, plain.cell), by_gate(after, plain.cell)
        for gate in plain.cell.gates:
            assert (now[gate][2] == was[gate][2]).all() == (gate not in set_here)
    np.testing.assert_array_equal(biased.C, plain.C)


@pytest.mark.parametrize("cell", GATED)
def test_chrono_spreads_memories_evenly_up_to_the_time_scale(cell):
    """b = ln u, u ~ U(1, 99): mean 50, standard deviation 98/√12; 4 standard errors of 900."""
    net = start(cell, hidden=900, chrono=100.0)
    memory = np.exp(by_gate(net.layers[0], net.cell)[net.cell.carry][2])
    assert 1 <= memory.min() < 2
    assert 98 < memory.max() <= 99
    assert abs(memory.mean() - 50) < 4 * 98 / np.sqrt(12 * 900)


def test_chrono_opens_an_lstms_input_gate_as_little_as_its_forget_gate_forgets():
    gates = by_gate(start("lstm", chrono=100.0).layers[0], cell_named("lstm"))
    np.testing.assert_array_equal(gates["i"][2], -gates["f"][2])


def test_the_shortest_time_scale_is_an_even_chance():
    """U(1, 1) is 1, and σ(ln 1) = ½."""
    gates = by_gate(start("gru", chrono=2.0).layers[0], cell_named("gru"))
    np.testing.assert_array_equal(gates["z"][2], np.zeros(HIDDEN))


@pytest.mark.parametrize("option", ["forget_bias", "chrono"])
@pytest.mark.parametrize("cell", sorted(set(CELLS) - set(GATED)))
def test_a_cell_without_a_carry_gate_is_refused(cell, option):
    with pytest.raises(InputError, match=f"a {cell} cell has no gate that carries") as caught:
        start(cell, **{option: 3.0})
    assert caught.value.key == f"model.init.{option}"
    assert "lstm, gru" in str(caught.value)
