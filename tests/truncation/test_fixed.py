"""fixed(K): segments that the gradient does not leave."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from tests.runs import close, last_step, network, probe, readout_loss, silence
from tests.truncation.cases import every, flat, run, runs, targets

FILES = sorted((Path(__file__).parents[1] / "reference").glob("*.npz"))


def fixed(trajectory, objective, length):
    edges = Fixed(length).mean(targets(objective))
    return estimate(trajectory, objective, edges).gradient


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_is_that_of_automatic_differentiation_with_the_state_detached(path):
    reference = np.load(path)
    cell, _, loss, at = path.stem.split("-")
    named = {name[6:]: reference[name] for name in reference.files if name.startswith("param/")}
    net = Network.from_parameters(cell_named(cell), named)
    x, h0 = reference["x"], reference["h0"]
    steps, batch = x.shape[:2]
    start = tuple((h, np.zeros_like(h)) if cell == "lstm" else (h,) for h in h0)
    mask = last_step(steps, batch) if at == "last" else np.ones((steps, batch), dtype=bool)
    y = reference["y"]
    y = y if len(y) == steps and y.shape[1] == batch else y[None]
    objective = readout_loss(loss, y, mask)
    trajectory = unroll(net, x, start)
    compared = 0
    for name in reference.files:
        if name.startswith("trunc") and name.split("/")[2] in named:
            found = fixed(trajectory, objective, int(name.split("/")[0][5:]))
            close(found[name.split("/")[2]].value, reference[name])
            compared += 1
    assert compared >= 3 * 4


@pytest.mark.parametrize(
    ("length", "gradient"), [(1, 0.036), (2, 0.036), (3, 0.108), (10000, 0.108)]
)
def test_a_scalar_by_hand(length, gradient):
    """h_t = 0.2 h_{t-1} from 0.9, ℓ = h_3; with K = 2 step 3 is a segment of its own."""
    net = network("linear", 0.0, 0.2)
    trajectory = unroll(net, silence(3), ((np.array([[0.9]]),),))
    found = fixed(trajectory, probe(net, silence(3)), length)
    assert found["weight_hh_l0"].value[0, 0] == pytest.approx(gradient, rel=1e-14)


@given(runs(), st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_a_segment_as_long_as_the_sequence_is_the_exact_gradient_bit_for_bit(given_run, more):
    trajectory, objective = given_run
    exact = flat(estimate(trajectory, objective).gradient)
    found = flat(fixed(trajectory, objective, trajectory.steps + more))
    np.testing.assert_array_equal(found, exact)


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("length", [1, 2, 3, 5, 7])
def test_it_is_the_sum_over_segments_that_are_run_by_themselves(cell, length):
    """The state passes on, as the start of the next segment."""
    trajectory, objective = run(cell, layers=2, mask=every())
    net, x, start = trajectory.network, trajectory.x, trajectory.start
    total = 0.0
    for first in range(0, trajectory.steps, length):
        last = min(first + length, trajectory.steps)
        piece = unroll(net, x[first:last], start)
        part = type(objective)(objective.y[first:last], objective.weights[first:last])
        total = total + flat(estimate(piece, part).gradient)
        start = piece.end()
    close(flat(fixed(trajectory, objective, length)), total, rtol=1e-13)
