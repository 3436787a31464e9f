"""The estimators, by name. Adding one is one file beside this and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bpttcli.errors import InputError, nearest

if TYPE_CHECKING:
    from bpttcli.truncation.estimator import Estimator

#: For each name its class, and the keys of `truncation:` that it takes, with their defaults.
TRUNCATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("bpttcli.truncation.full:Full", {}),
    "fixed": ("bpttcli.truncation.fixed:Fixed", {"length": 20}),
    "sliding": ("bpttcli.truncation.sliding:Sliding", {"length": 20}),
    "randomized": (
        "bpttcli.truncation.randomized:Randomized",
        {"probability": 0.05, "reweight": True},
    ),
    "artbp": ("bpttcli.truncation.artbp:Artbp", {"alpha": 6.0, "mean_length": 16.0}),
    "random-length": (
        "bpttcli.truncation.random_length:RandomLength",
        {"mean_length": 70.0, "std": 5.0, "short": 0.05, "shortest": 5},
    ),
}


def estimator_named(name: str, **keys: Any) -> Estimator:
    """Make an estimator.

    Parameters
    ----------
    name : str
        One of `TRUNCATIONS`.
    **keys
        Its keys; what is not given has its default.

    Raises
    ------
    InputError
        There is none of that name, it has no such key, or a number is out of bounds.

    Examples
    --------
    >>> estimator_named("fixed", length=35).label
    'fixed(35)'
    >>> estimator_named("randomized", probability=0.1, reweight=False).label
    'unreweighted(0.1)'
    """
    if name not in TRUNCATIONS:
        message = f"must be an estimator, got '{name}': {nearest(name, TRUNCATIONS)}"
        raise InputError(message, key="truncation.name")
    path, defaults = TRUNCATIONS[name]
    for key in keys:
        if key not in defaults:
            known = nearest(key, defaults) if defaults else "it has no keys"
            raise InputError(f"must not stand with {name}: {known}", key=f"truncation.{key}")
    keys = defaults | keys
    if not keys.pop("reweight", True):
        path = "bpttcli.truncation.randomized:Unreweighted"
    module, estimator = path.split(":")
    made: Estimator = getattr(import_module(module), estimator)(**keys)
    return made
