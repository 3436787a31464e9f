"""What the symbols of a text stand for, and the way from a text to them and back."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError, nearest
from bpttcli.record import Record

Symbols = NDArray[np.int64]
Unit = Literal["char", "word"]

# Scripts without spaces between words: kana, and the blocks of Han characters.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Not compiled here, which would take longer than a short run that reads no text.
_LETTERS = rf"[^\W{_UNSPACED}]+"
_WORD = rf"[{_UNSPACED}]|{_LETTERS}(?:['’]{_LETTERS})*|[^\w\s]"
# Marks that lean on the word before them, and those that lean on the one after.
_CLOSING, _OPENING = frozenset(".,;:!?…)]}”"), frozenset("([{“¿¡")
_WIDE = rf"[{_UNSPACED}\u3000-\u303f\uff00-\uffef]"


def split(text: str, unit: Unit) -> list[str]:
    """Cut a text into its characters or its words.

    Parameters
    ----------
    text : str
    unit : {'char', 'word'}
        Words are runs of letters and digits, apostrophes within them included; each
        character of a script without spaces; each other mark. White space separates them.

    Examples
    --------
    >>> split("It's late, 时间!", "word")
    ["It's", 'late', ',', '时', '间', '!']
    """
    return list(text) if unit == "char" else re.findall(_WORD, text)


class Vocabulary(Record, frozen=True):
    """The symbols of a text, each with its number.

    Parameters
    ----------
    names : tuple of str
        Number k stands for the k-th.
    unit : {'char', 'word'}
        What one of them is.
    by_line : bool
        A line end is a symbol too, stands before and after every line, and what came before
        it is forgotten there.
    """

    names: tuple[str, ...]
    unit: Unit
    by_line: bool = False

    def __len__(self) -> int:
        """How many symbols there are."""
        return len(self.names)

    def encode(self, text: str) -> Symbols:
        """Number the symbols of a text.

        Raises
        ------
        InputError
            One of them is not in the vocabulary; the nearest one that is, is named.

        Examples
        --------
        >>> Vocabulary(("cats", "eat", "fish"), "word").encode("fish eat")
        array([2, 1])
        """
        number = {name: k for k, name in enumerate(self.names)}
        found = self._split(text)
        for symbol in found:
            if symbol not in number:
                what = {"char": "characters", "word": "words"}[self.unit]
                message = f"must be {what} of the text, got {symbol!r}{self._nearest(symbol)}"
                raise InputError(message)
        return np.array([number[symbol] for symbol in found], dtype=np.int64)

    def decode(self, symbols: Symbols) -> str:
        """Write symbols as text; words get spaces where the scripts have them.

        Examples
        --------
        >>> words = Vocabulary(("cats", "eat", "，", "猫", "鱼"), "word")
        >>> words.decode(np.array([0, 1])), words.decode(np.array([3, 2, 4]))
        ('cats eat', '猫，鱼')
        """
        names = [self.names[k] for k in symbols]
        if self.unit == "char":
            return "".join(names)
        text, before = "", "\n"
        for name in names:
            text += f" {name}" if _apart(before, name) else name
            before = name
        return text

    def _split(self, text: str) -> list[str]:
        """Cut a text into symbols, of which a line end may be one."""
        if not self.by_line:
            return split(text, self.unit)
        found = [["\n", *split(line, self.unit)] for line in text.split("\n")]
        return [symbol for line in found for symbol in line][1:]

    def _nearest(self, symbol: str) -> str:
        """Name the nearest symbol, where there is one: a listing of all would fill a page."""
        close, listing, _ = nearest(symbol, self.names).partition(" (known: ")
        return f": {close}" if listing else f", which is none of its {len(self)}"


def _apart(before: str, after: str) -> bool:
    """Whether a space stands between two words."""
    if "\n" in (before, after):
        return False
    if re.match(_LETTERS, before) and re.match(_LETTERS, after):
        return True  # or the two would be read as one
    if re.match(_WIDE, before) or re.match(_WIDE, after):
        return False
    return before not in _OPENING and after not in _CLOSING
