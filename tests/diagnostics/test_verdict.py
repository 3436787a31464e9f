"""The verdict follows from the measured figures alone, and says why and what to try."""

import numpy as np
import pytest

from bpttcli.diagnostics.own_path import OwnPath
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
