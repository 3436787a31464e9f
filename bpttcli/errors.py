"""The two ways in which a run ends without a result."""

from __future__ import annotations

from collections.abc import Iterable


class BpttError(Exception):
    """Base of the errors that are the user's to read: one plain sentence each."""


class InputError(BpttError):
    """Something that was given is wrong.

    Parameters
    ----------
    message : str
        One sentence: what was expected and what came.
    key : str, optional
        The key of the experiment that it is about (``task.steps``), for whoever knows
        in which file and line, or in which option, that key was set.
    """

    def __init__(self, message: str, *, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class RunError(BpttError):
    """The input was right and the run failed all the same: it diverged, the disk is full."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say what a misspelt name may have meant, and what there is.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        The names that would have been right.

    Returns
    -------
    str
        ``did you mean 'fixed'? (known: fixed, full)``, or only what is known.

    Examples
    --------
    >>> nearest("fixd", ["full", "fixed"])
    "did you mean 'fixed'? (known: full, fixed)"
    >>> nearest("x", ["full", "fixed"])
    'known: full, fixed'
    """
    import difflib  # an error may take its time; a run that has none shall not

    names = list(known)
    listing = "known: " + ", ".join(names)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'? ({listing})" if close else listing
