"""A plain scalar is read as people mean it, or refused where YAML's versions disagree."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.experiment.scalars import read_plain
from bpttcli.experiment.tree import Refused


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-7", -7),
        ("+5", 5),
        ("1e-3", 1e-3),
        ("1e+3", 1e3),
        ("1.0e3", 1e3),
        ("1E3", 1e3),
        (".5", 0.5),
        ("5.", 5.0),
        ("-0.25", -0.25),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2.0**63),
        ("1" + "0" * 300, 1e300),
    ],
)
def test_a_decimal_number_is_a_number_in_every_spelling(text, value):
    read = read_plain(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_null(text):
    assert read_plain(text) is None


def test_only_the_plain_words_are_booleans():
    assert read_plain("true") is True
    assert read_plain("false") is False


@pytest.mark.parametrize(
    "text", ["tanh", "cross_entropy", "a.txt", "1_000.txt", "v1:2", "2024-01-01", "1e", ".", "-"]
)
def test_a_name_is_a_name(text):
    assert read_plain(text) == text


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("no", "false"),
        ("off", "false"),
        ("N", "false"),
        ("FALSE", "false"),
        ("yes", "true"),
        ("On", "true"),
        ("True", "true"),
        ("010", "octal"),
        ("08", "octal"),
        ("-0o17", "octal"),
        ("0x10", "hexadecimal"),
        ("0b11", "binary"),
        ("1:30", "base 60"),
        ("190:20:30.15", "base 60"),
        ("1_000", "a number"),
        ("1_0.5e3", "a number"),
    ],
)
def test_what_the_versions_of_yaml_disagree_about_is_refused_with_a_hint(text, reading):
    refused = read_plain(text)
    assert isinstance(refused, Refused)
    assert refused.got.startswith(f"{text}, which YAML may take for ")
    assert reading in refused.got
    assert refused.got.endswith("or quote it if a name is meant")


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "-1e999", "9" * 5000])
def test_a_number_that_is_not_finite_is_refused(text):
    assert "is not a finite number" in read_plain(text).got


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63) + 1, 2**63 - 1))
@settings(max_examples=50)
def test_what_python_prints_is_read_back(number):
    assert read_plain(repr(number)) == number


@given(st.text(max_size=12))
@settings(max_examples=50)
def test_any_text_is_read_as_something_finite(text):
    value = read_plain(text)
    assert not isinstance(value, float) or math.isfinite(value)
