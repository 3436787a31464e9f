"""What an estimate costs, counted."""

import numpy as np
import pytest

from bpttcli.diagnostics.estimator_cost import cost_of
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.full import Full
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding
from tests.truncation.cases import run

EVERY, LAST = np.ones(100, dtype=bool), np.arange(100) == 99


def cost(estimator, targets):
    return cost_of(estimator, targets, np.random.SeedSequence(0).spawn(32))


@pytest.mark.parametrize(
    ("estimator", "targets", "edges", "segment", "rows"),
    [
        (Full(), LAST, 99, 100, 1),
        (Full(), EVERY, 49.5, 100, 1),
        (Fixed(20), LAST, 19, 20, 1),
        (Fixed(30), LAST, 9, 30, 1),
        (Fixed(20), EVERY, 9.5, 20, 1),
        (Fixed(100), EVERY, 49.5, 100, 1),
        (Sliding(20), LAST, 19, 20, 1),
        (Sliding(20), EVERY, (80 * 19 + 190) / 100, 20, 20),
        (Sliding(1), EVERY, 0, 1, 1),
        (Randomized(0.0), EVERY, 49.5, 100, 1),
    ],
)
def test_a_loss_goes_back_to_the_cut_before_it(estimator, targets, edges, segment, rows):
    found = cost(estimator, targets)
    assert (found.edges, found.segment, found.rows) == (pytest.approx(edges), segment, rows)


@pytest.mark.parametrize("estimator", [Randomized(0.2), Unreweighted(0.2)])
def test_random_cuts_leave_a_geometric_number_of_steps(estimator):
    """(1 − p)/p = 4 on average, far from the start; 32 draws of 2000 steps."""
    found = cost(estimator, np.ones(2000, dtype=bool))
    assert found.edges == pytest.approx(4, abs=0.15)
    assert 20 < found.segment < 60


def test_artbp_has_segments_of_the_mean_length_asked_for():
    found = cost(Artbp(6.0, 16.0), np.ones(4000, dtype=bool))
    # Of a random step its segment's length is E l²/E l, half of which lies before it.
    survival = np.cumprod(1 - Artbp(6.0, 16.0).hazard(100_000))
    second = (2 * np.arange(1, 100_001) * survival).sum() + 16
    assert found.edges == pytest.approx((second / 16 - 1) / 2, rel=0.1)


def test_memory_is_that_of_a_segment_and_its_adjoints():
    trajectory, _ = run("lstm", layers=2, batch=3, hidden=5)
    # States h and c and the four gates of both layers, forward and once for each row back.
    a_step = 8 * 3 * 2 * (4 * 5 + 2 * 5)
    assert cost(Full(), EVERY).peak_bytes(trajectory.network, 3) == 100 * 2 * a_step
    sliding = cost(Sliding(20), EVERY).peak_bytes(trajectory.network, 3)
    assert sliding == 20 * 21 * a_step
