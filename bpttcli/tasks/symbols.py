"""A text as a row of symbols, numbered in the order of their code points."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.int64]

# Scripts without spaces between words: kana, and the blocks of Han characters.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTERS = rf"[^\W{_UNSPACED}]+"
_WORD = re.compile(rf"[{_UNSPACED}]|{_LETTERS}(?:['’]{_LETTERS})*|[^\w\s]")


def characters(text: str) -> tuple[Symbols, int]:
    """Number the characters of a text.

    Parameters
    ----------
    text : str

    Returns
    -------
    (M,) array of int
        The symbol of each character (code point).
    int
        How many different ones there are.

    Examples
    --------
    >>> characters("时间 时")
    (array([1, 2, 0, 1]), 3)
    """
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
    # Counting is linear, where sorting a long text would take seconds.
    present = np.bincount(points) > 0
    number = np.cumsum(present) - 1
    return number[points], int(present.sum())


def words(text: str) -> tuple[Symbols, int]:
    """Number the words of a text.

    Parameters
    ----------
    text : str
        Its words are runs of letters and digits, apostrophes within them included; each
        character of a script without spaces; each other mark. White space separates.

    Returns
    -------
    (M,) array of int
        The symbol of each word.
    int
        How many different ones there are.

    Examples
    --------
    >>> words("It's late, 时间!")
    (array([2, 3, 1, 4, 5, 0]), 6)
    """
    found = _WORD.findall(text)
    number = {word: i for i, word in enumerate(sorted(set(found)))}
    return np.array([number[word] for word in found], dtype=np.int64), len(number)


def entropy(symbols: Symbols) -> float:
    """Entropy −Σ p ln p, in nats, of the frequencies p of symbols, of which each occurs."""
    p = np.bincount(symbols) / len(symbols)
    return float(np.dot(p, np.log(1.0 / p)))


#: How a text is cut, by the values of ``task.symbols``.
ENCODERS: dict[str, Callable[[str], tuple[Symbols, int]]] = {"char": characters, "word": words}
