"""An explanation takes a run apart into terms, and the terms make the engine's gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.explain import explain
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.edges import Factors
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.registry import estimator_named
from tests.runs import mask_of, probe, random_parameters, readout_loss, silence
from tests.runs import network as one_layer

GATES = {"lstm": 4, "gru": 3}


def explained(network, x, objective, edges=None, start=None):
    trajectory = unroll(network, x, start)
    if edges is not None and not hasattr(edges, "passing"):
        edges = Factors(edges)
    adjoints = backpropagate(trajectory, objective, edges=edges, keep_adjoints=True)
    return explain(trajectory, objective, adjoints), adjoints


def of(cell, steps=5, batch=2, layers=2, seed=0, mask=None, **more):
    """A random network of three units with a squared error."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng, GATES.get(cell, 1), hidden=3, layers=layers, outputs=2)
    network = Network.from_parameters(cell_named(cell), parameters)
    mask = np.ones((steps, batch), dtype=bool) if mask is None else mask
    objective = readout_loss("mse", rng.normal(size=(steps, batch, 2)), mask)
    return explained(network, rng.normal(size=(steps, batch, 3)), objective, **more)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_the_terms_add_up_to_the_engines_gradient(cell, layers):
    found, adjoints = of(cell, layers=layers)
    assert {part.name for part in found.parameters} == set(adjoints.gradient)
    for part in found.parameters:
        gradient = adjoints.gradient[part.name].value
        np.testing.assert_allclose(part.total.value, gradient, rtol=1e-12, atol=1e-15)
        assert part.relative_error < 1e-14
        assert part.check.value == pytest.approx(gradient[part.check.index], rel=1e-6)
        assert abs(gradient[part.check.index]) == np.abs(gradient).max()


@pytest.mark.parametrize("cell", CELLS)
def test_each_adjoint_is_the_engines_and_the_sum_of_its_two_terms(cell):
    found, adjoints = of(cell)
    for layer, wanted in zip(found.layers, adjoints.layers, strict=True):
        h = layer.adjoint[0].value
        np.testing.assert_allclose(h, wanted.adjoint[0].value[:, 0], rtol=1e-12, atol=1e-15)
        terms = layer.through_output.value + layer.through_next[0].value
        np.testing.assert_allclose(h, terms, rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(layer.through_next[0].value[-1], 0.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(CELLS)), st.integers(1, 6))
def test_whatever_the_targets_the_losses_add_up_and_only_they_have_slopes(seed, cell, steps):
    marked = np.random.default_rng(seed).integers(0, 2, size=(steps, 2)).astype(bool)
    marked[-1] |= ~marked.any(axis=0)
    found, adjoints = of(cell, steps=steps, seed=seed, mask=marked)
    outputs = found.outputs
    assert outputs.loss.sum() == pytest.approx(adjoints.loss[0], rel=1e-13)
    np.testing.assert_array_equal(outputs.target, marked[:, 0])
    assert not outputs.slope[~outputs.target].any()
    assert found.last_target == adjoints.last_target[0]


def test_an_elman_cell_shows_its_preactivation_and_slope():
    found, _ = of("tanh", layers=1)
    (layer,) = found.layers
    np.testing.assert_allclose(layer.states[0][1:], np.tanh(layer.preactivation), rtol=1e-14)
    np.testing.assert_allclose(layer.slope, 1 - layer.states[0][1:] ** 2, rtol=1e-12)


def test_a_gated_cell_shows_its_gates_instead():
    layer = of("gru")[0].layers[0]
    assert (layer.preactivation, layer.slope) == (None, None)
    assert len(layer.gates) == 2


def test_the_gradient_of_a_linear_cell_is_a_power_of_B_times_the_last():
    B = np.array([[0.5, 0.0], [1.0, 2.0]])
    network = one_layer("linear", np.ones((2, 1)), B)
    found, _ = explained(network, np.ones((9, 1, 1)), probe(network, np.ones((9, 1, 1))))
    repeated = found.repeated
    for i, matrix in enumerate(repeated.matrices):
        wanted = matrix.value.T @ repeated.gradient[0].value
        np.testing.assert_allclose(repeated.gradient[i].value, wanted, rtol=1e-13)


