"""A text as a row of symbols, numbered in the order of their code points."""

from __future__ import annotations

import numpy as np

from bpttcli.tasks.vocabulary import Symbols, Unit, Vocabulary, split


def characters(text: str) -> tuple[Symbols, Vocabulary]:
    """Number the characters of a text.

    Parameters
    ----------
    text : str

    Returns
    -------
    (M,) array of int
        The symbol of each character (code point).
    Vocabulary
        The different ones.

    Examples
    --------
    >>> symbols, vocabulary = characters("时间 时")
    >>> symbols, vocabulary.names
    (array([1, 2, 0, 1]), (' ', '时', '间'))
    """
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
    # Counting is linear, where sorting a long text would take seconds.
    present = np.bincount(points) > 0
    number = np.cumsum(present) - 1
    names = tuple(chr(point) for point in np.flatnonzero(present))
    return number[points], Vocabulary(names, "char")


def words(text: str) -> tuple[Symbols, Vocabulary]:
    """Number the words of a text.

    Parameters
    ----------
    text : str
        Its words are those of `bpttcli.tasks.vocabulary.split`.

    Returns
    -------
    (M,) array of int
        The symbol of each word.
    Vocabulary
        The different ones.

    Examples
    --------
    >>> symbols, vocabulary = words("It's late, 时间!")
    >>> symbols, len(vocabulary)
    (array([2, 3, 1, 4, 5, 0]), 6)
    """
    return _number(split(text, "word"), "word")


def lines(text: str, unit: Unit) -> tuple[list[Symbols], Vocabulary]:
    r"""Number the symbols of each line of a text.

    Parameters
    ----------
    text : str
        Lines without a symbol, or of white space alone, are left out.
    unit : {'char', 'word'}

    Returns
    -------
    list of (M_n,) arrays of int
        The symbols of each line, between two line ends.
    Vocabulary
        The different ones, the line end among them.

    Examples
    --------
    >>> found, vocabulary = lines("cats eat fish\n\n猫吃鱼", "word")
    >>> found[0], vocabulary.names[:3]
    (array([0, 1, 2, 3, 0]), ('\n', 'cats', 'eat'))
    """
    found = [split(line, unit) for line in text.split("\n") if line.strip()]
    found = [["\n", *line, "\n"] for line in found if line]
    symbols, vocabulary = _number([symbol for line in found for symbol in line], unit)
    ends = np.cumsum([len(line) for line in found])[:-1]
    whole = Vocabulary(vocabulary.names, unit, by_line=True)
    return (np.split(symbols, ends) if found else []), whole


def read_symbols(text: str, unit: Unit) -> tuple[Symbols, Vocabulary]:
    """Number the characters or the words of a text (see `characters` and `words`)."""
    return characters(text) if unit == "char" else words(text)


def entropy(symbols: Symbols) -> float:
    """Entropy −Σ p ln p, in nats, of the frequencies p of the symbols."""
    p = np.bincount(symbols) / len(symbols)
    p = p[p > 0]
    return float(np.dot(p, np.log(1.0 / p)))


def _number(found: list[str], unit: Unit) -> tuple[Symbols, Vocabulary]:
    """Number symbols in the order of their code points."""
    names = tuple(sorted(set(found)))
    number = {name: k for k, name in enumerate(names)}
    return np.array([number[name] for name in found], dtype=np.int64), Vocabulary(names, unit)
