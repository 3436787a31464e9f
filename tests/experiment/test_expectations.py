"""A value fits the type of its key, or one sentence says what was expected and what came."""

from typing import Annotated, Literal

import pytest
from msgspec import Meta

from bpttcli.experiment.expectations import MisfitError, fit
from bpttcli.experiment.tree import Refused

Steps = Annotated[int, Meta(ge=1, description="T")]
Machine = Annotated[int, Meta(ge=1, le=10**6)]
Share = Annotated[float, Meta(gt=0, lt=1)]
Cell = Literal["tanh", "relu", "linear"]


@pytest.mark.parametrize(
    ("value", "kind", "fitted"),
    [
        (1e3, Steps, 1000),
        (3, Steps, 3),
        (2.0, Literal[2, 3], 2),
        (2, float, 2.0),
        (2.0, float, 2.0),
        (None, Annotated[Steps | None, Meta(description="all")], None),
        ([1, 2.5], list, [1, 2.5]),
        ([1.0, 2], list, [1.0, 2]),
        ([[1], [2]], list[float | list[float]], [[1.0], [2.0]]),
        ("tanh", Cell, "tanh"),
        (True, bool, True),
    ],
)
def test_numbers_are_taken_as_people_mean_them(value, kind, fitted):
    result = fit(value, kind)
    assert result == fitted
    assert type(result) is type(fitted)


@pytest.mark.parametrize(
    ("value", "kind", "sentence"),
    [
        (0, Steps, "must be an integer of at least 1, got 0"),
        (1.5, Steps, "must be an integer of at least 1, got 1.5"),
        ("3", Steps, "must be an integer of at least 1, got '3'"),
        (True, Steps, "must be an integer of at least 1, got true"),
        ([1], Steps, "must be an integer of at least 1, got [1]"),
        ({"a": 1}, Steps, "must be an integer of at least 1, got a mapping"),
        (2**63, Steps, "must be an integer of at least 1, got 9223372036854775808, which 64 bits "),
        (1e30, Steps, "must be an integer of at least 1, got 1e+30"),
        (1, Share, "must be a number above 0 and below 1, got 1"),
        (0, Machine, "must be an integer of at least 1, got 0"),
        (10**9, Machine, "must be an integer from 1 to 1000000, got 1000000000"),
        (5, Annotated[int, Meta(ge=1, le=3)], "must be an integer from 1 to 3, got 5"),
        (float("nan"), float, "must be a number, got nan, which is not a finite number"),
        (float("-inf"), Steps, "must be an integer of at least 1, got -inf, which is not a"),
        ("tahn", Cell, "must be one of tanh, relu, linear, got 'tahn'; did you mean 'tanh'?"),
        ("x", Cell | None, "must be one of tanh, relu, linear, got 'x'"),
        (4, Literal[2, 3], "must be one of 2, 3, got 4"),
        (5, str, "must be text, got 5: quote it if a name is meant"),
        ("\udcff", str, "must be text, got '\\udcff', which is not UTF-8"),
        (1, bool, "must be true or false, got 1"),
        ("x", list | None, "must be a list, got 'x'"),
        ([1, "a"], list[float], "must be a list of numbers, got [1, 'a']"),
        ([1, "a"], list[float | list[float]], "must be a list of numbers, or of lists of numbers"),
        (3, dict[str, list[float]], "must be a mapping of names to lists of numbers, got 3"),
        (None, Steps, "must be an integer of at least 1, got null: leave the key out for its def"),
        (Refused("no, which"), Cell, "must be one of tanh, relu, linear, got no, which"),
    ],
)
def test_a_misfit_says_what_was_expected_and_what_came(value, kind, sentence):
    with pytest.raises(MisfitError) as caught:
        fit(value, kind)
    assert str(caught.value).startswith(sentence)
