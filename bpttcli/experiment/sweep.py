"""The experiments that ``--sweep`` asks for: every combination of the values of its keys."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from bpttcli.errors import InputError
from bpttcli.experiment.settings import Option
from bpttcli.experiment.tree import Origin, plain
from bpttcli.experiment.wording import shown

Point = tuple[Option, ...]
"""One value for each key that is swept."""

# Beyond this somebody has mistyped; a table of so many lines helps nobody either.
_MOST_POINTS = 1000


def sweep_points(texts: Iterable[str]) -> list[Point]:
    """Combine the values of every ``--sweep``.

    Parameters
    ----------
    texts : iterable of str
        ``KEY=V1,V2,…`` each, the values in YAML.

    Returns
    -------
    list of tuple of Option
        The last key changes fastest; one empty point if nothing is swept.

    Raises
    ------
    InputError
        A text is none such, a key is swept twice, or there are too many points.

    Examples
    --------
    >>> [[option.value for option in point] for point in sweep_points(["a=1,2", "b=x,[3, 4]"])]
    [[1, 'x'], [1, [3, 4]], [2, 'x'], [2, [3, 4]]]
    """
    swept: dict[str, list[Option]] = {}
    for text in texts:
        key, values = _sweep(text)
        if key in swept:
            raise InputError(f"--sweep {shown(key)} is given twice: name all its values in one")
        swept[key] = [Option("--sweep", key, value) for value in values]
    size = 1
    for options in swept.values():
        size *= len(options)
    if size > _MOST_POINTS:
        raise InputError(f"--sweep must ask for at most {_MOST_POINTS} experiments, got {size}")
    return list(product(*swept.values()))


def _sweep(text: str) -> tuple[str, list[object]]:
    """Read one ``KEY=V1,V2,…``."""
    key, equals, values = text.partition("=")
    key = key.strip()
    if not equals or not key or not values.strip():
        message = f"--sweep must be KEY=V1,V2,…, as in model.cell=tanh,lstm, got {shown(text)}"
        raise InputError(message)
    from bpttcli.experiment.document import parse  # PyYAML, which most runs do without

    # A list of YAML's own, so that a value may be a list or quoted text with commas in it.
    node, problems = parse(f"[{values}]", Origin("--sweep"), key)
    listed = plain(node)
    if problems or not isinstance(listed, list):
        raise InputError(str(problems[0]) if problems else f"--sweep {key} must list values")
    return key, listed
