"""Texts as rows of symbols."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.tasks.symbols import characters, entropy, words


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_alphabet_in_order_of_code_points_gives_the_text_back(text):
    symbols, vocabulary = characters(text)
    alphabet = sorted(set(text))
    assert list(vocabulary.names) == alphabet
    assert "".join(alphabet[symbol] for symbol in symbols) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two  two\n\none", ["one", "two", "two", "one"]),
        ("don't dont don’t", ["don't", "dont", "don’t"]),
        ("'quoted' words", ["'", "quoted", "'", "words"]),
        ("时间，时！", ["时", "间", "，", "时", "！"]),
        ("GPU时代2024年", ["GPU", "时", "代", "2024", "年"]),
        ("ひらカナ", ["ひ", "ら", "カ", "ナ"]),
        ("naïve café", ["naïve", "café"]),
        ("Ёлка, привет", ["Ёлка", ",", "привет"]),
        ("...!", [".", ".", ".", "!"]),
        ("𠀀𠀁", ["𠀀", "𠀁"]),
        ("😀 ok", ["😀", "ok"]),
    ],
)
def test_words_are_runs_of_letters_single_han_characters_and_single_marks(text, expected):
    symbols, vocabulary = words(text)
    alphabet = sorted(set(expected))
    assert [alphabet[symbol] for symbol in symbols] == expected
    assert list(vocabulary.names) == alphabet


def test_entropy_of_equally_frequent_symbols_is_the_logarithm_of_their_number():
    np.testing.assert_allclose(entropy(np.repeat(np.arange(7), 3)), np.log(7), rtol=1e-15)
