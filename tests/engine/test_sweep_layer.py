"""The sweep of one layer is exact arithmetic, however far an adjoint falls or grows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.cells import cell_named
from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.sweep_layer import Flow, sweep_layer
from tests import naive

LINEAR = cell_named("linear")


def layer_of(B):
    B = np.atleast_2d(np.asarray(B, dtype=float))
    return Layer(np.ones((len(B), 1)), B)


def tape_of(slopes):
    """A tape of which only the slopes (n, N, H) count."""
    slopes = np.asarray(slopes, dtype=float)
    return Tape((np.zeros((len(slopes) + 1, *slopes.shape[1:])),), (slopes,))


def swept(B, slopes, inject, edges=None, rows=1):
    """Sweep with nothing arriving from later."""
    layer = layer_of(B)
    batch = np.shape(slopes)[1]
    flow = Flow.none(LINEAR, rows, batch, layer.hidden)
    entering = None if inject is None else Scaled.of(inject)
    return sweep_layer(LINEAR, layer, tape_of(slopes), flow, entering, edges)


def assert_exact(found, B, slopes, inject):
    """‖g_t‖ of every sequence has the logarithm of the same sum of fractions."""
    for n in range(np.shape(slopes)[1]):
        g = naive.exact_adjoints(
            [(np.eye(len(np.atleast_2d(B))), np.atleast_2d(B))], inject[:, n], [slopes[:, n]]
        )[0]
        wanted = [naive.log10_norm(vector) for vector in g]
        # A logarithm of size 10^4 has an ulp of 2e-12.
        np.testing.assert_allclose(found.norm[0].log10[:, 0, n], wanted, rtol=1e-13, atol=1e-11)


SIZES = st.sampled_from([0.0, 1.0, 1.5, 1e-90, 1e-20, 1e100, 1e250])
SLOPES = st.sampled_from([1.0, 1.0, 1.0, 0.25, 1e-20, 1e-200])
SOURCES = st.sampled_from([0.0, 0.0, 0.0, 1.0, 1e-150, 1e150, 1e-290, 1e290])


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_an_adjoint_may_fall_and_grow_by_any_factor_at_any_step(data):
    """One unit: slopes and sources of any size at any step, two sequences of one batch."""
    steps = data.draw(st.integers(1, 70))
    B = [[data.draw(SIZES)]]
    shape = (steps, 2, 1)
    slopes = np.reshape(data.draw(st.lists(SLOPES, min_size=2 * steps, max_size=2 * steps)), shape)
    inject = np.reshape(data.draw(st.lists(SOURCES, min_size=2 * steps, max_size=2 * steps)), shape)
    assert_exact(swept(B, slopes, inject[:, None]), B, slopes, inject)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([-20, -3, 0, 3, 20]))
def test_several_units_are_carried_together(seed, decades):
    """Positive weights, so that nothing cancels and the comparison may be to the last digit."""
    rng = np.random.default_rng(seed)
    B = 10.0**decades * rng.uniform(0.1, 1, size=(3, 3))
    slopes = rng.choice([1.0, 0.5, 1e-30], size=(50, 2, 3))
    inject = rng.uniform(size=(50, 2, 3)) * (rng.uniform(size=(50, 2, 1)) < 0.1)
    assert_exact(swept(B, slopes, inject[:, None]), B, slopes, inject)


def sources(steps, batch=1, hidden=1, **at):
    inject = np.zeros((steps, batch, hidden))
    for step, value in at.items():
        inject[int(step[1:]) - 1] = value
    return inject


@pytest.mark.parametrize("gap", [1, 14, 20, 31, 32, 33, 60, 200])
def test_a_fresh_loss_finds_an_adjoint_that_fell_below_the_range_and_leaves_it_as_it_was(gap):
    """Between two targets g_t falls by 1e-20 a step; nothing of it is lost but at the end."""
    steps = gap + 41
    inject = sources(steps, t41=1.0, **{f"t{steps}": 2.0})
    assert_exact(
        swept(1e-20, np.ones((steps, 1, 1)), inject[:, None]),
        [[1e-20]],
        np.ones((steps, 1, 1)),
        inject,
    )


@pytest.mark.parametrize("place", range(36, 4, -5))
def test_a_single_step_may_fall_out_of_the_range_at_once(place):
    """Slope 1e-250 where the adjoint has fallen to 1e-3 a step already: no block loses it."""
    slopes = np.ones((40, 1, 1))
    slopes[place] = 1e-250
    inject = sources(40, t40=1.0)
    assert_exact(swept(1e-3, slopes, inject[:, None]), [[1e-3]], slopes, inject)


@pytest.mark.parametrize("b", [1e-300, 1e-250, 1e-100, 1e100, 1e250, 1e300, 1e307])
@pytest.mark.parametrize("v", [1e-150, 1e-15, 1.0, 1e15, 1e150])
def test_one_step_may_cross_nearly_all_of_the_range(b, v):
    slopes, inject = np.ones((40, 1, 1)), sources(40, t40=v)
    assert_exact(swept(b, slopes, inject[:, None]), [[b]], slopes, inject)


def test_large_weights_of_both_signs_make_no_difference_of_infinities():
    B = 1e300 * np.array([[1.0, -0.5], [-0.25, 1.0]])
    slopes, inject = np.ones((20, 1, 2)), sources(20, hidden=2, t20=[1e15, 2e15])
    assert_exact(swept(B, slopes, inject[:, None]), B, slopes, inject)


def test_sequences_of_one_batch_have_exponents_of_their_own():
    steps = 100
    slopes = np.ones((steps, 3, 1))
    slopes[:, 1], slopes[:, 2] = 1e-20, 1e20
    inject = sources(steps, batch=3, t100=1.0)
    found = swept(1.0, slopes, inject[:, None])
    np.testing.assert_allclose(found.norm[0].log10[0, 0], [0, -1980, 1980], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("b", [0.5, 1.0, 1.5])
def test_an_ordinary_run_carries_no_exponent(b):
    found = swept(b, np.ones((100, 1, 1)), sources(100, t100=1.0)[:, None])
    assert not found.exponent.any()
    assert not found.norm[0].exponent.any()


def test_the_exponent_is_that_of_the_mantissas_too():
    found = swept(1e-20, np.ones((100, 1, 1)), sources(100, t100=1.0)[:, None])
    adjoint = Scaled(found.adjoint[0], found.exponent[..., None])
    np.testing.assert_allclose(
        adjoint.log10[:, 0, 0, 0], 20.0 * np.arange(-99, 1), rtol=1e-14, atol=1e-14
    )
    np.testing.assert_array_equal(
        found.deltas(LINEAR, tape_of(np.ones((100, 1, 1))))[0].log10, adjoint.log10[:, 0]
    )


@pytest.mark.parametrize("b", [0.9, 1e-20, 1e20])
@pytest.mark.parametrize("cut", [1, 17, 32, 49])
def test_a_window_goes_on_where_the_later_one_ended(b, cut):
    layer, steps = layer_of(b), 50
    inject = sources(steps, t50=1.0, t20=3.0)[:, None]
    flow, logs = Flow.none(LINEAR, 1, 1, 1), []
    for part in (slice(cut, steps), slice(0, cut)):
        tape = tape_of(np.ones((part.stop - part.start, 1, 1)))
        found = sweep_layer(LINEAR, layer, tape, flow, Scaled.of(inject[part]))
        flow = found.out
        logs.insert(0, found.norm[0].log10)
    whole = swept(b, np.ones((steps, 1, 1)), inject)
    np.testing.assert_allclose(np.concatenate(logs), whole.norm[0].log10, rtol=1e-14, atol=1e-14)
    end = [Scaled(out.adjoint[0], out.exponent[..., None]).log10 for out in (flow, whole.out)]
    np.testing.assert_allclose(*end, rtol=1e-14)


@pytest.mark.parametrize("zero", ["slope", "weights"])
def test_an_exact_zero_stays_one(zero):
    slopes = np.ones((60, 1, 1))
    if zero == "slope":
        slopes[40] = 0.0
    found = swept(0.0 if zero == "weights" else 1e-20, slopes, sources(60, t60=1.0)[:, None])
    alive = np.flatnonzero(found.norm[0].mantissa[:, 0, 0])
    assert alive[0] == (40 if zero == "slope" else 59)


def test_nothing_that_enters_leaves_nothing():
    found = swept(2.0, np.ones((5, 2, 1)), None)
    assert not found.norm[0].mantissa.any()
    assert not found.delta.any()


def test_an_edge_scales_or_cuts_what_passes_from_a_step_to_the_one_before():
    edges = np.ones((6, 2))
    edges[3] = [0.0, 4.0]
    inject = np.repeat(sources(6, t6=1.0)[:, None], 2, axis=1)
    found = swept(0.5, np.ones((6, 1, 1)), inject, edges, rows=2)
    np.testing.assert_array_equal(
        found.norm[0].value[:, :, 0].T,
        [[0, 0, 0, 1 / 4, 1 / 2, 1], [1 / 8, 1 / 4, 1 / 2, 1 / 4, 1 / 2, 1]],
    )


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_nothing_crosses_a_cut_not_even_what_is_no_number(bad):
    """0 · ∞ is no number. In the other row the edge is open, and the third has nothing wrong."""
    edges = np.ones((6, 3))
    edges[3, 0] = edges[1, 2] = 0.0
    inject = np.zeros((6, 3, 1, 1))
    inject[5] = np.array([bad, bad, 1.0])[:, None, None]
    inject[1] = 1.0
    norm = swept(0.5, np.ones((6, 1, 1)), inject, edges, rows=3).norm[0].value[:, :, 0].T
    np.testing.assert_array_equal(norm[0], [0.5, 1, 0, bad, bad, bad])
    np.testing.assert_array_equal(norm[1], [bad] * 6)
    np.testing.assert_array_equal(norm[2], [0, 1 + 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])


def test_a_cut_amid_a_steep_decay_is_exactly_where_it_stands():
    edges = np.ones((80, 1))
    edges[30] = 0.0
    found = swept(1e-20, np.ones((80, 1, 1)), sources(80, t80=1.0)[:, None], edges)
    log10 = found.norm[0].log10[:, 0, 0]
    np.testing.assert_allclose(log10[30:], 20.0 * np.arange(-49, 1), rtol=1e-14, atol=1e-14)
    assert (log10[:30] == -math.inf).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_stays_in_its_sequence(wrong):
    inject = sources(40, batch=2, t40=1.0)
    inject[20, 0] = wrong
    value = swept(0.5, np.ones((40, 2, 1)), inject[:, None]).norm[0].value[:, 0]
    assert not np.isfinite(value[:21, 0]).any()
    np.testing.assert_allclose(value[:, 1], 0.5 ** np.arange(39, -1, -1), rtol=1e-14)
