"""Stacked layers pass adjoints down, each with a range of its own."""

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.sweep_layer import Flow
from bpttcli.engine.unroll import unroll
from tests import naive
from tests.runs import network, random_parameters, silence, stack

STEPS = 60


def through(net, x, hidden, *, window=None, edges=None):
    """Sweep all windows; log10 of the norms of each layer, (T, R, N)."""
    trajectory = unroll(net, x, window=window)
    sweep = Sweep(net, x.shape[1], hidden.shape[1])
    norms = [[] for _ in net.layers]
    for part in trajectory.windows():
        span = slice(part.start, part.stop)
        entering = hidden[span] if hidden[span].any() else None
        swept = sweep.through(part, entering, None if edges is None else edges[span])
        for logs, layer in zip(norms, swept, strict=True):
            logs.insert(0, layer.norm[0].log10)
    return [np.concatenate(logs) for logs in norms]


def last(steps, vector, rows=1):
    """What enters the top layer at the last step alone."""
    hidden = np.zeros((steps, rows, 1, len(vector)))
    hidden[-1] = vector
    return hidden


@pytest.mark.parametrize("window", [None, 1, 7])
@pytest.mark.parametrize(
    "b",
    [(1e20, 1e-20), (1e-20, 1e20), (1e-20, 1e-20), (1e20, 1e20), (0.0, 1e-20), (1e-20, 0.0)],
    ids=str,
)
def test_one_layer_may_explode_and_the_other_vanish(b, window):
    """Two units a layer with positive weights: nothing cancels, every digit is comparable."""
    rng = np.random.default_rng(0)
    layers = [
        (rng.uniform(0.5, 1, size=(2, 2)), size * rng.uniform(0.5, 1, size=(2, 2))) for size in b
    ]
    found = through(
        stack("linear", layers), silence(STEPS, inputs=2), last(STEPS, [1.0, 2.0]), window=window
    )
    exact = naive.exact_adjoints(layers, last(STEPS, [1.0, 2.0])[:, 0, 0])
    for logs, g in zip(found, exact, strict=True):
        wanted = [naive.log10_norm(vector) for vector in g]
        np.testing.assert_allclose(logs[:, 0, 0], wanted, rtol=1e-13, atol=1e-12)


def test_three_layers_far_from_each_other():
    layers = [([[1e-90]], [[1e30]]), ([[1e90]], [[1e-30]]), ([[1e-200]], [[1.0]])]
    layers = [tuple(np.array(weights) for weights in layer) for layer in layers]
    found = through(stack("linear", layers), silence(STEPS), last(STEPS, [1.0]))
    exact = naive.exact_adjoints(layers, last(STEPS, [1.0])[:, 0, 0])
    for logs, g in zip(found, exact, strict=True):
        wanted = [naive.log10_norm(vector) for vector in g]
        np.testing.assert_allclose(logs[:, 0, 0], wanted, rtol=1e-13, atol=1e-12)


def test_a_saturated_layer_leaves_something_for_the_layer_below():
    """The slope 4e^-500 of the top layer meets A = 1e-100 on the way down."""
    above = {"weight_ih_l1": [[1e-100]], "weight_hh_l1": [[1.0]], "bias_ih_l1": [250.0]}
    found = through(network("tanh", 1.0, 1.0, **above), silence(1), last(1, [1.0]))
    wanted = np.log10(4) - 500 * np.log10(np.e) - 100
    np.testing.assert_allclose(found[0][0, 0, 0], wanted, rtol=1e-14)


