"""The step that made an entry of a gradient no number."""

import numpy as np
import pytest

from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.first_not_finite import first_not_finite
from bpttcli.truncation.registry import estimator_named
from tests.runs import mask_of, network, probe, readout_loss, silence

STEPS = 9
BIASES = {"bias_ih_l0": np.zeros(1), "bias_hh_l0": np.zeros(1)}
READOUT = {"readout.weight": np.ones((1, 1)), "readout.bias": np.zeros(1)}


def overflowing(batch=1, window=None, **more):
    """One linear unit without input, h_t = 1e(100 t): float64 ends before step 4."""
    net = network("linear", 0.0, 1e100, **BIASES, **READOUT, **more)
    start = tuple((np.ones((batch, 1)),) for _ in net.layers)
    return unroll(net, silence(STEPS, batch), start, window=window)


def squared_error(*steps):
    return readout_loss("mse", np.zeros((STEPS, 1, 1)), mask_of(STEPS, steps))


def agrees(trajectory, objective, edges, name, index, step):
    """The step is found, and the entry is finite where there is none."""
    assert first_not_finite(trajectory, objective, edges, name, index) == step
    entry = estimate(trajectory, objective, edges).gradient[name].mantissa[index]
    assert np.isfinite(entry) == (step is None)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("window", [None, 1, 2, 4])
@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("weight_hh_l0", 5),
        ("weight_ih_l0", None),
        ("bias_ih_l0", None),
        ("bias_hh_l0", None),
        ("readout.weight", None),
        ("readout.bias", None),
    ],
)
def test_a_state_that_overflows_spoils_what_is_fed_it(name, step, window, batch):
    """The probe's way back stays finite: B alone is fed the state, that of step 4 at step 5."""
    trajectory = overflowing(batch, window)
    index = (0, 0) if "weight" in name else (0,)
    agrees(trajectory, probe(trajectory.network, trajectory.x), None, name, index, step)


@pytest.mark.parametrize(
    ("name", "index", "step"),
    [
        ("bias_ih_l0", (0,), 1),
        ("weight_hh_l0", (0, 0), 1),
        ("readout.bias", (0,), 6),
        ("readout.weight", (0, 0), 4),
    ],
)
def test_an_infinite_loss_spoils_every_step_that_it_reaches(name, index, step):
    """And 0 times the infinite states of steps 4 and 5 is no number either."""
    agrees(overflowing(), squared_error(6), None, name, index, step)


def test_nothing_crosses_a_cut_not_even_what_is_no_number():
    factor = np.ones(STEPS)
    factor[2] = 0.0
    agrees(overflowing(), squared_error(6), Factors(factor), "bias_ih_l0", (0,), 3)


def test_rows_of_windows_that_overlap_are_seen_as_one():
    """The losses of steps 4 and 6 are infinite and go back to steps 2 and 4."""
    estimator = estimator_named("sliding", length=3)
    edges = estimator.edges(mask_of(STEPS, [4, 6])[:, 0], np.random.default_rng(0))
    assert edges.rows == 2
    agrees(overflowing(), squared_error(4, 6), edges, "bias_ih_l0", (0,), 2)
    agrees(overflowing(), squared_error(4, 6), edges, "readout.bias", (0,), 4)


def test_a_symbol_spoils_its_own_column_alone():
    net = network("linear", np.zeros((1, 3)), 1.0)
    symbols = np.array([[2], [0], [2], [0]])
    objective = probe(net, symbols, vector=np.inf)
    for column, step in ((0, 2), (1, None), (2, 1)):
        agrees(unroll(net, symbols), objective, None, "weight_ih_l0", (0, column), step)


def test_a_higher_layer_is_spoiled_by_the_one_below():
    """Layer 0 overflows at step 4, layer 1 with it; 0 times that is no number."""
    above = {"weight_ih_l1": np.ones((1, 1)), "weight_hh_l1": np.zeros((1, 1))}
    trajectory = overflowing(**above, bias_ih_l1=np.zeros(1))
    objective = probe(trajectory.network, trajectory.x)
    agrees(trajectory, objective, None, "weight_ih_l1", (0, 0), 4)
    agrees(trajectory, objective, None, "weight_hh_l1", (0, 0), 5)
    agrees(trajectory, objective, None, "bias_ih_l1", (0,), None)
