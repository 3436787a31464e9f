"""The gradient in plain float64 is that of the sweep with exponents, wherever both exist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.losses import last_step
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.training.plain_gradient import gradient
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.registry import estimator_named
from tests.runs import close, mask_of, network, probe, random_parameters, readout_loss

STEPS, BATCH = 12, 3
MASKS = {
    "every": np.ones((STEPS, BATCH), dtype=bool),
    "last": last_step(STEPS, BATCH),
    "some": mask_of(STEPS, [3], [1, 12], [5, 6]),
}
ESTIMATORS = {
    "full": {},
    "fixed": {"length": 5},
    "sliding": {"length": 3},
    "randomized": {"probability": 0.3},
    "artbp": {"mean_length": 4.0},
}


def run(cell, *, layers=1, symbols=False, window=None, keep=None, seed=0):
    rng = np.random.default_rng(seed)
    kind = cell_named(cell)
    parameters = random_parameters(rng, len(kind.gates), layers=layers, outputs=2)
    net = Network.from_parameters(kind, parameters)
    x = rng.integers(0, 3, (STEPS, BATCH)) if symbols else rng.normal(size=(STEPS, BATCH, 3))
    return unroll(net, x, window=window, keep=keep), rng


def objective_for(name, mask, rng):
    y = rng.integers(0, 2, (STEPS, BATCH)) if name == "cross_entropy" else None
    y = rng.normal(size=(STEPS, BATCH, 2)) if y is None else y
    return readout_loss(name, y, mask)


def agree(found, wanted):
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-14)
    assert list(found.gradient) == list(wanted.gradient)
    for name, value in wanted.gradient.items():
        close(found.gradient[name].value, value.value, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
@pytest.mark.parametrize("window", [None, 5])
def test_both_ways_agree_for_every_cell_loss_and_mask(cell, mask, name, window):
    trajectory, rng = run(cell, layers=2, window=window)
    objective = objective_for(name, mask, rng)
    agree(gradient(trajectory, objective), estimate(trajectory, objective))


@pytest.mark.parametrize(("name", "keys"), ESTIMATORS.items(), ids=ESTIMATORS)
@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_both_ways_agree_for_every_truncation(name, keys, cell):
    trajectory, rng = run(cell, layers=2, window=5, keep=False)
    objective = objective_for("mse", MASKS["every"], rng)
    targets = np.ones(STEPS, dtype=bool)
    edges = estimator_named(name, **keys).edges(targets, np.random.default_rng(1))
    agree(gradient(trajectory, objective, edges), estimate(trajectory, objective, edges))


@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(list(CELLS)),
    layers=st.integers(1, 3),
    symbols=st.booleans(),
    window=st.integers(1, STEPS),
    seed=st.integers(0, 2**16),
)
def test_both_ways_agree_for_symbols_stacks_and_windows(cell, layers, symbols, window, seed):
    trajectory, rng = run(cell, layers=layers, symbols=symbols, window=window, seed=seed)
    mask = rng.random((STEPS, BATCH)) < 0.4
    mask[0] = True
    objective = objective_for("cross_entropy", mask, rng)
    agree(gradient(trajectory, objective), estimate(trajectory, objective))


def test_a_network_without_a_readout_has_none():
    net = network("tanh", [[1.0], [0.5]], [[0.5, 0.1], [0.0, 0.3]])
    x = np.ones((4, 2, 1))
    found = gradient(unroll(net, x), probe(net, x))
    assert list(found.gradient) == ["weight_ih_l0", "weight_hh_l0"]
    agree(found, estimate(unroll(net, x), probe(net, x)))


def test_what_leaves_the_range_on_the_way_is_done_again_with_exponents():
    """Adjoints of 10^399 at the first step, where nothing was fed: the gradient is finite."""
    net = network("linear", 1.0, 10.0)
    x = np.zeros((400, 1, 1))
    x[-1] = 1.0
    found = gradient(unroll(net, x), probe(net, x))
    agree(found, estimate(unroll(net, x), probe(net, x)))
    assert found.gradient["weight_ih_l0"].value == 1.0


def test_a_gradient_beyond_float64_keeps_its_exponent():
    net = network("linear", 1.0, 10.0)
    x = np.zeros((400, 1, 1))
    x[0] = 1e-290
    found = gradient(unroll(net, x), probe(net, x)).gradient["weight_ih_l0"]
    assert found.log10 == pytest.approx(399 - 290, abs=1e-9)
