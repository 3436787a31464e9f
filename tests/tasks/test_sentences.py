"""The sentences that come along: the first word decides the last, and nothing else does."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from bpttcli.tasks.text import Text

ENGLISH, CHINESE = 14, 16
"""Steps from the line end in front to the last word."""


@pytest.fixture(scope="module")
def sentences():
    """Each as a tuple of words."""
    supply = Text(lines=True, symbols="word", steps=None).supply()
    everything = supply.take(np.arange(len(supply.symbols)))
    names = everything.vocabulary.names
    return [
        tuple(names[k] for k in y[: there.sum() - 1])
        for y, there in zip(everything.y.T, everything.mask.T, strict=True)
    ]


def of(sentences, language):
    return [words for words in sentences if words[0].isascii() == (language == "English")]


def test_each_sentence_is_another(sentences):
    assert len(set(sentences)) == len(sentences) == 432


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_the_first_word_decides_the_last(sentences, language):
    ends = defaultdict(set)
    for words in of(sentences, language):
        ends[words[0]].add(words[-1])
    assert all(len(last) == 1 for last in ends.values())
    assert len({last.pop() for last in ends.values()}) == len(ends) == 8


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_all_between_the_two_leaves_the_last_word_to_chance(sentences, language):
    """Every middle stands once with every beginning, so that no part of it tells anything."""
    middles = defaultdict(Counter)
    for words in of(sentences, language):
        middles[words[1:-1]][words[-1]] += 1
    assert len(middles) == 27
    for ends in middles.values():
        assert sorted(ends.values()) == [1] * 8


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_neither_word_stands_in_a_middle(sentences, language):
    ours = of(sentences, language)
    between = {word for words in ours for word in words[1:-1]}
    assert not between & {words[k] for words in ours for k in (0, -1)}


@pytest.mark.parametrize(("language", "steps"), [("English", ENGLISH), ("Chinese", CHINESE)])
def test_the_dependence_is_as_long_in_every_sentence_of_a_language(sentences, language, steps):
    assert {len(words) for words in of(sentences, language)} == {steps}