def test_p_follows_the_last_target_step_alone():
    """Targets at steps 2 and 4 of 6 with B = 2: p_4 = ½ (the mean over two), p_3 = 1, p_2 = 2."""
    network = one_layer("linear", 1.0, 2.0)
    x = np.ones((6, 1, 1))
    found, _ = explained(network, x, probe(network, x, mask_of(6, [2, 4])))
    assert found.last_target == 4
    np.testing.assert_array_equal(found.repeated.gradient.value[:, 0], [0.5, 1.0, 2.0, 4.0])


def test_symbols_are_one_hot():
    network = one_layer("tanh", np.ones((1, 3)), 0.5)
    symbols = np.array([[2], [0]])
    found, _ = explained(network, symbols, probe(network, symbols))
    assert found.symbols.tolist() == [2, 0]
    np.testing.assert_array_equal(found.layers[0].fed, [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("cut", [1, 2, 4])
def test_a_cut_loses_exactly_what_crosses_it(cell, cut):
    """With the loss at the last step, the steps up to the cut get nothing and lose all."""
    edges = np.ones(5)
    edges[cut] = 0.0
    last = mask_of(5, [5], [5])
    exact, _ = of(cell, mask=last)
    found, adjoints = of(cell, mask=last, edges=edges)
    assert found.cuts == [cut]
    for layer, uncut in zip(found.layers, exact.layers, strict=True):
        after = layer.adjoint[0].value[cut:]
        assert not layer.adjoint[0].value[:cut].any()
        np.testing.assert_array_equal(after, uncut.adjoint[0].value[cut:])
    for part, whole in zip(found.parameters, exact.parameters, strict=True):
        gradient = adjoints.gradient[part.name].value
        np.testing.assert_allclose(part.total.value, gradient, rtol=1e-12, atol=1e-15)
        assert part.relative_error < 1e-14
        np.testing.assert_allclose(part.exact_total.value, whole.total.value, rtol=1e-13)
        wanted = part.exact_total.value[part.check.index]
        assert part.check.value == pytest.approx(wanted, rel=1e-6)
        for step in range(1, cut + 1):
            assert not part.terms.at(step).value.any()
            np.testing.assert_array_equal(part.exact.at(step).value, whole.terms.at(step).value)


def test_what_an_edge_would_have_let_pass_is_shown_beside_what_it_did():
    """B = 2, three steps, loss h_3, the edge from 3 to 2 cut: 2 would have passed, 0 did."""
    network = one_layer("linear", 1.0, 2.0)
    x = np.ones((3, 1, 1))
    edges = np.array([1.0, 1.0, 0.0])
    found, _ = explained(network, x, probe(network, x), edges=edges)
    (layer,) = found.layers
    np.testing.assert_array_equal(layer.through_next[0].value[:, 0], [0, 0, 0])
    np.testing.assert_array_equal(layer.uncut[0].value[:, 0], [4, 2, 0])


def test_an_edge_multiplies_what_passes():
    network = one_layer("linear", 1.0, 2.0)
    x = np.ones((3, 1, 1))
    found, _ = explained(network, x, probe(network, x), edges=np.array([1.0, 1.25, 1.0]))
    np.testing.assert_array_equal(found.layers[0].adjoint[0].value[:, 0], [5, 2, 1])
    assert found.cuts == []


def test_the_edge_to_the_initial_state_is_no_cut_between_steps():
    found, _ = of("tanh", edges=np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
    assert found.cuts == []


@pytest.mark.parametrize("b", [1e-3, 1e3])
def test_nothing_ends_where_float64_does(b):
    network = one_layer("linear", 0.0, b)
    found, _ = explained(network, silence(400), probe(network, silence(400)))
    log10 = found.layers[0].adjoint[0].log10[0, 0]
    assert log10 == pytest.approx(399 * np.log10(b), rel=1e-12)
    assert found.parameters[0].relative_error == 0.0


def test_a_forward_state_that_overflows_leaves_what_does_not_need_it():
    network = one_layer("linear", 1.0, 1e200)
    found, _ = explained(network, np.ones((4, 1, 1)), probe(network, np.ones((4, 1, 1))))
    assert found.layers[0].adjoint[0].log10[0, 0] == pytest.approx(600, rel=1e-12)
    assert not np.isfinite(found.outputs.loss[-1])


def test_progress_ends_at_one():
    network = one_layer("tanh", 1.0, 0.5)
    trajectory = unroll(network, silence(3))
    objective = probe(network, silence(3))
    done = []
    explain(trajectory, objective, backpropagate(trajectory, objective), progress=done.append)
    assert done == sorted(done)
    assert done[-1] == 1.0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("name", ["fixed", "sliding"])
def test_under_a_truncation_the_terms_add_up_to_its_estimate(name, length, cell):
    """For windows that overlap, too, whose rows are added up."""
    mask = mask_of(5, [2, 3, 5], [1, 4])
    edges = estimator_named(name, length=length).edges(mask.any(axis=1), np.random.default_rng(0))
    exact, _ = of(cell, mask=mask)
    found, adjoints = of(cell, mask=mask, edges=edges)
    for layer, wanted in zip(found.layers, adjoints.layers, strict=True):
        h = layer.adjoint[0].value
        np.testing.assert_allclose(h, wanted.adjoint[0].value[:, 0], rtol=1e-12, atol=1e-15)
        terms = layer.through_output.value + layer.through_next[0].value
        np.testing.assert_allclose(h, terms, rtol=1e-12, atol=1e-15)
    for part, whole in zip(found.parameters, exact.parameters, strict=True):
        gradient = adjoints.gradient[part.name].value
        np.testing.assert_allclose(part.total.value, gradient, rtol=1e-12, atol=1e-15)
        assert part.relative_error < 1e-14
        np.testing.assert_allclose(
            part.exact_total.value, whole.total.value, rtol=1e-12, atol=1e-15
        )


@pytest.mark.parametrize(
    ("name", "length", "reached", "cuts"),
    [
        ("fixed", 2, [0, 1, 3, 0, 5], [2, 4]),
        ("sliding", 1, [0, 2, 3, 0, 5], [1, 2, 3, 4]),
        ("sliding", 2, [0, 1, 2, 0, 4], [1, 3]),
        ("sliding", 3, [0, 1, 1, 0, 3], [2]),
        ("full", None, [0, 1, 1, 0, 1], []),
    ],
)
def test_each_loss_reaches_as_far_as_its_window_lets_it(name, length, reached, cuts):
    mask = mask_of(5, [2, 3, 5])
    keys = {} if length is None else {"length": length}
    edges = estimator_named(name, **keys).edges(mask.any(axis=1), np.random.default_rng(0))
    found, _ = of("tanh", batch=1, mask=mask, edges=edges)
    assert found.reached.tolist() == reached
    assert found.cuts == cuts
    assert (found.edges is None) == (name == "sliding" and length > 1)


def test_windows_that_overlap_lose_what_each_leaves_behind():
    """B = 2, loss h_1 + h_2 + h_3 over 3, K = 2: L_3 no longer says 4 to h_1."""
    network = one_layer("linear", 1.0, 2.0)
    x = np.ones((3, 1, 1))
    edges = estimator_named("sliding", length=2).edges(np.ones(3, bool), np.random.default_rng(0))
    found, _ = explained(network, x, probe(network, x, np.ones((3, 1), bool)), edges=edges)
    (layer,) = found.layers
    thirds = 3 * layer.through_next[0].value[:, 0], 3 * layer.uncut[0].value[:, 0]
    np.testing.assert_allclose(thirds, [[2, 2, 0], [6, 2, 0]], rtol=1e-15)
    assert (found.cut_losses(1), found.cut_losses(2)) == ([3], [])
