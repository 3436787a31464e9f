"""How many edges the gradient of a loss crosses."""

import numpy as np
import pytest

from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.random_length import RandomLength
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.stopping import Stopped, Stopping

STEPS = 40


@pytest.mark.parametrize(
    "estimator",
    [Randomized(0.2), Unreweighted(0.2), RandomLength(6.0, 2.0, 0.3, 2)],
    ids=lambda each: each.label,
)
def test_it_is_as_often_as_edges_are_crossed(estimator):
    """Of 4000 draws, the share that crosses k edges from the last step or more."""
    where = np.arange(STEPS) == STEPS - 1
    crossed = []
    for seed in range(4000):
        factor = estimator.edges(where, np.random.default_rng(seed)).factor
        crossed.append(STEPS - 1 - np.flatnonzero(factor == 0).max(initial=0))
    law = estimator.stopping(STEPS)
    reach = np.exp2(law.log2)
    for k in range(STEPS):
        share = np.mean(np.array(crossed) >= k)
        noise = np.sqrt(max(reach[k] * (1 - reach[k]), 1e-9) / len(crossed))
        assert abs(share - reach[k]) <= 4.5 * noise
    # The hazards are those of these chances.
    passed = np.cumprod(1 - law.hazard)
    np.testing.assert_allclose(passed, reach[1:], rtol=1e-9, atol=1e-15)


def test_many_edges_do_not_end_where_float64_does():
    law = Stopping.alike(0.5, 5000)
    np.testing.assert_allclose(law.log2, -np.arange(5000.0), rtol=1e-14)


def test_weights_that_depend_on_the_cut_have_no_such_law():
    assert not isinstance(Artbp(6.0, 16.0), Stopped)
    assert not isinstance(Fixed(3), Stopped)
    assert isinstance(Unreweighted(0.1), Stopped)
