"""The base of result objects."""

from __future__ import annotations

from msgspec import Struct


class Record(Struct, frozen=True, eq=False):
    """A frozen bundle of named values, compared by identity, since arrays have no one truth.

    A standard dataclass writes and compiles its methods anew whenever a program starts; for
    the few dozen of this package that is time in which the answer could have been there.
    """
