"""How a plain scalar is read: numbers as people mean them, and no surprises.

YAML 1.1 takes ``no`` for false, ``1:30`` for 90, ``010`` for 8 and ``1e-3`` for text; YAML 1.2
takes them otherwise. Decimal numbers are numbers here in every spelling; what the two
versions disagree about is refused.
"""

from __future__ import annotations

import math
import re

from bpttcli.experiment.tree import Refused
from bpttcli.experiment.wording import shortened

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "false": False}
_TAKEN_FOR = dict.fromkeys(("true", "yes", "on", "y"), "true") | dict.fromkeys(
    ("false", "no", "off", "n"), "false"
)

_DECIMAL = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_ODD_NUMBERS = {
    "an octal number": re.compile(r"[-+]?0o?[0-9_]+"),
    "a hexadecimal number": re.compile(r"[-+]?0x[0-9a-fA-F_]+"),
    "a binary number": re.compile(r"[-+]?0b[01_]+"),
    "a number in base 60": re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
    "a number": re.compile(r"(?=.*_)[-+]?(\.[0-9]|[0-9])[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"),
}

_INT64 = 2**63
_DIGITS_OF_INT64 = 19


def read_plain(text: str) -> bool | int | float | str | Refused | None:
    """Read a scalar that stands without quotes.

    Parameters
    ----------
    text : str
        The scalar, as YAML delivers it.

    Returns
    -------
    bool, int, float, str, Refused or None
        Integers beyond 64 bits are floats. Refused are numbers that are not finite, and
        what YAML's versions disagree about.

    Examples
    --------
    >>> [read_plain(text) for text in ("1e-3", "1_000.txt", "true", "~", "12")]
    [0.001, '1_000.txt', True, None, 12]
    >>> read_plain("no").got
    'no, which YAML may take for false: write true or false, or quote it if a name is meant'
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text.lower() in _TAKEN_FOR:
        return _doubtful(text, _TAKEN_FOR[text.lower()], "write true or false")
    for reading, pattern in _ODD_NUMBERS.items():
        if pattern.fullmatch(text):
            return _doubtful(text, reading, "write it in plain decimal digits")
    if _DECIMAL.fullmatch(text):
        return _number(text)
    if _NOT_FINITE.fullmatch(text):
        return _infinite(text)
    return text


def _number(text: str) -> int | float | Refused:
    """Read a decimal number."""
    digits = text.lstrip("+-")
    # Longer ones become floats: Python itself refuses to read thousands of digits.
    if digits.isdigit() and len(digits) <= _DIGITS_OF_INT64 and int(digits) < _INT64:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else _infinite(text)


def _infinite(text: str) -> Refused:
    """Refuse what no float64 holds."""
    return Refused(f"{shortened(text)}, which is not a finite number")


def _doubtful(text: str, reading: str, remedy: str) -> Refused:
    """Refuse what one version of YAML reads otherwise than another."""
    hint = f"{remedy}, or quote it if a name is meant"
    return Refused(f"{shortened(text)}, which YAML may take for {reading}: {hint}")
