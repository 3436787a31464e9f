"""The forward pass is the twin's, whole or in windows, kept or made again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import feed, unroll, zero_states
from bpttcli.errors import InputError, RunError
from tests import naive
from tests.runs import network, random_parameters, silence, stack

STEPS, BATCH = 7, 3


def states_of(trajectory):
    """h_1 … h_T of every layer, from the windows in the order of time."""
    windows = list(trajectory.windows(backward=False))
    depth = len(trajectory.network.layers)
    return [np.concatenate([w.tapes[k].states[0][1:] for w in windows]) for k in range(depth)]


def random_run(cell, seed=0, layers=2):
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng, layers=layers)
    x = rng.normal(size=(STEPS, BATCH, 3))
    start = tuple((rng.normal(size=(BATCH, 4)),) for _ in range(layers))
    return parameters, Network.from_parameters(cell_named(cell), parameters), x, start


@pytest.mark.parametrize("cell", ["tanh", "relu", "linear"])
@pytest.mark.parametrize("given_start", [False, True])
def test_states_are_those_of_one_sequence_one_step_at_a_time(cell, given_start):
    parameters, net, x, start = random_run(cell)
    found = states_of(unroll(net, x, start if given_start else None))
    for n in range(BATCH):
        begin = [tuple(s[n] for s in layer) for layer in start] if given_start else None
        history = naive.run(cell, parameters, x[:, n], begin)
        for k in range(2):
            wanted = [now[k][0] for now in history[1:]]
            np.testing.assert_allclose(found[k][:, n], wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("window", [1, 2, 3, STEPS, 100])
@pytest.mark.parametrize("keep", [True, False])
def test_windows_change_no_state(window, keep):
    _, net, x, start = random_run("tanh")
    trajectory = unroll(net, x, start, window=window, keep=keep)
    for found, wanted in zip(states_of(trajectory), states_of(unroll(net, x, start)), strict=True):
        # A x_t is one product for a whole window, whose order of additions is the library's.
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("window", [1, 3, STEPS])
def test_tapes_made_again_are_the_same_to_the_last_bit(window):
    _, net, x, start = random_run("tanh")
    kept, again = (unroll(net, x, start, window=window, keep=keep) for keep in (True, False))
    for a, b in zip(kept.windows(), again.windows(), strict=True):
        for tape, other in zip(a.tapes, b.tapes, strict=True):
            np.testing.assert_array_equal(tape.states[0], other.states[0])
            np.testing.assert_array_equal(tape.slopes[0], other.slopes[0])


@settings(max_examples=30)
@given(st.integers(1, 20), st.integers(1, 25))
def test_every_step_is_in_exactly_one_window(steps, window):
    trajectory = unroll(network("tanh", 1.0, 0.5), silence(steps), window=window)
    for order in (1, -1):
        windows = list(trajectory.windows(backward=order < 0))[::order]
        assert [(w.start, w.stop) for w in windows] == [
            (a, min(a + window, steps)) for a in range(0, steps, window)
        ]


def test_the_end_is_the_state_after_the_last_step():
    _, net, x, start = random_run("tanh")
    trajectory = unroll(net, x, start, window=3)
    for (end,), states in zip(trajectory.end(), states_of(trajectory), strict=True):
        np.testing.assert_array_equal(end, states[-1])


def test_a_run_goes_on_where_another_ended():
    _, net, x, start = random_run("tanh")
    first = unroll(net, x[:4], start)
    rest = states_of(unroll(net, x[4:], first.end()))
    for part, whole in zip(rest, states_of(unroll(net, x, start)), strict=True):
        np.testing.assert_allclose(part, whole[4:], rtol=1e-13, atol=1e-15)


def test_a_layer_is_fed_the_states_of_the_layer_below():
    _, net, x, _ = random_run("tanh")
    trajectory = unroll(net, x, window=3)
    for window in trajectory.windows():
        below = states_of(trajectory)[0][window.start : window.stop]
        np.testing.assert_array_equal(
            trajectory.layer_input(window, 0), x[window.start : window.stop]
        )
        np.testing.assert_array_equal(trajectory.layer_input(window, 1), below)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int8])
def test_symbols_are_one_hot_vectors(dtype):
    _, net, _, _ = random_run("tanh")
    symbols = np.random.default_rng(0).integers(3, size=(STEPS, BATCH)).astype(dtype)
    for found, wanted in zip(
        states_of(unroll(net, symbols)), states_of(unroll(net, np.eye(3)[symbols])), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_numbers_of_another_width_become_float64(dtype):
    _, net, _, _ = random_run("tanh")
    x = np.full((STEPS, BATCH, 3), 200, dtype=dtype)
    trajectory = unroll(net, x)
    assert trajectory.x.dtype == np.float64
    np.testing.assert_array_equal(trajectory.x, 200.0)


def test_feeding_is_a_product_or_a_choice_of_columns():
    A = np.arange(12.0).reshape(4, 3)
    x = np.random.default_rng(0).normal(size=(2, 5, 3))
    np.testing.assert_allclose(feed(x, A), x @ A.T, rtol=1e-14)
    np.testing.assert_array_equal(feed(np.array([[0, 2]]), A), [A[:, [0, 2]].T])


def test_nothing_seen_is_a_zero_for_each_layer_and_unit():
    net = stack("tanh", [(np.ones((4, 3)), np.eye(4)), (np.ones((2, 4)), np.eye(2))])
    assert [layer[0].shape for layer in zero_states(net, 5)] == [(5, 4), (5, 2)]


def test_progress_rises_from_nothing():
    told = []
    unroll(network("tanh", 1.0, 1.0), silence(10), window=3, progress=told.append)
    assert told == [0.0, 0.3, 0.6, 0.9]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 2, 4)), r"must have the shape \(T, N, 3\) .*, got \(5, 2, 4\)"),
        (np.zeros((5, 3)), r"must have the shape \(T, N, 3\) .*, got \(5, 3\)"),
        (np.zeros((5, 3), dtype=bool), r"must have the shape \(T, N, 3\)"),
        (np.zeros(5, dtype=int), r"must have the shape \(T, N, 3\)"),
        (np.array([[0, 3]]), "must hold symbols from 0 to 2 .* got 0 to 3"),
        (np.array([[-1, 2]]), "must hold symbols from 0 to 2 .* got -1 to 2"),
        (np.zeros((0, 2, 3)), "must have at least one step and one sequence"),
        (np.zeros((5, 0, 3)), "must have at least one step and one sequence"),
        (np.zeros((5, 0), dtype=int), "must have at least one step and one sequence"),
    ],
)
def test_sequences_that_the_network_cannot_read_are_refused(x, message):
    _, net, _, _ = random_run("tanh")
    with pytest.raises(InputError, match=message):
        unroll(net, x)


@pytest.mark.parametrize("window", [None, 1, 4])
def test_a_pre_activation_that_is_no_number_stops_the_run_and_says_where(window):
    """Units 1 and 2 overflow at step 4; their difference is undefined one step later."""
    B = [[10.0, 1.0, 1.0], [1.0, 10.0, 1.0], [1.0, -1.0, 1.0]]
    x = silence(8, batch=2, inputs=3)
    x[2, 1] = [1e308, 1e308, 0]
    with pytest.raises(RunError, match=r"undefined from step 5 on: unit 3 of layer 0 .*sequence 2"):
        unroll(network("relu", np.eye(3), B), x, window=window)


def test_the_first_step_that_is_undefined_is_named_whatever_its_layer():
    """Layer 0 overflows at step 2, where layer 1 takes ∞ − ∞, and takes 0·∞ at step 3."""
    below = (np.full((2, 1), 10.0), np.zeros((2, 2)))
    above = (np.array([[1.0, 1.0], [1.0, -1.0]]), np.zeros((2, 2)))
    x = silence(8)
    x[1] = 1e308
    with pytest.raises(RunError, match="undefined from step 2 on: unit 2 of layer 1"):
        unroll(stack("relu", [below, above]), x)


@pytest.mark.parametrize("cell", ["tanh", "relu", "linear"])
def test_a_state_that_merely_overflows_goes_on(cell):
    trajectory = unroll(network(cell, 1.0, 1e200), np.ones((5, 1, 1)))
    assert states_of(trajectory)[0][-1] == (1.0 if cell == "tanh" else np.inf)
