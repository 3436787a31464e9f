"""Lyapunov exponents against closed forms: linear, singular, random and chaotic networks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.frame import Frame
from bpttcli.diagnostics.lyapunov import Lyapunov, checked_transient, lyapunov_spectrum
from bpttcli.diagnostics.state_jacobian import state_jacobians
from bpttcli.engine.unroll import unroll
from bpttcli.errors import InputError
from tests.runs import network, silence, stack


def autonomous(cell, B, steps, seed=0):
    """h_t = φ(B h_{t−1}) from a random state."""
    start = np.random.default_rng(seed).normal(size=(1, len(B)))
    return unroll(network(cell, np.zeros((len(B), 1)), B), silence(steps), ((start,),))


def exponents(trajectory, seed=0, **more):
    return lyapunov_spectrum(trajectory, np.random.default_rng(seed), **more)


def gaussian(n, g, seed=0):
    return g * np.random.default_rng(seed).normal(size=(n, n)) / np.sqrt(n)


def log_moduli(B):
    return np.sort(np.log(np.abs(np.linalg.eigvals(B))))[::-1]


@pytest.mark.parametrize("steps", [400, 2000])
def test_a_linear_network_has_the_logarithms_of_its_eigenvalues(steps):
    """Real and well separated moduli: to rounding, once the directions have aligned."""
    rng = np.random.default_rng(1)
    values = np.array([1.3, -0.9, 0.6, -0.4, 0.2])
    Q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    B = Q @ (np.diag(values) + np.triu(rng.normal(size=(5, 5)), 1)) @ Q.T
    found = exponents(autonomous("linear", B, steps))
    np.testing.assert_allclose(found.exponents, np.log(np.abs(values)), atol=1e-9)
    np.testing.assert_allclose(found.drift, 0.0, atol=1e-9)
    assert found.transient == steps // 4


@pytest.mark.parametrize("seed", range(3))
def test_complex_pairs_agree_within_a_thousandth_after_4000_steps(seed):
    """A pair turns: its two growths oscillate, and their means differ by O(1/T)."""
    B = gaussian(20, 1.0, seed)
    found = exponents(autonomous("linear", B, 4000, seed))
    np.testing.assert_allclose(found.exponents, log_moduli(B), atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(["tanh", "linear"]),
    n=st.integers(1, 6),
    g=st.floats(0.2, 30.0),  # beyond, tanh′ of a unit may leave float64
    steps=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_sum_of_all_is_the_determinant_whatever_the_number_of_steps(cell, n, g, steps, seed):
    """Σλ_i = ln|det B| + mean Σ ln φ′ over the steps kept, also of saturated units."""
    B = gaussian(n, g, seed)
    trajectory = autonomous(cell, B, steps, seed)
    found = exponents(trajectory)
    slopes = next(trajectory.windows()).tapes[0].slopes[0][found.transient :, 0]
    expected = np.linalg.slogdet(B)[1] + np.log(slopes).sum(axis=1).mean()
    assert found.kept == steps - steps // 4
    assert found.exponents.sum() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_below_a_spectral_radius_of_1_the_largest_is_its_logarithm(seed):
    """The state decays to 0, where the slope is 1, whatever the slope was before."""
    B = gaussian(30, 0.8, seed)
    found = exponents(autonomous("tanh", B, 4000), count=1)
    assert found.exponents[0] == pytest.approx(log_moduli(B)[0], abs=1e-3)


def mean_field(g):
    """λ₁ = ½ ln(g² E sech⁴ √q z) with q = g² E tanh² √q z, for ever more units."""
    z = np.linspace(-9.0, 9.0, 2001)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    q = 1.0
    for _ in range(2000):
        q = g**2 * float(weight @ np.tanh(np.sqrt(q) * z) ** 2)
    return 0.5 * math.log(g**2 * float(weight @ np.cosh(np.sqrt(q) * z) ** -4.0))


@pytest.mark.parametrize(
    ("g", "mean", "spread", "limit"),
    [(1.5, 0.045, 0.020, 0.065217), (2.0, 0.140, 0.017, 0.154724), (3.0, 0.294, 0.005, 0.310249)],
)
def test_a_random_tanh_network_of_200_units_is_chaotic_at_the_known_rate(g, mean, spread, limit):
    """Within three spreads over matrices, and of its own standard errors."""
    assert mean_field(g) == pytest.approx(limit, abs=1e-6)
    B = gaussian(200, g, seed=1)
    found = exponents(autonomous("tanh", B, 2400), count=1)
    assert found.exponents[0] == pytest.approx(mean, abs=3 * (spread + found.standard_error[0]))
    assert log_moduli(B)[0] > found.exponents[0] + 0.3


def test_independent_gaussian_factors_have_the_exponents_of_newman():
    """λ_i = ½[ln(2g²/n) + ψ((n−i+1)/2)] (Newman 1986): within 4.5 standard errors."""
    n, g, steps = 6, 1.3, 4000
    rng = np.random.default_rng(5)
    factors = g * rng.normal(size=(steps, n, n)) / np.sqrt(n)
    logs = np.array(
        [
            sum(part.ln_diagonal for part in frame.carry([X]))
            for frame in [Frame(np.eye(n))]
            for X in factors
        ]
    )
    # ψ(½) = −γ − 2 ln 2, ψ(1) = −γ, ψ(x + 1) = ψ(x) + 1/x.
    psi = {0.5: -np.euler_gamma - 2 * math.log(2), 1.0: -np.euler_gamma}
    for twice in range(3, n + 1):
        psi[twice / 2] = psi[twice / 2 - 1] + 1 / (twice / 2 - 1)
    expected = [(math.log(2 * g**2 / n) + psi[(n - i) / 2]) / 2 for i in range(n)]
    error = logs.std(axis=0, ddof=1) / np.sqrt(steps)
    assert (np.abs(logs.mean(axis=0) - expected) < 4.5 * error).all()


def test_the_standard_error_is_that_of_the_mean():
    """Of many runs of one chaotic network the exponents scatter as the errors say."""
    B = gaussian(40, 3.0, seed=2)
    runs = [exponents(autonomous("tanh", B, 600, seed), seed, count=1) for seed in range(24)]
    scatter = np.std([run.exponents[0] for run in runs], ddof=1)
    stated = np.mean([run.standard_error[0] for run in runs])
    # 24 runs know their scatter to 1/√46 = 15 %.
    assert 0.6 < stated / scatter < 1.6


def test_any_number_of_them_are_the_first_of_all():
    trajectory = autonomous("tanh", gaussian(8, 2.0), 3000)
    every, three = exponents(trajectory), exponents(trajectory, seed=1, count=3)
    assert three.size == every.size == 8
    np.testing.assert_allclose(three.exponents, every.exponents[:3], atol=2e-3)
    assert (np.diff(every.exponents) <= 0).all()


def test_the_first_directions_do_not_matter_where_an_axis_is_invariant():
    """A single exponent of diag(0.5, 0.9) is ln 0.9, not that of the first axis."""
    found = exponents(autonomous("linear", np.diag([0.5, 0.9]), 400), count=1)
    assert found.exponents[0] == pytest.approx(math.log(0.9), abs=1e-12)


def test_layers_have_the_exponents_of_each_together():
    """A stack is block triangular: its exponents are those of its blocks."""
    net = stack(
        "linear",
        [(np.ones((2, 1)), np.diag([0.9, 0.3])), (np.ones((2, 2)), [[0.6, 0.1], [0.0, 0.1]])],
    )
    found = exponents(unroll(net, silence(800)))
    np.testing.assert_allclose(found.exponents, np.log([0.9, 0.6, 0.3, 0.1]), atol=1e-9)


@pytest.mark.parametrize(
    ("B", "finite"),
    [
        (np.zeros((3, 3)), []),
        (np.diag(np.ones(4), 1), []),
        (np.outer([1.0, 2.0, 3.0], np.ones(3)), [math.log(6)]),
        (np.diag([2.0, 0.0, 1.0]), [math.log(2), 0.0]),
    ],
    ids=["zero", "nilpotent", "rank one", "a row of zeros"],
)
def test_what_is_lost_has_the_exponent_minus_infinity(B, finite):
    found = exponents(autonomous("linear", B, 200))
    lost = len(B) - len(finite)
    assert np.isneginf(found.exponents[len(finite) :]).all()
    assert np.isnan(found.standard_error[len(finite) :]).all()
    assert len(found.exponents) == lost + len(finite)
    np.testing.assert_allclose(found.exponents[: len(finite)], finite, atol=1e-9)


@pytest.mark.parametrize("size", [1e-200, 1e-100, 1e100, 1e200])
def test_no_size_leaves_the_range(size):
    found = exponents(autonomous("linear", size * np.diag([1.0, 0.5]), 100))
    np.testing.assert_allclose(found.exponents, np.log([size, size / 2]), rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 21])
def test_few_steps_give_what_they_can(steps):
    found = exponents(autonomous("tanh", gaussian(3, 1.0), steps), transient=0)
    assert np.isfinite(found.exponents).all()
    assert np.isnan(found.standard_error).all() == (steps == 1)
    assert found.kept == steps


def plain(*values, size=None):
    array = np.array(values, dtype=float)
    blank = np.zeros(len(array))
    return Lyapunov(array, blank, blank, 0, 1, len(array) if size is None else size)


@pytest.mark.parametrize(
    ("values", "dimension", "entropy"),
    [
        ((0.5, -0.25, -1.0), 2.25, 0.5),  # 2 + 0.25/1
        ((0.9056, 0.0, -14.5723), 2 + 0.9056 / 14.5723, 0.9056),  # the Lorenz attractor
        ((-0.1, -0.2), 0.0, 0.0),
        ((0.0, 0.0), 2.0, 0.0),
        ((0.3, 0.2), 2.0, 0.5),
        ((0.3, -math.inf), 1.0, 0.3),
        ((-math.inf, -math.inf), 0.0, 0.0),
    ],
)
def test_dimension_and_entropy_rate(values, dimension, entropy):
    assert plain(*values).kaplan_yorke_dimension == pytest.approx(dimension)
    assert plain(*values).entropy_rate == pytest.approx(entropy)


def test_a_dimension_beyond_the_exponents_at_hand_is_unknown():
    assert plain(0.3, 0.2, size=3).kaplan_yorke_dimension is None


@pytest.mark.parametrize("count", [0, -1, 4])
def test_there_are_as_many_exponents_as_states(count):
    with pytest.raises(InputError, match=r"from 1 to 3 \(all states\), got") as error:
        exponents(autonomous("tanh", np.eye(3), 5), count=count)
    assert error.value.key == "lyapunov"


@pytest.mark.parametrize("transient", [-1, 5, 6])
def test_a_transient_leaves_a_step(transient):
    with pytest.raises(InputError, match=r"from 0 to 4 \(the steps, less one\), got") as error:
        checked_transient(transient, 5)
    assert error.value.key == "transient"


def test_the_slow_obvious_way_gives_the_same():
    """QR at every step, nothing else."""
    trajectory = autonomous("tanh", gaussian(5, 2.0), 300)
    rng = np.random.default_rng(0)
    Q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    total = np.zeros(5)
    for t, J in enumerate(state_jacobians(trajectory)):
        Q, R = np.linalg.qr(J @ Q)
        if t >= 75:
            total += np.log(np.abs(np.diagonal(R)))
    expected = np.sort(total / 225)[::-1]
    np.testing.assert_allclose(exponents(trajectory).exponents, expected, rtol=1e-9)
