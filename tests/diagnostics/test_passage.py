"""What the edges of an estimate let pass, whatever the network does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpttcli.diagnostics.passage import passage_of, share_passed
from bpttcli.diagnostics.reach import reach_of
from bpttcli.engine.edges import Factors
from bpttcli.engine.scaled import Scaled
from bpttcli.truncation.registry import estimator_named


def edges_of(name, steps, targets=None, seed=0, **keys):
    """An estimator and edges that it made; a target at every step unless said."""
    estimator = estimator_named(name, **keys)
    marked = np.ones(steps, dtype=bool)
    if targets is not None:
        marked = np.isin(np.arange(1, steps + 1), targets)
    return estimator, estimator.edges(marked, np.random.default_rng(seed))


def passage(estimator, edges, ends, growth=0.9):
    """Of sequences that end at those steps, their adjoints as the edges leave a decay."""
    steps = max(ends)
    norms = np.zeros((steps, len(ends)))
    for n, end in enumerate(ends):
        share = share_passed(edges, end)
        norms[end - len(share) : end, n] = (share * growth ** np.arange(len(share)))[::-1]
    tau = np.array(ends)
    return passage_of(estimator, edges, tau, reach_of(Scaled.of(norms), tau, 0.01))


@pytest.mark.parametrize(
    ("name", "length", "ends", "cut_lag"),
    [
        ("fixed", 4, [12], 3),
        ("fixed", 4, [10], 1),
        ("fixed", 4, [9], 0),
        ("fixed", 4, [4], None),
        ("fixed", 4, [10, 8, 3], 3),
        ("fixed", 10, [11, 10], 9),
        ("sliding", 4, [12], 3),
        ("sliding", 4, [9], 3),
        ("sliding", 4, [4], None),
        ("sliding", 1, [12], 0),
        ("sliding", 5, [6, 5], 4),
    ],
)
def test_the_largest_lag_that_anything_reaches(name, length, ends, cut_lag):
    found = passage(*edges_of(name, 12, length=length), ends)
    assert (found.label, found.random) == (f"{name}({length})", False)
    assert found.cut_lag == cut_lag
    assert not found.weighs


@pytest.mark.parametrize("steps", [40, 2000])
def test_a_cut_is_found_however_far_it_is(steps):
    factor = np.ones(steps)
    factor[5] = 0.0
    assert len(share_passed(Factors(factor), steps)) == steps - 5
    assert len(share_passed(Factors(np.ones(steps)), steps)) == steps


def test_windows_of_many_rows_pass_whole_until_they_end():
    _, edges = edges_of("sliding", 5000, length=1500)
    share = share_passed(edges, 4000)
    np.testing.assert_array_equal(share, np.ones(1500))


def test_the_edge_to_the_initial_state_leads_to_no_step():
    assert share_passed(Factors(np.array([0.0, 1.0, 0.5])), 3).tolist() == [1.0, 0.5, 0.5]


@given(st.floats(0.01, 0.3), st.integers(0, 50))
def test_randomized_weights_are_split_off_the_growth(p, seed):
    """However few lags a draw leaves: the fit is linear in the logarithm."""
    estimator, edges = edges_of("randomized", 30, seed=seed, probability=p)
    found = passage(estimator, edges, [30, 25])
    if found.growth is None:
        assert len(share_passed(edges, 30)) == 1
        assert len(share_passed(edges, 25)) == 1
    else:
        assert found.growth == pytest.approx(1 / (1 - p), rel=1e-9)
        assert found.weighs
    assert found.random


@pytest.mark.parametrize("seed", range(5))
def test_weights_that_change_from_edge_to_edge_are_split_off_by_the_same_fit(seed):
    estimator, edges = edges_of("artbp", 30, seed=seed, alpha=6.0, mean_length=50.0)
    share = share_passed(edges, 30)
    lag = np.arange(len(share))
    norms = Scaled.of((share * 0.8**lag)[::-1, None])
    norms = Scaled.of(np.concatenate([np.zeros((30 - len(share), 1)), norms.mantissa]))
    reach = reach_of(norms, np.array([30]), 0.01)
    found = passage_of(estimator, edges, np.array([30]), reach)
    assert reach.growth_per_step / found.growth == pytest.approx(0.8, rel=1e-12)


def test_sequences_that_end_apart_and_meet_other_weights_have_no_common_growth():
    estimator = estimator_named("artbp")
    edges = Factors(np.array([1.0, 1.1, 1.2, 1.3, 1.4, 1.5]))
    found = passage(estimator, edges, [6, 3])
    assert (found.weighs, found.growth, found.cut_lag) == (True, None, None)


def test_what_is_not_reweighted_weighs_nothing():
    estimator, edges = edges_of("randomized", 30, probability=0.1, reweight=False)
    found = passage(estimator, edges, [30])
    assert (found.label, found.weighs, found.growth) == ("unreweighted(0.1)", False, 1.0)
