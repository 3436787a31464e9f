"""The sweep through windows of one step is the sweep."""

import numpy as np
import pytest

from bpttcli.diagnostics.step_sweep import step_sources, sweep_by_step, whole_window
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from tests.runs import probe, random_parameters

GATES = {"lstm": 4, "gru": 3}


def run(cell, window=None, keep=None):
    rng = np.random.default_rng(1)
    parameters = random_parameters(rng, GATES.get(cell, 1), layers=2)
    network = Network.from_parameters(cell_named(cell), parameters)
    trajectory = unroll(network, rng.normal(size=(6, 2, 3)), window=window, keep=keep)
    objective = probe(network, trajectory.x, np.ones((6, 2), dtype=bool))
    return trajectory, objective


@pytest.mark.parametrize("cell", CELLS)
def test_its_adjoints_are_those_of_backpropagation(cell):
    trajectory, objective = run(cell)
    network, whole = trajectory.network, whole_window(trajectory)
    sources = step_sources(objective.source, network, whole)
    hidden = [source.hidden[0][None] for source in sources]
    parts = sweep_by_step(network, whole, hidden, np.ones((6, 1)))
    wanted = backpropagate(trajectory, objective, keep_adjoints=True)
    for part, layer in zip(parts, wanted.layers, strict=True):
        for one, all_at_once in zip(part.adjoint, layer.adjoint, strict=True):
            np.testing.assert_allclose(one.value[:, 0], all_at_once.value, rtol=1e-13, atol=1e-16)
    losses = [source.loss for source in sources]
    np.testing.assert_allclose(np.sum(losses, axis=0), wanted.loss, rtol=1e-14)


@pytest.mark.parametrize("keep", [True, False])
def test_a_trajectory_in_windows_is_put_together(keep):
    whole, joined = (whole_window(run("lstm", *how)[0]) for how in ((None, None), (4, keep)))
    for one, other in zip(whole.tapes, joined.tapes, strict=True):
        for kind in ("states", "slopes", "gates"):
            for a, b in zip(getattr(one, kind), getattr(other, kind), strict=True):
                np.testing.assert_array_equal(a, b)


def test_one_step_has_the_state_before_and_after_it():
    whole = whole_window(run("tanh")[0])
    window = whole.part(2, 3)
    assert (window.start, window.stop) == (2, 3)
    np.testing.assert_array_equal(window.tapes[0].states[0], whole.tapes[0].states[0][2:4])


def test_what_arrives_is_what_the_next_step_sent_through_its_edge():
    """Halving every edge halves what arrives; a cut lets nothing pass."""
    trajectory, objective = run("tanh")
    network, whole = trajectory.network, whole_window(trajectory)
    hidden = [None] * 5 + [np.stack([objective.vector] * 3)]
    edges = np.tile([1.0, 0.5, 0.0], (6, 1))
    top = sweep_by_step(network, whole, hidden, edges)[-1]
    arrived = top.arriving[0].value
    assert np.abs(arrived[4, 0]).min() > 0
    np.testing.assert_array_equal(arrived[4, 1], 0.5 * arrived[4, 0])
    np.testing.assert_array_equal(arrived[4, 2], 0.0)
    np.testing.assert_array_equal(arrived[5], 0.0)


@pytest.mark.parametrize("cell", CELLS)
def test_rows_are_added_up_in_groups(cell):
    """By linearity: what each of two rows says of every step adds up to what their group says."""
    trajectory, objective = run(cell)
    network, whole = trajectory.network, whole_window(trajectory)
    said = np.stack([objective.vector, 2 * objective.vector, -objective.vector])
    hidden = [None, None, said, None, None, said]
    edges = np.tile([1.0, 0.5, 0.0], (6, 1))
    apart = sweep_by_step(network, whole, hidden, edges)
    grouped = sweep_by_step(network, whole, hidden, edges, (2, 1))
    for one, other in zip(apart, grouped, strict=True):
        pairs = [(one.delta, other.delta), (one.own, other.own)]
        pairs += [*zip(one.adjoint, other.adjoint, strict=True)]
        pairs += [*zip(one.arriving, other.arriving, strict=True)]
        for rows, groups in pairs:
            wanted = np.stack([rows.value[:, :2].sum(axis=1), rows.value[:, 2]], axis=1)
            np.testing.assert_allclose(groups.value, wanted, rtol=1e-13, atol=1e-16)
