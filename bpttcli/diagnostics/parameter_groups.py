"""The parameters in the groups that are reported: A, B, C, the biases, all of them."""

from __future__ import annotations

from collections.abc import Iterable

GROUPS = ("all", "A", "B", "C", "biases")


def group_of(name: str) -> str:
    """Name the group of a parameter.

    Examples
    --------
    >>> [group_of(name) for name in ("weight_ih_l0", "weight_hh_l1", "readout.bias")]
    ['A', 'B', 'biases']
    """
    if "bias" in name:
        return "biases"
    return "C" if name.startswith("readout") else "A" if "_ih_" in name else "B"


def grouped(names: Iterable[str], *, each: bool = False) -> dict[str, list[str]]:
    """Sort parameters into the groups that are not empty; `all` comes first.

    Parameters
    ----------
    names : iterable of str
    each : bool
        Make each parameter a group of its own besides.
    """
    listed = list(names)
    groups = {"all": listed}
    groups |= {g: [n for n in listed if group_of(n) == g] for g in GROUPS[1:]}
    if each:
        groups |= {name: [name] for name in listed}
    return {group: members for group, members in groups.items() if members}