def test_rows_share_the_trajectory_and_nothing_else():
    rng = np.random.default_rng(1)
    layers = [(rng.normal(size=(3, 3)), rng.normal(size=(3, 3))) for _ in range(2)]
    net, x = stack("tanh", layers), rng.normal(size=(9, 2, 3))
    hidden = rng.normal(size=(9, 4, 2, 3))
    together = through(net, x, hidden)
    for row in range(4):
        alone = through(net, x, hidden[:, row : row + 1])
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_allclose(a[:, row], b[:, 0], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("window", [None, 1, 4])
def test_a_cut_holds_in_all_layers_alike(window):
    """A loss at the last step, cut below step 5, is a run of the last five steps alone."""
    rng = np.random.default_rng(2)
    layers = [(rng.normal(size=(3, 3)), rng.normal(size=(3, 3))) for _ in range(2)]
    net, x = stack("linear", layers), rng.normal(size=(9, 1, 3))
    edges = np.ones((9, 1))
    edges[4] = 0.0
    cut = through(net, x, last(9, np.ones(3)), window=window, edges=edges)
    alone = through(net, x[4:], last(5, np.ones(3)))
    for a, b in zip(cut, alone, strict=True):
        np.testing.assert_allclose(a[4:], b, rtol=1e-13, atol=1e-14)
        assert (a[:4] == -np.inf).all()


def test_the_adjoints_below_are_exact_numbers_with_their_exponent():
    layers = [(np.eye(1), np.array([[1e-20]])), (np.array([[2.0]]), np.array([[1e-10]]))]
    net = stack("linear", layers)
    window = next(unroll(net, silence(STEPS)).windows())
    swept = Sweep(net, 1).through(window, last(STEPS, [1.0]))
    exact = naive.exact_adjoints(layers, last(STEPS, [1.0])[:, 0, 0])
    for part, g in zip(swept, exact, strict=True):
        log10 = Scaled(part.adjoint[0], part.exponent[..., None]).log10[:, 0, 0, 0]
        wanted = [naive.log10_norm(vector) for vector in g]
        np.testing.assert_allclose(log10, wanted, rtol=1e-13, atol=1e-12)


def test_a_sweep_may_take_up_what_another_has_left():
    rng = np.random.default_rng(3)
    layers = [(rng.normal(size=(2, 2)), rng.normal(size=(2, 2))) for _ in range(2)]
    net, x = stack("tanh", layers), rng.normal(size=(9, 1, 2))
    window = next(unroll(net, x).windows())
    hidden = last(9, np.ones(2))
    whole = Sweep(net, 1).through(window, hidden)
    late = Sweep(net, 1).through(window.part(4, 9), hidden[4:])
    early = Sweep(net, 1, arriving=[part.out for part in late]).through(window.part(0, 4), None)
    for part, both in zip(early, whole, strict=True):
        np.testing.assert_array_equal(part.delta, both.delta[:4])


def test_what_arrives_is_all_there_is_without_a_loss():
    """From the unit vectors of a linear layer a step back are the rows of B."""
    B = np.arange(4.0).reshape(2, 2)
    net = network("linear", np.eye(2), B)
    flow = Flow((np.eye(2)[:, None],), np.zeros((2, 1), dtype=np.int64))
    window = next(unroll(net, silence(1, inputs=2)).windows())
    (part,) = Sweep(net, 1, rows=2, arriving=[flow]).through(window, None)
    np.testing.assert_array_equal(part.out.adjoint[0][:, 0], B)


OWN = [(cell, own) for cell in CELLS for own in (False, True)[: 1 + bool(cell_named(cell).carry)]]


@pytest.mark.parametrize("size", [1.0, 1e-200])
@pytest.mark.parametrize(("cell", "own"), OWN)
def test_rows_that_the_loss_does_not_enter_may_be_left_out(cell, size, own):
    """They go on with what arrives from later steps, and lead to nothing where nothing does."""
    rng = np.random.default_rng(5)
    parameters = random_parameters(rng, len(cell_named(cell).gates), layers=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    (window,) = unroll(net, rng.normal(size=(9, 2, 3))).windows()
    hidden = size * rng.normal(size=(9, 3, 2, 4))
    hidden[:, 2] = 0.0
    flows = [
        Flow(
            tuple(rng.normal(size=(3, 2, 4)) for _ in net.cell.states),
            rng.integers(-700, 700, size=(3, 2)),
        )
        for _ in net.layers
    ]
    for flow in flows if own else []:
        for state in flow.adjoint[:-1]:
            state[...] = 0.0  # nothing but the last state is on an own path
    whole = Sweep(net, 2, 3, own, flows).through(window, hidden)
    short = Sweep(net, 2, 3, own, flows).through(window, hidden[:, :2])
    for every, fewer in zip(whole, short, strict=True):
        np.testing.assert_array_equal(every.exponent, fewer.exponent)
        for wanted, found in zip(every.adjoint, fewer.adjoint, strict=True):
            np.testing.assert_array_equal(wanted, found)
        np.testing.assert_array_equal(every.delta, fewer.delta)
        assert found[:, 2].any()
