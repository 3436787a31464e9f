"""Both sides in one result."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.network_spectrum import (
    block_spectra,
    leaky,
    log_spectral_radius,
    network_spectrum,
)
from bpttcli.diagnostics.trajectory_spectrum import trajectory_spectrum
from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import unroll
from bpttcli.errors import InputError
from tests.runs import network, random_parameters, silence, stack


def examine(net, steps=200, **more):
    start = tuple(
        tuple(np.random.default_rng(0).normal(size=(1, layer.hidden)) for _ in net.cell.states)
        for layer in net.layers
    )
    trajectory = unroll(net, silence(steps, inputs=net.n_inputs), start)
    followed = trajectory_spectrum(
        trajectory, Scaled.of(np.ones(steps)), np.random.default_rng(0), **more
    )
    return network_spectrum(net, block_spectra(net), followed)


def test_every_layer_and_gate_has_its_block():
    parameters = random_parameters(np.random.default_rng(0), 4, layers=2)
    net = Network.from_parameters(cell_named("lstm"), parameters)
    blocks = block_spectra(net, powers=[3])
    assert [(block.layer, block.gate) for block in blocks] == [
        (layer, gate) for layer in (0, 1) for gate in "ifgo"
    ]
    forget = parameters["weight_hh_l1"][4:8]
    assert blocks[5].spectrum.spectral_norm == pytest.approx(np.linalg.norm(forget, 2))
    assert log_spectral_radius(blocks) is None


def test_the_spectral_radius_of_a_stack_is_the_largest():
    net = stack("tanh", [([[1.0]], [[0.5]]), ([[1.0]], [[-0.9]])])
    assert log_spectral_radius(block_spectra(net)) == pytest.approx(math.log(0.9))
    dead = stack("tanh", [([[1.0]], [[0.0]])])
    assert log_spectral_radius(block_spectra(dead)) == -math.inf


def test_a_leaky_unit_counts_with_1_minus_a_and_a_times_B():
    B = np.array([[0.0, -2.0], [2.0, 0.0]])
    np.testing.assert_allclose(leaky(B, 0.25), [[0.75, -0.5], [0.5, 0.75]])
    assert leaky(B, None) is B
    blocks = block_spectra(network("tanh", np.zeros((2, 1)), B), leak=0.25)
    # |1 − a + a·2i|
    assert blocks[0].spectrum.spectral_radius == pytest.approx(abs(0.75 + 0.5j))


@pytest.mark.parametrize("leak", [0.0, -0.1, 1.5, math.nan, math.inf])
def test_a_leak_is_a_share(leak):
    with pytest.raises(InputError, match="above 0 and at most 1") as error:
        leaky(np.eye(2), leak)
    assert error.value.key == "leak"


def test_a_gated_cell_does_not_leak():
    parameters = random_parameters(np.random.default_rng(0), 3)
    net = Network.from_parameters(cell_named("gru"), parameters)
    with pytest.raises(InputError, match="a gru cell has gates"):
        block_spectra(net, leak=0.5)


def test_the_rule_is_judged_of_this_very_run():
    decays = network("linear", np.zeros((2, 1)), [[0.9, 10.0], [0.0, 0.8]])
    result = examine(decays)
    assert result.rule.holds is True
    assert "‖B^k‖ first grows to" in result.rule.sentence
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(20, 20)))[0]
    saturates = network("tanh", np.zeros((20, 1)), 1.02 * rotation)
    assert examine(saturates, steps=400).rule.holds in (False, None)
    assert examine(decays, exponents=0).rule is None


def test_what_was_skipped_is_said_with_the_next_step():
    net = network("linear", np.zeros((501, 1)), np.eye(501))
    followed = trajectory_spectrum(
        unroll(net, silence(2)), Scaled.of(np.ones(2)), np.random.default_rng(0), exponents=0
    )
    blocks = block_spectra(net, top=1)
    (warning,) = network_spectrum(net, blocks, followed).warnings
    assert "--full computes them" in warning
