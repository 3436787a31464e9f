"""A parameter whose early influence is of the wrong sign (Tallec & Ollivier 2017, section 5).

B = ½(1 + superdiagonal), n = 23; the input is θv, v = (+1 ten times, −1 thirteen times), the
loss ½(h¹ − 1)² at every step. The state goes on from segment to segment, and after each of them
θ ← θ − η Σ ∂/∂θ: a linear map of (h, θ), whose spectral radius tells all. Here θ is the one
entry of A that can matter in a first layer which hands it on; the second is frozen.
"""

import numpy as np
import pytest

from bpttcli.engine.cells import cell_named
from bpttcli.engine.losses import SquaredError, target_weights
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.registry import estimator_named

SIZE, POSITIVE, RATE, STEPS = 23, 10, 3e-5, 30_000
V = np.where(np.arange(SIZE) < POSITIVE, 1.0, -1.0)
B = 0.5 * (np.eye(SIZE) + np.eye(SIZE, k=1))
START, BEST = 0.5, -1 / 6


def network(theta):
    first, second = np.zeros((SIZE, 1)), np.zeros((SIZE, SIZE))
    first[0], second[:, 0] = theta, V
    return Network.from_parameters(
        cell_named("linear"),
        {
            "weight_ih_l0": first,
            "weight_hh_l0": np.zeros((SIZE, SIZE)),
            "weight_ih_l1": second,
            "weight_hh_l1": B,
            "readout.weight": np.eye(1, SIZE),
        },
    )


def gradient(h, theta, steps, edges=None):
    """∂L/∂A of the first layer, the states after the segment, and L = mean (h¹ − 1)²."""
    start = ((np.zeros((1, SIZE)),), (h[None],))
    trajectory = unroll(network(theta), np.ones((steps, 1, 1)), start)
    everywhere = target_weights(np.ones((steps, 1), dtype=bool))
    found = estimate(trajectory, SquaredError(np.ones((steps, 1, 1)), everywhere), edges)
    return found.gradient["weight_ih_l0"].value, trajectory.end()[1][0][0], float(found.loss[0])


def step(state, steps, edges=None):
    """One segment and its update; η is for a sum of ½e², L a mean of e²: hence ηK/2."""
    g, h, _ = gradient(state[:-1], state[-1], steps, edges)
    return np.append(h, state[-1] - RATE * steps / 2 * g[0, 0])


def segment_map(steps):
    """One segment as (h, θ) ↦ M (h, θ) + m."""
    m = step(np.zeros(SIZE + 1), steps)
    return np.array([step(unit, steps) - m for unit in np.eye(SIZE + 1)]).T, m


def theta_over_time(steps):
    """θ after each segment."""
    M, m = segment_map(steps)
    state, thetas = np.append(np.zeros(SIZE), START), []
    for _ in range(STEPS // steps):
        state = M @ state + m
        thetas.append(state[-1])
    return np.array(thetas)


def test_the_best_theta_is_minus_a_sixth():
    """In the stationary state h¹ = θ Σ_k e₁ᵀ B^k v = −6 θ."""
    h = np.linalg.solve(np.eye(SIZE) - B, V * BEST)
    assert h[0] == pytest.approx(1, rel=1e-14)
    g, _, loss = gradient(h, BEST, 50)
    assert loss < 1e-28
    assert np.abs(g).max() < 1e-12


def test_no_other_entry_of_the_first_layer_has_a_gradient():
    g, _, _ = gradient(np.ones(SIZE), START, 30)
    assert g[0, 0] != 0
    assert not g[1:].any()


def test_spectral_radius_and_norm_of_b_tell_nothing_of_it():
    assert np.abs(np.linalg.eigvals(B)).max() == pytest.approx(0.5, rel=1e-12)
    assert np.linalg.norm(B, 2) == pytest.approx(np.cos(np.pi / (2 * SIZE + 1)), rel=1e-12)


@pytest.mark.parametrize(
    ("steps", "radius"),
    [(10, 1.008962), (100, 1.008666), (109, 1.000597), (110, 0.999702), (200, 0.920314)],
)
def test_truncated_training_converges_from_110_steps_on(steps, radius):
    """The stationary gradient −6 + 658/K has the right sign for the first time at K = 110."""
    M, _ = segment_map(steps)
    assert np.abs(np.linalg.eigvals(M)).max() == pytest.approx(radius, abs=5e-7)


def test_segments_of_10_steps_diverge():
    thetas = theta_over_time(10)
    passed = 10 * (1 + int(np.argmax(np.abs(thetas) > 1e6)))
    assert 15_900 < passed < 16_100


def test_segments_of_100_steps_move_away():
    thetas = theta_over_time(100)
    assert thetas[-1] == pytest.approx(7.6, abs=0.05)
    away = np.abs(thetas - BEST)
    assert (np.diff(away[100:]) > 0).all()


def test_segments_of_200_steps_converge():
    assert abs(theta_over_time(200)[-1] - BEST) == pytest.approx(2.2e-6, rel=0.01)


def test_the_map_is_what_training_does():
    """Thirty segments, one after the other, against thirty powers of the map."""
    M, m = segment_map(100)
    ours = theirs = np.append(np.zeros(SIZE), START)
    for _ in range(30):
        ours, theirs = step(ours, 100), M @ theirs + m
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


@pytest.mark.parametrize("seed", range(3))
def test_cuts_at_random_converge_although_they_come_every_16_steps(seed):
    """ARTBP: segments far shorter than fixed ones need to be, and no bias."""
    rng = np.random.default_rng(seed)
    estimator = estimator_named("artbp", alpha=6.0, mean_length=16.0)
    everywhere = np.ones(200, dtype=bool)
    state = np.append(np.zeros(SIZE), START)
    segments = 0
    for _ in range(STEPS // 200):
        edges = estimator.edges(everywhere, rng)
        segments += 1 + int((edges.factor == 0).sum())
        state = step(state, 200, edges)
    assert abs(state[-1] - BEST) < 1e-9
    assert STEPS / segments < 20
