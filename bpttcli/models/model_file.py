"""How a file of parameters is spoken of when something is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bpttcli.errors import InputError

KEY = "model.file"
_LONGEST = 60
_MOST = 10


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Name the file in whatever is wrong with it.

    Parameters
    ----------
    path : str or Path
        The file that is read inside the block.

    Raises
    ------
    InputError
        The file cannot be opened, or the block has raised an InputError, whose message is a
        clause about the file ("is empty").
    """
    try:
        if "\0" in str(path):
            raise InputError("is not the name of a file")
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{str(path)!r} cannot be read: {reason}", key=KEY) from error
    except InputError as error:
        raise InputError(f"{str(path)!r} {error}", key=KEY) from error


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Name the file in what is wrong with its contents; what is about another key stays.

    Raises
    ------
    InputError
        The block has raised one.
    """
    try:
        yield
    except InputError as error:
        if error.key != KEY:
            raise
        raise InputError(f"{str(path)!r} {error}", key=KEY) from error


def quoted(name: str) -> str:
    r"""Write a name out of a file in one line, short, without control characters.

    Examples
    --------
    >>> quoted("rnn\n.weight")
    "'rnn\\n.weight'"
    """
    return repr(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…")


def listed(names: Iterable[str]) -> str:
    """Write the first ten names, and how many more there are.

    Examples
    --------
    >>> listed(["encoder", "decoder"])
    "'encoder', 'decoder'"
    """
    every = list(names)
    more = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return ", ".join(quoted(name) for name in every[:_MOST]) + more
