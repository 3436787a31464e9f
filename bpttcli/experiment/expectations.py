"""A plain value against the type of its key, and the sentence where the two do not fit."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

import msgspec
import msgspec.inspect as mi

from bpttcli.experiment.tree import Refused
from bpttcli.experiment.wording import shown

_INT64 = 2**63
# Such an upper bound is a machine's, of no interest to whoever did not reach it.
_BEYOND_MEANING = 10_000
_QUOTE = "quote it if a name is meant"


class MisfitError(ValueError):
    """A value is not what its key expects; the message is the sentence without the key."""


def fit(value: object, kind: Any) -> Any:
    """Convert a plain value to the type of its key.

    Parameters
    ----------
    value : object
        A plain value, or a `Refused` one.
    kind : type
        As annotated in the schema, bounds included.

    Returns
    -------
    object
        Of that type. A whole number is an integer however it is written: 1e3 is 1000.

    Raises
    ------
    MisfitError
        ``must be an integer of at least 1, got 0``.

    Examples
    --------
    >>> fit(1e3, int), fit(2, float), fit(None, int | None)
    (1000, 2.0, None)
    """
    types = _alternatives(mi.type_info(kind))
    if not any(isinstance(each, mi.FloatType | mi.AnyType) for each in types):
        value = _whole(value)
    if isinstance(value, list) and any(_holds_integers(each) for each in types):
        value = [_whole(entry) for entry in value]
    choices = _choices(kind)
    got = _unfit(value)
    if got is None:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            got = shown(value) + _remedy(value, types, choices)
    expected = [_expected(each, value) for each in types if not isinstance(each, mi.NoneType)]
    if choices:
        expected = [f"one of {', '.join(choices)}"]
    raise MisfitError(f"must be {' or '.join(expected)}, got {got}")


def entry_type(kind: Any) -> Any:
    """Give the type of the values of a mapping; None for any other type.

    Examples
    --------
    >>> entry_type(dict[str, float] | None)
    <class 'float'>
    """
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    found = (entry_type(part) for part in get_args(kind))
    return next((entry for entry in found if entry is not None), None)


def _whole(value: object) -> object:
    """Make an integer of a whole number, however it is written."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _INT64:
        return int(value)
    return value


def _holds_integers(kind: mi.Type) -> bool:
    """Tell whether a type is a list of integers."""
    return isinstance(kind, mi.ListType) and isinstance(kind.item_type, mi.IntType)


def _choices(kind: Any) -> list[str]:
    """List the names that a key may have, in the order of the schema (msgspec sorts them)."""
    if get_origin(kind) is Literal:
        return [str(choice) for choice in get_args(kind)]
    return [choice for part in get_args(kind) for choice in _choices(part)]


def _alternatives(kind: mi.Type) -> list[mi.Type]:
    """Give the types that a key takes, without their wrapping."""
    if isinstance(kind, mi.Metadata):
        return _alternatives(kind.type)
    if isinstance(kind, mi.UnionType):
        return [inner for each in kind.types for inner in _alternatives(each)]
    return [kind]


def _unfit(value: object) -> str | None:
    """Print a value that fits no key although its type may."""
    if isinstance(value, Refused):
        return value.got
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value}, which is not a finite number"
    if isinstance(value, int) and abs(value) >= _INT64:
        return f"{shown(value)}, which 64 bits do not hold"
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        return f"{shown(value)}, which is not UTF-8"
    return None


def _remedy(value: object, types: list[mi.Type], choices: list[str]) -> str:
    """Say what to write instead, where that can be guessed."""
    if value is None:
        return f": leave the key out for its default, or {_QUOTE}"
    if isinstance(value, str):
        import difflib  # an error may take its time; a run that has none shall not

        close = difflib.get_close_matches(value, choices, n=1)
        return f"; did you mean '{close[0]}'?" if close else ""
    takes_text = any(isinstance(each, mi.StrType) for each in types)
    return f": {_QUOTE}" if takes_text and isinstance(value, bool | int | float) else ""


def _expected(kind: mi.Type, value: object) -> str:
    """Describe a type in a few words, as what a value must be."""
    match kind:
        case mi.BoolType():
            return "true or false"
        case mi.IntType():
            return "an integer" + _bounds(kind, value)
        case mi.FloatType():
            return "a number" + _bounds(kind, value)
        case mi.ListType(item_type=mi.AnyType()):
            return "a list"
        case mi.ListType(item_type=mi.IntType() as item):
            return "a list of integers" + _bounds(item, None)
        case mi.ListType(item_type=mi.FloatType() as item):
            return "a list of numbers" + _bounds(item, None)
        case mi.ListType(item_type=mi.StrType()):
            return "a list of names"
        case mi.ListType():
            return "a list of numbers, or of lists of numbers"
        case mi.DictType():
            return "a mapping of names to lists of numbers"
        case _:
            return "text"


def _bounds(kind: mi.IntType | mi.FloatType, value: object) -> str:
    """Put the bounds of a number in words."""
    most = kind.le
    if most is not None and most >= _BEYOND_MEANING and not _exceeds(value, most):
        most = None
    if kind.ge is not None and most is not None:
        return f" from {kind.ge} to {most}"
    words = {"of at least": kind.ge, "above": kind.gt, "of at most": most, "below": kind.lt}
    stated = [f"{word} {limit}" for word, limit in words.items() if limit is not None]
    return f" {' and '.join(stated)}" if stated else ""


def _exceeds(value: object, most: float) -> bool:
    """Tell whether a value is a number above a limit."""
    return isinstance(value, int | float) and value > most
