"""What a comparison comes down to."""

import math

import msgspec
import numpy as np
import pytest

from bpttcli.diagnostics.apriori_bias import APrioriBias
from bpttcli.diagnostics.compare_truncation import Comparison
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality, Quality
from bpttcli.diagnostics.lag_profile import LagProfile
from bpttcli.diagnostics.target_bias import TargetBias
from bpttcli.engine.scaled import Scaled
from bpttcli.report.truncation_summary import summary, target_facts

EXACT = Quality(0.0, 0.0, 1.0, 1.0)
NOTHING = Quality(math.nan, math.nan, math.nan, math.nan)


def estimator(label, whole, of_B=None, *, cost=0.1, variance="none", **groups):
    """An estimator with these figures."""
    groups = {"all": whole, "B": whole if of_B is None else of_B, **groups}
    adjoint = Scaled.of(np.ones(100))
    edges = 99 * cost
    return EstimatorQuality(
        label, False, groups, variance, 0, edges, cost, 0.1, 1000, adjoint
    )  # fmt: skip


def compared(*others):
    profile = LagProfile({}, {}, {}, Scaled.of(np.ones(1)), Scaled.of(np.ones(1)))
    return Comparison(1.0, {}, (estimator("full", EXACT, cost=1.0), *others), profile, ())


SHORT = estimator("fixed(10)", Quality(0.4, 0.0, 0.9, 0.62), Quality(0.5, 0.0, 0.5, 0.61))
LONG = estimator("fixed(50)", Quality(0.05, 0.0, 0.999, 0.98), cost=0.5)
WINDOW = estimator("sliding(30)", Quality(0.08, 0.0, 0.999, 0.98), cost=0.3)
NOISY = estimator("artbp(6,16)", Quality(0.0, 0.02, 1.0, 1.0), variance=UNSETTLED)
WHOLE = estimator("fixed(500)", EXACT, cost=1.0)


def test_it_says_what_the_shortest_segments_leave_and_what_would_be_enough():
    assert summary(compared(LONG, WHOLE, WINDOW, SHORT)) == [
        "fixed(10) keeps 61% of the gradient of B and turns it by 60°.",
        "sliding(30) is the cheapest within 10%: error 0.08, 29.7 steps back instead of 99.",
    ]


def test_what_is_good_enough_may_be_said():
    assert "fixed(50) is the cheapest within 6%" in summary(compared(LONG, WINDOW), 0.06)[1]


def test_windows_as_long_as_the_sequence_say_so_only_where_there_is_nothing_else():
    assert summary(compared(WHOLE)) == [
        "fixed(500) is as long as the sequence: it is the exact gradient."
    ]
    assert (
        "None is within 10% of the exact gradient at less than its cost; fixed(10)"
        in (summary(compared(WHOLE, SHORT))[1])
    )


def test_a_spread_that_cannot_settle_recommends_nothing():
    assert summary(compared(NOISY, SHORT))[1] == (
        "None is within 10% of the exact gradient at less than its cost; fixed(10) is closest, "
        "error 0.4."
    )
    assert summary(compared(NOISY)) == [
        "None is within 10% of the exact gradient at less than its cost."
    ]


@pytest.mark.parametrize(
    ("quality", "says"),
    [
        (Quality(0.1, 0.0, 1.0, 1.0), "keeps 100% of the gradient of B and turns it by 0°."),
        (Quality(0.5, 0.0, 1.0, 1.5), "makes the gradient of B 1.5 times as long and turns it"),
        (Quality(9e9, 0.0, 1.0, 9e9), "makes the gradient of B 9.0e+09 times as long"),
        (Quality(1.0, 0.0, math.nan, 0.0), "keeps 0% of the gradient of B."),
        (Quality(1.5, 0.0, -0.5, 0.5), "turns it by 120°: it points the wrong way."),
    ],
)
def test_a_gradient_may_be_longer_or_turned_round(quality, says):
    assert says in summary(compared(estimator("fixed(3)", quality)))[0]


def test_every_parameter_that_is_turned_round_is_named():
    wrong = Quality(1.5, 0.0, -1.0, 0.5)
    right = Quality(0.5, 0.0, 1.0, 0.5)
    one = estimator("fixed(10)", right, weight_ih_l0=wrong, weight_hh_l0=wrong)
    two = estimator("sliding(10)", right, weight_ih_l0=wrong, weight_hh_l0=wrong)
    three = estimator("fixed(50)", right, weight_ih_l0=right, weight_hh_l0=right)
    assert summary(compared(one, two, three))[2:] == [
        "The mean of fixed(10), sliding(10) points the wrong way for weight_ih_l0, weight_hh_l0."
    ]


def test_without_a_gradient_there_is_nothing_to_say():
    assert summary(compared(estimator("fixed(3)", NOTHING))) == [
        "The exact gradient is zero or not a finite number: nothing to compare with."
    ]


FOUND = TargetBias(
    target=0.1, sliding=22, sliding_from=22, sliding_bias=0.0985, fixed=88, fixed_bias=0.0992,
    probability=0.0123987, sampled=False,
    apriori=APrioriBias(0.9, 10.0, np.where(np.arange(1, 41) < 24, np.inf, 0.1)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({}, 0, "sliding(22), bias 0.0985"),
        ({"sliding_from": 30}, 0, "every longer one only from sliding(30) on"),
        ({"sliding_from": None}, 0, "some longer ones are not"),
        ({"sliding": None, "sliding_bias": None}, 0, "none"),
        ({}, 1, "fixed(88), bias 0.0992"),
        ({"fixed": None}, 1, "none"),
        ({}, 2, "randomized(p) up to p = 0.0123, by its std (exact)"),
        ({"sampled": True}, 2, "(sampled)"),
        ({"probability": None}, 2, "none"),
        ({}, 3, "sliding(24), from the decay of the adjoint alone (the adjoint changes by 0.9"),
        ({"sliding": 30}, 3, "too short, do not trust it here"),
        ({"apriori": APrioriBias(math.nan, 1.0, np.full(9, np.inf))}, 3, "no window, from the"),
    ],
)
def test_a_target_names_each_kind(changes, place, says):
    found = target_facts(msgspec.structs.replace(FOUND, **changes))[place][1]
    assert says in found
    assert "nan" not in found
