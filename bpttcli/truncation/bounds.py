"""What the numbers of an estimator must keep within, also where no file was read."""

from __future__ import annotations

import numbers

from bpttcli.errors import InputError


def whole_steps(steps: float, key: str) -> None:
    """Refuse what is no number of steps.

    Parameters
    ----------
    steps : int
    key : str
        Of ``truncation:``.

    Raises
    ------
    InputError
        It is no integer, or below 1.
    """
    if not isinstance(steps, numbers.Integral) or steps < 1:
        raise InputError(f"must be an integer of at least 1, got {steps}", key=f"truncation.{key}")


def within(
    number: float, key: str, low: float, high: float = float("inf"), *, closed: bool = False
) -> None:
    """Refuse what is not in an interval.

    Parameters
    ----------
    number : float
    key : str
        Of ``truncation:``.
    low, high : float
        The lower end belongs to the interval.
    closed : bool
        So does the upper one.

    Raises
    ------
    InputError
        It is outside, or no number.
    """
    if not (low <= number < high or (closed and number == high)):
        end = "" if high == float("inf") else f" and {'at most' if closed else 'below'} {high:g}"
        message = f"must be a number of at least {low:g}{end}, got {number:g}"
        raise InputError(message, key=f"truncation.{key}")


def above(number: float, key: str, low: float) -> None:
    """Refuse what is not above a number, or not finite.

    Raises
    ------
    InputError
        It is not.
    """
    if not low < number < float("inf"):
        raise InputError(f"must be a number above {low:g}, got {number:g}", key=f"truncation.{key}")
