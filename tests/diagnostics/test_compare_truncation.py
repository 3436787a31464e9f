"""Estimators side by side: their order, and doubts about their figures."""

import math

import numpy as np
import pytest

from bpttcli.diagnostics.compare_truncation import compare_truncation
from bpttcli.diagnostics.estimator_quality import UNSETTLED
from bpttcli.engine.unroll import unroll
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding
from tests.diagnostics.test_comparing import comparing, stationary
from tests.runs import network, probe
from tests.truncation.cases import every, run


def test_a_spread_that_draws_cannot_settle_is_said_to_be_none_and_comes_last():
    trajectory, objective = stationary(0.9, 300, at_every=True)
    compare = comparing(trajectory, objective, draws=20, exact=False)
    result = compare_truncation(compare, [Randomized(0.5), Randomized(0.05), Unreweighted(0.5)])
    assert [each.label for each in result.estimators] == [
        "full", "randomized(0.05)", "unreweighted(0.5)", "randomized(0.5)",
    ]  # fmt: skip
    assert result.estimators[-1].variance == UNSETTLED
    (warning,) = result.warnings
    assert warning.startswith("the sampled std of randomized(0.5) cannot settle")
    settled = compare_truncation(comparing(trajectory, objective), [Randomized(0.5)])
    assert not settled.warnings


@pytest.mark.parametrize(
    ("estimator", "b", "settles"),
    [
        (Randomized(0.05), 0.9, True), (Randomized(0.2), 0.9, False),
        (Unreweighted(0.2), 0.9, True), (Unreweighted(0.05), 1.05, False),
        (Artbp(6.0, 16.0), 0.99, True), (Artbp(6.0, 16.0), 1.0, True),
        (Artbp(6.0, 16.0), 1.05, False),
    ],
    ids=str,
)  # fmt: skip
def test_draws_of_what_grows_faster_than_its_chance_falls_do_not_settle(estimator, b, settles):
    """β⁴ < (1 − p)³ with weights, β⁴ < 1/(1 − p) without; β < 1 for weights like powers."""
    net, x = network("linear", 1.0, b), np.ones((200, 1, 1))
    objective = probe(net, x, np.ones((200, 1), dtype=bool))
    compare = comparing(unroll(net, x), objective, draws=5, exact=False)
    result = compare_truncation(compare, [estimator], lags=150)
    assert (result.estimators[1].variance == "sampled") == settles
    assert len(result.warnings) == (not settles)


@pytest.mark.parametrize("b", [1.0, 0.0])
def test_an_adjoint_that_neither_falls_nor_grows_or_goes_nowhere_is_no_trouble(b):
    net, x = network("linear", 1.0, b), np.ones((30, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x), draws=5)
    assert not compare_truncation(compare, [Artbp(6.0, 16.0)]).warnings


def test_where_the_forward_pass_overflows_is_said():
    net, x = network("linear", 1.0, 1e100), np.ones((8, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x), draws=5)
    result = compare_truncation(compare, [Fixed(2), Randomized(0.1), Unreweighted(0.1)])
    (warning,) = result.warnings
    assert "leaves the range of float64 at step 5 (layer 0, unit 1)" in warning
    assert all(math.isnan(each.groups["all"].relative_bias) for each in result.estimators)


def test_estimators_are_sorted_by_their_error_at_equal_cost():
    trajectory, objective = run(mask=every())
    estimators = [Fixed(1), Fixed(3), Sliding(3), Randomized(0.2), Unreweighted(0.4)]
    result = compare_truncation(comparing(trajectory, objective), estimators, lags=5)
    errors = [each.rmse_at_equal_cost for each in result.estimators]
    assert errors == sorted(errors)
    assert result.estimators[0].label == "full"
    assert result.profile.lags == 5
    assert len(result.estimators) == 6


def test_progress_goes_from_nothing_to_all():
    seen = []
    trajectory, objective = run(mask=every())
    compare = comparing(trajectory, objective, draws=40)
    compare_truncation(compare, [Fixed(3), Artbp(3.0, 3.0)], progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
