"""Symbols and the text they stand for, there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.tasks.symbols import characters, lines, words
from bpttcli.tasks.vocabulary import Vocabulary, split

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
# Where words meet: apostrophes, marks, digits, wide letters, scripts with and without spaces.
KNOTS = st.text(st.sampled_from("ab1'’.,()“” \n猫鱼ーかａ，。々é\u0301"), min_size=1)


@settings(max_examples=50, deadline=None)
@given(TEXT)
def test_characters_give_the_text_back(text):
    symbols, vocabulary = characters(text)
    assert vocabulary.decode(symbols) == text
    np.testing.assert_array_equal(vocabulary.encode(text), symbols)


@settings(max_examples=200, deadline=None)
@given(TEXT | KNOTS)
def test_words_written_out_are_read_as_the_same_words(text):
    symbols, vocabulary = words(text)
    np.testing.assert_array_equal(vocabulary.encode(vocabulary.decode(symbols)), symbols)


@settings(max_examples=200, deadline=None)
@given(KNOTS, st.sampled_from(["char", "word"]))
def test_lines_written_out_are_read_as_the_same_lines(text, unit):
    for line in lines(text, unit)[0]:
        vocabulary = lines(text, unit)[1]
        np.testing.assert_array_equal(vocabulary.encode(vocabulary.decode(line)), line)


@pytest.mark.parametrize(
    "text",
    [
        "the cat, and the dog.",
        "“I see”, she said (twice); he didn't.",
        "时间像一条河，我们只能看见眼前的水。",
        "“是你吗？”",
        "GPU时代2024年",
        "wait ... no!".replace(" ...", "..."),
    ],
)
def test_words_are_written_as_people_write_them(text):
    symbols, vocabulary = words(text)
    assert vocabulary.decode(symbols) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cats eet", r"must be words of the text, got 'eet': did you mean 'eat'\?$"),
        ("cats zzz", r"must be words of the text, got 'zzz', which is none of its 3$"),
        ("猫", "must be words of the text, got '猫'"),
    ],
)
def test_a_word_that_is_not_there_gets_the_nearest(text, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(("cats", "eat", "fish"), "word").encode(text)


def test_a_character_that_is_not_there_is_named():
    with pytest.raises(InputError, match="must be characters of the text, got 'x'"):
        Vocabulary(("a", "b"), "char").encode("abx")


def test_nothing_is_no_symbols():
    vocabulary = Vocabulary(("a", "b"), "char")
    assert len(vocabulary.encode("")) == 0
    assert vocabulary.decode(vocabulary.encode("")) == ""
    assert split("", "word") == []
