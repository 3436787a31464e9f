"""The verdict follows from the measured figures alone, and says why and what to try."""

import numpy as np
import pytest

from bpttcli.diagnostics.own_path import OwnPath
from bpttcli.diagnostics.passage import Passage
from bpttcli.diagnostics.reach import reach_of
from bpttcli.diagnostics.verdict import Limits, Recurrence, judge
from bpttcli.engine.scaled import Scaled


def reach(by_lag):
    norms = np.array(by_lag, dtype=float)[::-1, None]
    return reach_of(Scaled.of(norms), np.array([len(norms)]), 0.01)


def recurrence(**changes):
    figures = {
        "cell": "tanh",
        "spectral_radius": 0.75,
        "spectral_norm": 1.25,
        "slope": 0.625,
        "saturated": 0.25,
    }
    return Recurrence(**{**figures, **changes})


def verdict(by_lag, limits=None, **changes):
    return judge(reach(by_lag), recurrence(**changes), limits or Limits())


@pytest.mark.parametrize(
    ("last", "name"),
    [
        (0.9e-3, "vanishing"),
        (1.1e-3, "stable"),
        (1.0, "stable"),
        (0.9e3, "stable"),
        (1.1e3, "exploding"),
    ],
)
@pytest.mark.parametrize("size", [1e-100, 1.0, 1e100])
def test_the_name_is_that_of_the_ratio_of_the_first_step_to_the_target(last, name, size):
    assert verdict([size, size, size * last]).name == name


@pytest.mark.parametrize(
    ("ratio", "name"), [(0.4, "vanishing"), (0.6, "stable"), (1.9, "stable"), (2.1, "exploding")]
)
def test_both_limits_can_be_set(ratio, name):
    assert verdict([1.0, ratio], Limits(0.5, 2.0)).name == name


def test_a_single_step_is_stable_and_has_no_growth():
    found = verdict([1.0])
    assert found.name == "stable"
    assert "a single step" in found.cause


def test_the_cause_splits_the_growth_into_what_the_slope_and_what_b_does():
    """Each step by ⅛: the slope 0.625 times 0.2 through B."""
    cause = verdict(0.125 ** np.arange(9)).cause
    for part in ("0.125", "0.625", "0.2 ", "radius 0.75", "norm 1.25", "25%", "tanh"):
        assert part in cause


def test_a_linear_cell_has_no_slope_to_blame():
    cause = verdict(0.5 ** np.arange(20), cell="linear", slope=1.0, saturated=0.0).cause
    assert "0.5" in cause
    assert "slope" not in cause
    assert "saturated" not in cause


def test_a_gated_cell_is_split_into_its_own_path_and_b():
    found = verdict(
        0.5 ** np.arange(20), cell="lstm", slope=np.nan, own_path=OwnPath("f", 0.375, 0.875, 6)
    )
    assert found.name == "vanishing"
    for part in ("0.5", "0.375", "lstm", "0.75", "88%", "6 steps back", "gate f"):
        assert part in found.cause
    assert "model.init.forget_bias=2.9 " in found.advice  # ln 19


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cell": "linear", "slope": 1.0}, "--init orthogonal"),
        ({"cell": "relu"}, "--init identity"),
        ({"spectral_radius": 0.1, "slope": 0.9}, "--init orthogonal"),
        ({"spectral_radius": 0.9, "slope": 0.1}, "another B alone will not help"),
        ({"spectral_radius": 2.0, "slope": 0.4}, "another B alone will not help"),
        ({"spectral_radius": 0.0, "slope": 0.0}, "another B alone will not help"),
    ],
)
def test_advice_against_vanishing_goes_where_the_loss_is(changes, words):
    """At growth 0.1 the horizon is 2, as far as a loss may stand from what it depends on."""
    found = verdict(0.1 ** np.arange(9), **changes)
    assert words in found.advice
    assert "at most 2 steps" in found.advice


def test_advice_against_explosion_names_the_radius_that_brings_the_growth_to_one():
    found = verdict(3.0 ** np.arange(9), spectral_radius=4.5)
    assert found.name == "exploding"
    assert "spectral_radius=1.5 " in found.advice
    assert "Clip" in found.advice


@pytest.mark.parametrize(
    ("by_lag", "words"),
    [([1.0, 0.5], "Nothing needs to change"), ([1, 0.5, 0.005], "after 1 steps")],
)
def test_advice_for_what_is_stable_says_how_far_it_reaches(by_lag, words):
    assert words in verdict(by_lag).advice


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cell": "relu", "dead_at": 7}, "dead (a ≤ 0) at step 7"),
        ({"spectral_norm": 0.0}, "B (hidden → hidden) is zero"),
        ({"spectral_norm": 0.0, "dead_at": 7}, "B (hidden → hidden) is zero"),
        ({}, "it has not decayed"),
    ],
)
def test_an_exact_zero_is_vanishing_with_its_lag_and_its_own_cause(changes, words):
    found = verdict([1.0, 0.9, 0.0, 0.0], **changes)
    assert (found.name, found.zero_beyond_lag) == ("vanishing", 1)
    assert words in found.cause
    assert "beyond lag 1" in found.cause


def test_a_cut_stays_one_though_the_gradient_grew_before():
    assert verdict([1.0, 1e9, 0.0]).name == "vanishing"


def test_what_merely_decayed_is_no_cut():
    assert verdict([1.0, 1e-300]).zero_beyond_lag is None


