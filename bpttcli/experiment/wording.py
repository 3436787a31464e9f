"""How what a user wrote is printed in a message: in one line, short, without control codes."""

from __future__ import annotations

_LONGEST = 60


def printable(text: str) -> str:
    r"""Write control characters, and all that a terminal may not show, as escapes.

    Examples
    --------
    >>> printable("[bold]x[/] 時間\x1b[1m")
    '[bold]x[/] 時間\\x1b[1m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """Print a value as one would write it in YAML, at most 60 characters of it.

    Parameters
    ----------
    value : object
        A plain value: null, a boolean, a number, a string, a list or a mapping.

    Examples
    --------
    >>> [shown(v) for v in (None, True, "tahn", [1, 2.5], {"steps": 1})]
    ['null', 'true', "'tahn'", '[1, 2.5]', 'a mapping']
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        # A few items are enough to fill the line, however long the list is.
        items = ", ".join(shown(item) for item in value[:_LONGEST])
        return shortened(f"[{items}]")
    return shortened(f"'{printable(value)}'" if isinstance(value, str) else str(value))


def shortened(text: str) -> str:
    """Cut a long text after 60 characters and say so."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
