"""One sentence: whether ρ(B) tells what the gradient does, and why not if not."""

import math

import pytest

from bpttcli.diagnostics.textbook_rule import Rates, judge_rule


def judge(radius, exponent, **more):
    figures = {
        "cell": "tanh",
        "gated": False,
        "spectral_norm": 2 * radius,
        "standard_error": 0.001,
        "slope": 0.6,
        "saturated": 0.1,
    }
    return judge_rule(Rates(spectral_radius=radius, exponent=exponent, **{**figures, **more}))


@pytest.mark.parametrize(
    ("radius", "exponent", "more", "holds", "says"),
    [
        (0.9, math.log(0.9), {}, True, "holds here"),
        (1.2, math.log(1.2), {}, True, "holds here"),
        (1.0, 0.0, {"standard_error": 0.0}, True, "keeps its size"),
        (1.5, 0.05, {}, True, "direction right here but not the rate"),
        (1.5, -0.2, {}, False, "the slope of tanh is only 0.6 on average"),
        (1.5, -0.2, {}, False, "10% of the units are saturated"),
        (0.9, 0.1, {}, False, "B is not normal: a single step may grow by σ₁(B) = 1.8"),
        (1.0, -0.2, {}, False, "promises a gradient that keeps its size"),
        (1.5, 0.001, {}, None, "is open"),
        (1.5, -0.001, {}, None, "more steps tell"),
        (1.5, 0.0, {"standard_error": math.nan}, False, "does not hold"),
        (1.5, -math.inf, {}, False, "loses every perturbation altogether"),
        (0.0, -math.inf, {}, True, "loses every perturbation altogether"),
        (0.5, -math.inf, {}, True, "holds here"),
        (1e-300, -2000.0, {}, True, "10^-868.6 a step"),
        (1.0, -0.3, {"gated": True, "cell": "lstm"}, None, "no single ρ(B)"),
    ],
)
def test_the_rule_is_judged_by_its_direction(radius, exponent, more, holds, says):
    rule = judge(radius, exponent, **more)
    assert rule.holds is holds
    assert says in rule.sentence
    assert rule.sentence.endswith(".")
    assert rule.sentence.count(". ") <= 1


def test_a_rule_that_holds_in_the_long_run_names_the_bump_before():
    rule = judge(0.9, math.log(0.9), slope=1.0, peak=(38.75, 9))
    assert "only in the long run: B is not normal, ‖B^k‖ first grows to 38.75 at k = 9" in (
        rule.sentence
    )


def test_a_linear_network_blames_no_slope():
    rule = judge(0.9, 0.8 * math.log(0.9), cell="linear", slope=1.0, saturated=0.0)
    assert rule.holds is True
    assert "because these steps are too few for the long run to show" in rule.sentence


def test_the_rate_is_the_same_within_a_twentieth():
    near, far = (judge(2.0, share * math.log(2)) for share in (0.97, 0.9))
    assert (near.rate_holds, far.rate_holds) == (True, False)
    assert "not the rate" not in near.sentence
    assert "not the rate" in far.sentence
    assert judge(2.0, -0.1).rate_holds is None
