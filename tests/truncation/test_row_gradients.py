"""The gradient of every row of a sweep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.engine.edges import Factors
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.row_gradients import RowGradients
from tests.runs import close, network, probe, silence
from tests.truncation.cases import every, run, runs


def by_row(trajectory, objective, factors, order=None):
    """Sweep with all rows at once."""
    rows = len(factors)
    sweep, gathered = (
        Sweep(trajectory.network, trajectory.batch, rows),
        RowGradients(trajectory, rows),
    )
    for window in trajectory.windows():
        top = window.tapes[-1].states[0][1:]
        with np.errstate(all="ignore"):
            source = objective.source(trajectory.network, top, window.start, window.stop)
        entering = source.hidden
        if entering is not None:
            entering = np.repeat(entering[:, None], rows, axis=1)
        steps = slice(window.start, window.stop)
        layers = sweep.through(window, entering, np.ascontiguousarray(factors[:, steps].T))
        picked = None
        if order is not None:
            picked = np.tile(np.array(order), (window.stop - window.start, 1))
        gathered.add(window, layers, picked)
    return gathered.total()


def random_factors(rng, rows, steps):
    factors = rng.choice([0.0, 0.5, 1.0, 1.5], size=(rows, steps))
    factors[:, 0] = 1.0
    return factors


@given(runs(), st.integers(1, 4), st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_each_row_is_what_a_sweep_of_its_own_gives(given_run, rows, seed):
    trajectory, objective = given_run
    factors = random_factors(np.random.default_rng(seed), rows, trajectory.steps)
    found = by_row(trajectory, objective, factors)
    for row, factor in enumerate(factors):
        alone = estimate(trajectory, objective, Factors(factor)).gradient
        for name, value in found.items():
            close(value.value[row], alone[name].value, rtol=1e-12)
    assert set(found) == {name for name in alone if not name.startswith("readout")}


@pytest.mark.parametrize("f", [1.0, 0.5, 1.5])
@pytest.mark.parametrize(("b", "first"), [(0.1, 1.0), (10.0, 1e-290)])
def test_rows_keep_what_leaves_the_range(b, first, f):
    """h_t = b h_{t-1}, x_1 alone fed, ℓ = 1e200 h_T: ∂ℓ/∂a = 1e200 x_1 (b f)^(T-1)."""
    steps = 500
    net, x = network("linear", 1.0, b), silence(steps)
    x[0] = first
    trajectory = unroll(net, x, window=70)
    factors = np.full((2, steps), f)
    factors[1, steps - 1] = 2.0
    factors[:, 0] = 1.0
    found = by_row(trajectory, probe(net, x, vector=1e200), factors)["weight_ih_l0"]
    wanted = 200 + np.log10(first) + (steps - 1) * np.log10(b * f)
    np.testing.assert_allclose(
        found.log10[:, 0, 0], [wanted, wanted + np.log10(2 / f)], rtol=1e-12, atol=1e-11
    )


def test_an_order_says_which_row_goes_where():
    trajectory, objective = run("gru", mask=every())
    factors = random_factors(np.random.default_rng(0), 3, trajectory.steps)
    found = by_row(trajectory, objective, factors)
    moved = by_row(trajectory, objective, factors, order=[2, 0, 1])
    for name, value in found.items():
        np.testing.assert_array_equal(moved[name].value, value.value[[2, 0, 1]])


def test_a_row_of_zeros_does_not_decide_the_scale_of_what_comes_later():
    """The loss enters at the last step through 1e-200, and 0.1 a step makes it smaller."""
    net, steps = network("linear", 1.0, 0.1), 400
    x = silence(steps)
    x[0] = 1.0
    trajectory = unroll(net, x, window=50)
    factors = np.ones((2, steps))
    factors[1, 200] = 0.0
    found = by_row(trajectory, probe(net, x, vector=1e-200), factors)
    assert found["weight_ih_l0"].log10[0, 0, 0] == pytest.approx(-200 - 399, rel=1e-12)
    assert found["weight_ih_l0"].mantissa[1] == 0
