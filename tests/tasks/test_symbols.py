"""Texts as rows of symbols."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.tasks.symbols import characters, entropy, words


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_alphabet_in_order_of_code_points_gives_the_text_back(text):
    symbols, count = characters(text)
    alphabet = sorted(set(text))
    assert count == len(alphabet)
    assert "".join(alphabet[symbol] for symbol in symbols) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two  two\n\none", [0, 1, 1, 0]),
        ("don't dont don’t", [0, 1, 2]),
        ("'quoted' words", [0, 1, 0, 2]),
        ("时间时", [1, 0, 1]),
        ("GPU时代2024年", [1, 3, 2, 0, 4]),
        ("ひらカナ", [0, 1, 2, 3]),
        ("naïve café", [1, 0]),
        ("Ёлка, привет", [1, 0, 2]),
        ("...!", [1, 1, 1, 0]),
        ("𠀀𠀁", [0, 1]),
        ("😀 ok", [1, 0]),
    ],
)
def test_words_are_runs_of_letters_single_han_characters_and_single_marks(text, expected):
    symbols, count = words(text)
    assert symbols.tolist() == expected
    assert count == max(expected) + 1


def test_entropy_of_equally_frequent_symbols_is_the_logarithm_of_their_number():
    np.testing.assert_allclose(entropy(np.repeat(np.arange(7), 3)), np.log(7), rtol=1e-15)
