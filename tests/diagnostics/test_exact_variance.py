"""The exact variance of randomized truncation, against all patterns of cuts and closed forms."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.exact_variance import exact_variance, variance_cost
from bpttcli.diagnostics.one_step import one_step
from bpttcli.engine.cells import CELLS
from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.randomized import Moments, Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding
from tests import naive
from tests.runs import close, mask_of, network, probe, readout_loss, silence, stack
from tests.truncation.cases import STEPS, every, run, targets

P = 0.3
WHERE = {
    "last": lambda batch: None,
    "every": lambda batch: every(batch=batch),
    "masked": lambda batch: mask_of(STEPS, *[[2, 5], [3, 4, 7]][:batch]),
}


def patterns(trajectory, objective, p, kept):
    """Probability of every pattern of cuts, and the gradients it leaves, each in one row."""
    edges = trajectory.steps - 1
    cut = np.array(list(itertools.product([False, True], repeat=edges)))
    weight = np.where(cut, p, 1 - p).prod(axis=1)
    factors = np.hstack([np.ones((len(cut), 1)), np.where(cut, 0.0, kept)])
    found = [estimate(trajectory, objective, Factors(factor)).gradient for factor in factors]
    return weight, {
        name: np.array([gradient[name].value.ravel() for gradient in found]) for name in found[0]
    }


@pytest.mark.parametrize("estimator", [Randomized(P), Unreweighted(P)], ids=lambda e: e.label)
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_it_is_the_variance_over_all_patterns(cell, layers, batch, where, estimator):
    trajectory, objective = run(cell, layers=layers, batch=batch, mask=WHERE[where](batch))
    kept = 1 / (1 - P) if isinstance(estimator, Randomized) else 1.0
    weight, gradients = patterns(trajectory, objective, P, kept)
    mean = estimate(trajectory, objective, estimator.mean(targets(objective))).gradient
    found = exact_variance(trajectory, objective, estimator.moments)
    assert list(found) == list(gradients)
    for name, rows in gradients.items():
        centre = weight @ rows
        close(mean[name].value.ravel(), centre, rtol=1e-12)
        if name.startswith("readout"):
            assert found[name].value == 0
        else:
            wanted = (weight @ (rows - centre) ** 2).sum()
            np.testing.assert_allclose(found[name].value, wanted, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_with_the_loss_at_the_last_step_it_weighs_the_squared_biases_of_windows(cell):
    """The sum over j of p q^−j ‖gradient − sliding(j)‖²."""
    steps, p = 50, 0.1
    trajectory, objective = run(cell, steps=steps, layers=2)
    found = exact_variance(trajectory, objective, Randomized(p).moments)
    exact = estimate(trajectory, objective).gradient
    wanted = dict.fromkeys(exact, 0.0)
    for j in range(1, steps):
        window = Sliding(j).mean(targets(objective))
        for name, value in estimate(trajectory, objective, window).gradient.items():
            missing = exact[name].value - value.value
            wanted[name] += p * (1 - p) ** -j * (missing**2).sum()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name].value, value, rtol=1e-11, atol=1e-28)


def forward(trajectory, objective, moments):
    """All entries of weight_hh_l0 by the forward sensitivity, the batch as one state."""
    net, batch = trajectory.network, trajectory.batch
    (window,) = trajectory.windows()
    maps = one_step(net, window)
    top = window.tapes[-1].states[0][1:]
    hidden = objective.source(net, top, 0, window.stop).hidden
    steps, _, size, _ = maps.J.mantissa.shape
    gates, H = net.layers[0].B.shape
    J, said = np.zeros((steps, batch * size, batch * size)), np.zeros((steps, batch * size))
    E = np.zeros((steps, batch * size, gates * H))
    begin = size - len(net.cell.states) * H
    for n in range(batch):
        own = slice(n * size, (n + 1) * size)
        J[:, own, own] = maps.J.value[:, n]
        said[:, n * size + begin : n * size + begin + H] = hidden[:, n] / batch
        before = window.tapes[0].states[0][:-1, n]
        by_weights = np.einsum("tis,tj->tsij", maps.own[0].value[:, n], before)
        E[:, own] = by_weights.reshape(steps, size, -1)
    return naive.truncated_variance(J, E, said, moments.mean, moments.variance).sum()


@pytest.mark.parametrize("moments", [Randomized(0.05).moments, Unreweighted(0.2).moments])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_long_runs_agree_with_the_forward_sensitivity(cell, batch, moments):
    """More steps than are carried one by one, with targets here and there."""
    rng = np.random.default_rng(4)
    mask = rng.random((60, batch)) < 0.3
    mask[40] = True
    trajectory, objective = run(cell, steps=60, batch=batch, layers=2, mask=mask, gain=1.2)
    found = exact_variance(trajectory, objective, moments)
    wanted = forward(trajectory, objective, moments)
    np.testing.assert_allclose(found["weight_hh_l0"].value, wanted, rtol=1e-12)


def scalar(b, x, mask, *, h0=0.0):
    """A linear unit, a = c = 1, without biases; squared error against 0."""
    net = network("linear", 1.0, b, **{"readout.weight": np.eye(1)})
    x = np.asarray(x, dtype=float)[:, None, None]
    trajectory = unroll(net, x, ((np.full((1, 1), h0),),))
    return trajectory, readout_loss("mse", np.zeros_like(x), mask)


@pytest.mark.parametrize("p", [0.01, 0.3])
@pytest.mark.parametrize("b", [0.9, -0.9, 1.02, -0.999])
def test_a_scalar_with_a_loss_at_every_step_follows_its_recursion(b, p):
    steps, q = 300, 1 - p
    x = np.random.default_rng(0).normal(size=steps)
    trajectory, objective = scalar(b, x, every(steps, 1))
    found = exact_variance(trajectory, objective, Randomized(p).moments)
    (window,) = trajectory.windows()
    h = window.tapes[0].states[0][:, 0, 0]
    s = 2 * h[1:] / steps
    g, v = np.zeros(steps + 2), np.zeros(steps + 2)
    for t in range(steps, 0, -1):
        g[t] = s[t - 1] + b * g[t + 1]
        if t < steps:
            v[t] = b**2 * (v[t + 1] / q + p / q * g[t + 1] ** 2)
    for name, u in (("weight_hh_l0", h[:-1]), ("weight_ih_l0", x)):
        D, wanted = 0.0, 0.0
        for t in range(1, steps):
            D = u[t - 1] + b * D
            wanted += p / q * b**2 * D**2 * (g[t + 1] ** 2 + v[t + 1])
        np.testing.assert_allclose(found[name].value, wanted, rtol=1e-12)


B = 0.9


def stationary(steps, mask):
    """The state stands still at 1/(1 − b)."""
    return scalar(B, np.ones(steps), mask, h0=1 / (1 - B))


@pytest.mark.parametrize(("p", "limit"), [(0.02, 0.095294), (0.05, 0.289286), (0.1, 0.9)])
def test_a_stationary_scalar_has_its_relative_variance(p, limit):
    """What is left out after T steps is of the order (b²/q)^T: 0.9^400 for the largest p."""
    trajectory, objective = stationary(400, mask_of(400, [400]))
    found = exact_variance(trajectory, objective, Randomized(p).moments)["weight_hh_l0"]
    exact = estimate(trajectory, objective).gradient["weight_hh_l0"].value.item()
    relative = found.value / exact**2
    np.testing.assert_allclose(relative, p * B**2 / (1 - p - B**2), rtol=1e-11)
    assert round(float(relative), 6) == limit


def test_a_loss_at_every_step_divides_it_by_the_steps():
    """Up to 12/T: the steps next to both ends are not stationary."""
    steps, p = 4000, 0.05
    trajectory, objective = stationary(steps, every(steps, 1))
    found = exact_variance(trajectory, objective, Randomized(p).moments)["weight_hh_l0"]
    exact = estimate(trajectory, objective).gradient["weight_hh_l0"].value.item()
    wanted = p * B**2 / (1 - p - B**2) * (1 + B) / ((1 - B) * steps)
    np.testing.assert_allclose(found.value / exact**2, wanted, rtol=15 / steps)


def test_without_reweighting_it_is_smaller():
    """Over w_0², the part of the gradient that crosses no edge."""
    p, q = 0.05, 0.95
    trajectory, objective = stationary(400, mask_of(400, [400]))
    found = exact_variance(trajectory, objective, Unreweighted(p).moments)["weight_hh_l0"]
    exact = estimate(trajectory, objective).gradient["weight_hh_l0"].value.item()
    own = exact * (1 - B)
    wanted = B**2 * p * q / ((1 - B * q) ** 2 * (1 - B**2 * q))
    np.testing.assert_allclose(found.value / own**2, wanted, rtol=1e-11)


@pytest.mark.parametrize("estimator", [Randomized(0.2), Unreweighted(0.2)], ids=lambda e: e.label)
def test_ten_thousand_draws_scatter_as_it_says(estimator):
    """The mean squared distance from the mean, within four standard errors of it."""
    trajectory, objective = run(mask=every())
    where, rng = targets(objective), np.random.default_rng(0)
    found = exact_variance(trajectory, objective, estimator.moments)
    mean = estimate(trajectory, objective, estimator.mean(where)).gradient
    drawn = np.array([estimator.edges(where, rng).factor for _ in range(10_000)])
    factors, times = np.unique(drawn, axis=0, return_counts=True)
    gradients = [estimate(trajectory, objective, Factors(factor)).gradient for factor in factors]
    for name, variance in found.items():
        distance = np.array([((g[name].value - mean[name].value) ** 2).sum() for g in gradients])
        mean_distance = times @ distance / times.sum()
        spread = times @ (distance - mean_distance) ** 2 / times.sum()
        error = np.sqrt(spread / times.sum())
        assert abs(mean_distance - variance.value) <= 4 * error + 1e-25


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(np.asarray(array, dtype=float))


def in_fractions(layers, said, u, moments):
    """Variance of weights of width 1 that add u_t to each unit of a linear stack, by layer.

    `layers` (A, B) are square, so that all states of the stack are one linear map of those
    before, and said (T, H) speaks to the top.
    """
    width, depth = len(layers[0][1]), len(layers)
    size, steps = width * depth, len(said)
    one = fractions(np.eye(width))
    J, E = fractions(np.zeros((size, size))), fractions(np.zeros((size, size)))
    for k in range(depth):
        path = one
        for above in range(k, depth):
            if above > k:
                path = fractions(layers[above][0]) @ path
            rows, columns = (
                slice(above * width, (above + 1) * width),
                slice(k * width, (k + 1) * width),
            )
            E[rows, columns] = path
            J[rows, columns] = path @ fractions(layers[k][1])
    spoken = fractions(np.zeros((steps, size)))
    spoken[:, -width:] = fractions(said)
    mean, variance = Fraction(moments.mean), Fraction(moments.variance)
    found = naive.truncated_variance(
        [J] * steps, [E * Fraction(float(v)) for v in u], spoken, mean, variance
    )
    return found.reshape(depth, width).sum(axis=1)


SIZES = [1e20, 1e-20, 1e-90, 1.0, 0.0]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SIZES), st.sampled_from(SIZES)), min_size=1, max_size=3),
    st.integers(0, 100),
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.sampled_from([Randomized(0.5), Unreweighted(0.25)]),
)
def test_adjoints_that_leave_the_range_have_the_variance_of_exact_fractions(
    sizes, seed, marked, estimator
):
    """A linear stack at rest, of layers far from each other: only its biases have gradients.

    All numbers are positive: nothing cancels, so that every digit can be compared.
    """
    rng = np.random.default_rng(seed)
    layers = [
        (a * rng.uniform(0.5, 1, size=(2, 2)), b * rng.uniform(0.5, 1, size=(2, 2)))
        for a, b in sizes
    ]
    net = stack("linear", layers)
    net = type(net).from_parameters(
        net.cell,
        net.parameters | {f"bias_hh_l{k}": np.zeros(2) for k in range(len(layers))},
    )
    mask, x = mask_of(9, marked), silence(9, inputs=2)
    objective = probe(net, x, mask, [1.0, 2.0])
    found = exact_variance(unroll(net, x), objective, estimator.moments)
    said = objective.weights[:, :1] * objective.vector
    wanted = in_fractions(layers, said, np.ones(9), estimator.moments)
    for k, value in enumerate(wanted):
        log10 = naive.log10_of(value) if value else -np.inf
        np.testing.assert_allclose(found[f"bias_hh_l{k}"].log10, log10, rtol=1e-12, atol=1e-12)
        assert found[f"weight_hh_l{k}"].value == 0


@pytest.mark.parametrize("where", [[700], [1, 350, 700]], ids=["last", "three"])
@pytest.mark.parametrize("b", [5 / 32, 10.0])
def test_a_long_run_goes_far_beyond_the_range(b, where):
    """log10 of −500 and 1100, where float64 ends at 308; the state is at rest, the bias learns."""
    steps, p = 700, 0.5
    net = network("linear", 0.0, b, bias_ih_l0=np.zeros(1))
    x = silence(steps)
    objective = probe(net, x, mask_of(steps, where), 1e-250)
    found = exact_variance(unroll(net, x), objective, Randomized(p).moments)["bias_ih_l0"]
    layers = [(np.zeros((1, 1)), np.array([[b]]))]
    (wanted,) = in_fractions(
        layers, objective.weights * 1e-250, np.ones(steps), Randomized(p).moments
    )
    np.testing.assert_allclose(found.log10, naive.log10_of(wanted), rtol=1e-13, atol=1e-11)


def test_states_near_the_end_of_the_range_are_no_obstacle():
    """h_t grows to 1e150 forward, the adjoint to 1e300 backward."""
    steps, b = 31, 1e5
    net = network("linear", 1.0, b)
    x = np.ones((steps, 1, 1))
    trajectory, moments = unroll(net, x), Randomized(0.5).moments
    objective = probe(net, x, None, 1e150)
    found = exact_variance(trajectory, objective, moments)["weight_hh_l0"]
    (window,) = trajectory.windows()
    h = window.tapes[0].states[0][:-1, 0, 0]
    (wanted,) = in_fractions([(np.eye(1), np.array([[b]]))], 1e150 * objective.weights, h, moments)
    assert found.log10 > 590
    np.testing.assert_allclose(found.log10, naive.log10_of(wanted), atol=1e-12)


def test_a_forward_pass_that_overflows_leaves_no_number():
    net = network("linear", 1.0, 10.0, **{"readout.weight": np.eye(1)})
    x = np.ones((400, 1, 1))
    objective = readout_loss("mse", np.zeros_like(x), every(400, 1))
    found = exact_variance(unroll(net, x), objective, Randomized(0.5).moments)
    assert np.isnan(found["weight_hh_l0"].mantissa)
    assert found["readout.weight"].value == 0


@pytest.mark.parametrize(
    ("mask", "moments"),
    [
        (every(), Randomized(0.0).moments),
        (every(), Unreweighted(0.0).moments),
        (mask_of(STEPS, [1], [1]), Randomized(P).moments),
    ],
    ids=["never cut", "never cut, not reweighted", "no edge on the way"],
)
def test_what_is_never_cut_does_not_vary(mask, moments):
    trajectory, objective = run("lstm", layers=2, mask=mask)
    assert all(v.value == 0 for v in exact_variance(trajectory, objective, moments).values())


def test_a_single_step_has_no_edge():
    trajectory, objective = run(steps=1)
    found = exact_variance(trajectory, objective, Randomized(P).moments)
    assert not any(value.value for value in found.values())


def test_a_probability_near_zero_keeps_its_digits():
    """Then the variance is p times what one cut takes away, squared, summed over the edges."""
    trajectory, objective = run(mask=every())
    exact = estimate(trajectory, objective).gradient["weight_hh_l0"].value
    wanted = 0.0
    for edge in range(1, STEPS):
        factor = np.ones(STEPS)
        factor[edge] = 0.0
        cut = estimate(trajectory, objective, Factors(factor)).gradient["weight_hh_l0"].value
        wanted += ((exact - cut) ** 2).sum()
    found = exact_variance(trajectory, objective, Randomized(1e-14).moments)
    np.testing.assert_allclose(found["weight_hh_l0"].value / 1e-14, wanted, rtol=1e-12)


@pytest.mark.parametrize("cell", ["tanh", "gru"])
def test_symbols_are_one_hot_vectors(cell):
    trajectory, objective = run(cell, mask=every())
    symbols = np.random.default_rng(0).integers(2, size=(STEPS, 2))
    both = [unroll(trajectory.network, x) for x in (symbols, np.eye(2)[symbols])]
    one, other = (exact_variance(t, objective, Randomized(P).moments) for t in both)
    for name, value in one.items():
        np.testing.assert_allclose(value.value, other[name].value, rtol=1e-13)


@pytest.mark.parametrize("keep", [True, False])
def test_windows_make_no_difference(keep):
    trajectory, objective = run("lstm", steps=40, layers=2, mask=every(40))
    in_windows = unroll(trajectory.network, trajectory.x, trajectory.start, window=7, keep=keep)
    whole = exact_variance(trajectory, objective, Randomized(P).moments)
    found = exact_variance(in_windows, objective, Randomized(P).moments)
    for name, value in whole.items():
        np.testing.assert_allclose(found[name].value, value.value, rtol=1e-13)


def test_biases_that_a_network_lacks_have_no_variance_to_name():
    net = network("gru", np.ones((3, 1)), np.ones((3, 1)), bias_hh_l0=np.ones(3))
    x = silence(4)
    found = exact_variance(unroll(net, x), probe(net, x), Randomized(P).moments)
    assert list(found) == ["weight_ih_l0", "weight_hh_l0", "bias_hh_l0"]
    assert found["weight_ih_l0"].value == 0 < found["bias_hh_l0"].value


@given(st.permutations(range(3)), st.sampled_from(sorted(CELLS)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_sequences_is_irrelevant(order, cell):
    mask = mask_of(STEPS, [3], [2, 8], [5, 6])
    trajectory, objective = run(cell, batch=3, mask=mask)
    start = tuple(tuple(state[order] for state in layer) for layer in trajectory.start)
    moved = unroll(trajectory.network, trajectory.x[:, order], start)
    other = readout_loss("mse", objective.y[:, order], mask[:, order])
    found = exact_variance(moved, other, Randomized(P).moments)
    for name, value in exact_variance(trajectory, objective, Randomized(P).moments).items():
        np.testing.assert_allclose(found[name].value, value.value, rtol=1e-13)


def test_progress_rises_to_the_whole():
    trajectory, objective = run(mask=every())
    shares = []
    exact_variance(trajectory, objective, Moments(1.0, 0.5), shares.append)
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (STEPS, 1.0)


def test_its_cost_grows_with_the_steps_and_between_the_cube_and_the_fourth_power_of_units():
    def cost(**sizes):
        return variance_cost(run(**{"steps": 100, "hidden": 32, **sizes})[0])

    assert cost(steps=200) == 2 * cost()
    assert 8 < cost(hidden=64) / cost(hidden=32) < 16
    assert cost(batch=4) > 4 * cost(batch=1)
    assert cost(layers=2) > 2 * cost()
    assert cost(cell="lstm") > cost(cell="tanh")