@pytest.mark.parametrize(
    ("by_lag", "changes", "name"),
    [
        ([0.0, 0.0], {"all_zero": True}, "no-gradient"),
        ([0.0, 1.0], {}, "no-gradient"),
        ([np.nan, 1.0], {}, "undefined"),
        ([1.0, np.inf], {}, "undefined"),
    ],
)
def test_where_there_is_nothing_to_follow_the_verdict_says_so(by_lag, changes, name):
    found = verdict(by_lag, **changes)
    assert found.name == name
    assert found.zero_beyond_lag is None


@pytest.mark.parametrize("last", [1e-6, 1.0, 1e6, 0.0])
@pytest.mark.parametrize("cell", ["tanh", "relu", "linear", "lstm", "gru"])
def test_cause_and_advice_are_sentences_whatever_the_figures(last, cell):
    own_path = OwnPath("f", 0.5, None, 1) if cell in ("lstm", "gru") else None
    found = verdict([1.0, 1.0, last], cell=cell, own_path=own_path)
    for text in (found.cause, found.advice):
        assert text[0].isupper()
        assert text.endswith(".")
        assert "\n" not in text


def passage(label="fixed(3)", cut_lag=2, growth=1.0, *, weighs=False, random=False):
    return Passage(label, random, cut_lag, weighs, growth)


def test_a_cut_of_the_estimator_is_named_and_not_mistaken_for_decay():
    found = verdict([1.0, 0.9, 0.8, 0.0, 0.0], passage=passage())
    assert (found.name, found.zero_beyond_lag) == ("vanishing", 2)
    assert "fixed(3) cuts the gradient beyond lag 2; it has not decayed: 0.8 times" in found.cause
    assert "longer window (--length), or --truncation full" in found.advice


def test_a_cut_at_once_has_nothing_to_say_of_what_arrives():
    found = verdict([1.0, 0.0], passage=passage("fixed(1)", 0))
    assert found.cause.endswith("beyond lag 0; it has not decayed.")


def test_what_a_random_cut_leaves_has_its_weight_named():
    cut = passage("randomized(0.2)", 1, 1.25, weighs=True, random=True)
    found = verdict([1.0, 0.9, 0.0], passage=cut)
    assert found.cause.startswith("This draw of randomized(0.2) cuts")
    assert "1.25 a step being the weights" in found.cause
    assert "less often" in found.advice


@pytest.mark.parametrize(("last", "decayed"), [(0.9e-3, True), (1.1e-3, False)])
def test_a_longer_window_is_not_advised_where_the_gradient_is_gone_before_the_cut(last, decayed):
    found = verdict([1.0, last**0.5, last, 0.0], cell="linear", passage=passage())
    assert found.zero_beyond_lag == 2
    assert ("decays by itself" in found.cause) == decayed
    assert ("--length" in found.advice) != decayed
    assert ("--init orthogonal" in found.advice) == decayed


@pytest.mark.parametrize(
    ("by_lag", "changes", "words"),
    [
        ([1.0, 0.9, 0.0, 0.0, 0.0], {"cell": "relu", "dead_at": 4}, "is dead"),
        ([1.0, 0.0, 0.0, 0.0, 0.0], {"spectral_norm": 0.0}, "is zero"),
        ([1.0, 0.9, 0.0, 0.0, 0.0], {}, "multiply to zero"),
    ],
)
def test_a_zero_before_the_window_ends_is_the_networks_own(by_lag, changes, words):
    found = verdict(by_lag, passage=passage(), **changes)
    assert words in found.cause
    assert "fixed(3)" not in found.cause


def test_b_of_zero_is_the_cause_though_a_window_ends_there_too():
    found = verdict([1.0, 0.0], spectral_norm=0.0, passage=passage("fixed(1)", 0))
    assert "B (hidden → hidden) is zero" in found.cause


WEIGHED = passage("randomized(0.2)", None, 1.25, weighs=True, random=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "0.625 through the slope of tanh (25% of the units are saturated) and by 0.8 through"),
        ({"cell": "linear", "slope": 1.0}, "randomized(0.2), and by 0.5 through B"),
        (
            {"cell": "lstm", "slope": np.nan, "own_path": OwnPath("f", 0.375, 0.5, 6)},
            "and by 0.5 through the network: the lstm's own path keeps 0.375",
        ),
    ],
)
def test_weights_that_make_up_for_cuts_are_split_off_the_growth(changes, words):
    """Each step by 0.625 = 1.25 · 0.5, of which the weights are 1.25."""
    cause = verdict(0.625 ** np.arange(9), passage=WEIGHED, **changes).cause
    assert "multiplies the gradient by 0.625: by 1.25 through the weights of" in cause
    assert words in cause


def test_weights_without_a_common_growth_are_not_split():
    apart = passage("artbp(6,16)", None, None, weighs=True, random=True)
    cause = verdict(0.5 ** np.arange(9), passage=apart).cause
    assert "the weights of artbp(6,16), which differ from sequence to sequence" in cause


@pytest.mark.parametrize(
    ("growth", "words"),
    [
        (3.0, "It is the weights of randomized(0.2) that grow"),
        (5.0, "spectral_radius=1 would bring"),
    ],
)
def test_a_network_is_not_blamed_for_the_growth_of_weights(growth, words):
    """Over seven lags 3/1.25 = 2.4 makes 459, which is stable; 5/1.25 = 4 makes 16384."""
    found = verdict(growth ** np.arange(8), spectral_radius=4.0, passage=WEIGHED)
    assert found.name == "exploding"
    assert words in found.advice
