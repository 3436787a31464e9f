"""Elman cells: the slope of φ to its last digit, and what counts as saturated."""

import math

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.network import Layer
from tests.runs import network, sweep_back


def slopes_at(cell, a):
    """φ′ at pre-activations, by running one step with these as the drive."""
    a = np.asarray(a, dtype=float)
    layer = Layer(np.ones((len(a), 1)), np.zeros((len(a), len(a))))
    tape = cell_named(cell).advance(a.reshape(1, 1, -1).copy(), layer, (np.zeros((1, len(a))),))
    return tape.slopes[0][0, 0]


@pytest.mark.parametrize("a", [0.0, 1e-9, 0.1, 0.5, 1.0, 1.8, 1.9, 3.0, 19.0, 20.0, 50.0, 300.0])
def test_the_slope_of_tanh_is_sech_squared_however_saturated(a):
    sech = 2 * math.exp(-a) / (1 + math.exp(-2 * a))
    np.testing.assert_allclose(slopes_at("tanh", [a, -a]), sech * sech, rtol=1e-14)


def test_the_slope_of_relu_is_one_above_zero_and_zero_at_zero():
    a = [-np.inf, -1.0, -0.0, 0.0, 5e-324, 1.0, np.inf]
    np.testing.assert_array_equal(slopes_at("relu", a), [0, 0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(("cell", "slope"), [("tanh", np.nan), ("relu", np.nan), ("linear", 1.0)])
def test_the_slope_of_what_is_not_a_number_is_undefined_but_for_a_linear_cell(cell, slope):
    np.testing.assert_array_equal(slopes_at(cell, [np.nan]), [slope])


def tape_of(cell, a):
    """A tape of one unit a column: (steps, batch, units) pre-activations."""
    a = np.asarray(a, dtype=float)
    units = a.shape[2]
    layer = Layer(np.ones((units, 1)), np.zeros((units, units)))
    return cell_named(cell).advance(a.copy(), layer, (np.zeros(a.shape[1:]),))


EDGE = math.atanh(0.95)


@pytest.mark.parametrize(
    ("cell", "share"),
    [("tanh", [0.5, 0.25]), ("relu", [0.25, 0.75]), ("linear", [0.0, 0.0])],
)
def test_a_unit_is_saturated_beyond_the_limit_of_its_cell(cell, share):
    """tanh |h| > 0.95; relu a ≤ 0; linear never."""
    a = [[[EDGE + 0.01, 0.5], [-EDGE - 0.01, 1.0]], [[0.0, EDGE - 0.01], [-3.0, -0.5]]]
    np.testing.assert_array_equal(cell_named(cell).saturated(tape_of(cell, a)), share)


def test_the_mean_slope_is_over_units_and_sequences():
    a = np.random.default_rng(0).normal(size=(3, 4, 5))
    for cell, slope in (
        ("tanh", 1 - np.tanh(a) ** 2),
        ("relu", a > 0),
        ("linear", np.ones_like(a)),
    ):
        found = cell_named(cell).mean_slope(tape_of(cell, a))
        np.testing.assert_allclose(found, slope.mean(axis=(1, 2)), rtol=1e-14)


def test_a_saturated_tanh_shrinks_the_gradient_and_does_not_cut_it():
    """1 − h² is 0 in float64 from |a| = 19 on; the slope at 30 is 4e^-60."""
    x = np.zeros((3, 1, 1))
    x[2] = 30.0
    log10 = sweep_back(network("tanh", 1.0, 1.0), x).layers[0].norm[0].log10[:, 0]
    np.testing.assert_allclose(log10[1], math.log10(4) - 60 * math.log10(math.e), rtol=1e-13)


def test_several_rows_share_the_slopes_and_each_has_its_edges():
    """retreat of R rows at once is retreat of each alone."""
    rng = np.random.default_rng(0)
    n, rows, batch, hidden = 4, 3, 2, 5
    cell, layer = cell_named("tanh"), Layer(np.ones((hidden, 1)), rng.normal(size=(hidden, hidden)))
    slopes = (rng.uniform(size=(n, batch, hidden)),)
    inject = rng.normal(size=(n, rows, batch, hidden))
    edges = rng.uniform(size=(n, rows, 1, 1))

    def retreat(chosen):
        g = np.zeros((n + 1, len(chosen), batch, hidden))
        delta = np.empty((n, len(chosen), batch, hidden))
        cell.retreat(slopes, layer, (g,), delta, inject[:, chosen], edges[:, chosen])
        return g, delta

    together = retreat([0, 1, 2])
    for row in range(rows):
        for whole, alone in zip(together, retreat([row]), strict=True):
            np.testing.assert_allclose(whole[:, row], alone[:, 0], rtol=1e-13)


def test_a_step_back_is_the_chain_rule():
    """δ = φ′ ∘ (g + inject), g_{t-1} = edge · Bᵀδ."""
    rng = np.random.default_rng(1)
    B, slope, arrived, inject = (rng.normal(size=s) for s in ((3, 3), 3, 3, 3))
    g = np.zeros((2, 1, 1, 3))
    g[1] = arrived
    delta = np.empty((1, 1, 1, 3))
    cell_named("tanh").retreat(
        (slope.reshape(1, 1, 3),),
        Layer(np.ones((3, 1)), B),
        (g,),
        delta,
        inject.reshape(1, 1, 1, 3),
        np.full((1, 1, 1, 1), 0.5),
    )
    wanted = slope * (arrived + inject)
    np.testing.assert_allclose(delta[0, 0, 0], wanted, rtol=1e-15)
    np.testing.assert_allclose(g[1, 0, 0], arrived + inject, rtol=1e-15)
    np.testing.assert_allclose(g[0, 0, 0], 0.5 * B.T @ wanted, rtol=1e-14)


def test_a_tape_starts_with_the_state_before_the_window():
    tape = tape_of("tanh", np.ones((2, 1, 1)))
    assert isinstance(tape, Tape)
    np.testing.assert_allclose(tape.states[0][:, 0, 0], [0, math.tanh(1), math.tanh(1)])
