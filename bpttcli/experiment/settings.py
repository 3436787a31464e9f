"""What the command line sets, laid over what the file says.

Precedence: option > ``--set`` > file > default. A mapping sets its keys one by one, so
``--set model.init={name: identity}`` leaves the gain of the file alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from bpttcli.experiment.schema import DEFAULT_TASK
from bpttcli.experiment.tree import Node, Origin, Problem, Refused, Value
from bpttcli.experiment.wording import shown
from bpttcli.tasks.registry import TASKS, task_class
from bpttcli.truncation.registry import TRUNCATIONS

_PARAMETERS = "model.parameters."


class Option(NamedTuple):
    """An option of the command line that sets a key.

    Attributes
    ----------
    name : str
        As the user writes it, ``--steps``.
    key : str
        What it sets, ``task.steps``.
    value : object
        A plain value: None, bool, int, float, str, or a list or mapping of them.
    """

    name: str
    key: str
    value: object


def overlay(root: dict[str, Node], sets: Iterable[str], options: Iterable[Option]) -> list[Problem]:
    """Lay ``--set`` and then the options over the tree of a file, in place.

    Where they replace the task of the file, keys that only the replaced task knows go with
    it: they were its own, while ``steps``, say, belongs to every task and stays. A key that
    neither task knows stays too, and is found to be unknown later.

    Parameters
    ----------
    root : dict
        The sections of the file.
    sets : iterable of str
        ``KEY=VALUE`` each, the value in YAML; of two for one key the last one counts.
    options : iterable of Option
        Two for one key must agree.

    Returns
    -------
    list of Problem
        A ``--set`` that is none, and options that contradict each other.

    Raises
    ------
    InputError
        The value of a ``--set`` is not YAML.
    """
    problems: list[Problem] = []
    replaced, cut_by = task_name(root), _estimator_name(root)
    for assignment in sets:
        _set(root, assignment, problems)
    first: dict[str, Option] = {}
    told: set[tuple[str, str]] = set()
    for option in options:
        other = first.setdefault(option.key, option)
        pair = (other.name, option.name)
        # Options that set several keys contradict each other once, not once a key; and a NaN
        # does not contradict itself.
        if other is not option and other.value != option.value and pair not in told:
            told.add(pair)
            message = f"is {shown(option.value)} here and {shown(other.value)} by {other.name}"
            problems.append(Problem(Origin(option.name), option.key, message))
        _put(root, _path(option.key), _node(option.value, Origin(option.name)), problems)
    _drop_keys_of(replaced, root)
    _drop_keys_of_estimator(cut_by, root)
    return problems


def task_name(root: dict[str, Node]) -> Value:
    """Name the task of an experiment, or the one that stands where none is named.

    A model from a file brings its own width and readout, which only ``noise`` always fits.
    """
    named = _find(root, "task", "name")
    if named is not None:
        return named
    return DEFAULT_TASK if _find(root, "model", "file") is None else "noise"


def _find(root: dict[str, Node], section: str, name: str) -> Value:
    """Look up what a key of a section was set to; null is as good as absent."""
    entries = root[section].value if section in root else None
    node = entries.get(name) if isinstance(entries, dict) else None
    return None if node is None else node.value


def _path(key: str) -> list[str]:
    """Cut a key at its dots, but for the names of parameters, which have dots of their own."""
    if key.startswith(_PARAMETERS):
        return [*_PARAMETERS.split(".")[:2], key.removeprefix(_PARAMETERS)]
    return key.split(".")


def _set(root: dict[str, Node], assignment: str, problems: list[Problem]) -> None:
    """Carry out a ``--set``."""
    key, equals, text = assignment.partition("=")
    key = key.strip()
    path = _path(key)
    if not equals or not all(path):
        message = f"must be KEY=VALUE, as in task.steps=100, got {shown(assignment)}"
        problems.append(Problem(Origin("--set"), "", message))
        return
    from bpttcli.experiment.document import parse  # PyYAML, which most runs do without

    node, found = parse(text, Origin(f"--set {key}"), key)
    problems += found
    _put(root, path, node, problems)


def _put(root: dict[str, Node], path: Sequence[str], node: Node, problems: list[Problem]) -> None:
    """Set the key at a path; a mapping sets each of its keys."""
    if isinstance(node.value, dict):
        for name, entry in node.value.items():
            _put(root, [*path, name], entry, problems)
        return
    entries = root
    for depth, name in enumerate(path[:-1], start=1):
        section = entries.get(name)
        if section is None or section.value is None:
            section = entries[name] = Node({}, node.origin)
        if not isinstance(section.value, dict):
            if not isinstance(section.value, Refused):  # reported with its own line already
                message = f"cannot be set: {'.'.join(path[:depth])} is not a section"
                problems.append(Problem(node.origin, ".".join(path), message))
            return
        entries = section.value
    entries[path[-1]] = node


def _node(value: object, origin: Origin) -> Node:
    """Give a plain value an origin, and every value in it."""
    if isinstance(value, dict):
        return Node({str(name): _node(entry, origin) for name, entry in value.items()}, origin)
    if isinstance(value, list):
        return Node([_node(item, origin) for item in value], origin)
    return Node(cast("Value", value), origin)


def _estimator_name(root: dict[str, Node]) -> Value:
    """Name the estimator of an experiment; without one there is no truncation."""
    return _find(root, "truncation", "name") or "full"


def _drop_keys_of_estimator(replaced: Value, root: dict[str, Node]) -> None:
    """Drop the keys of the file that only its own estimator knows, if another one runs."""
    name, section = _estimator_name(root), root.get("truncation")
    if replaced == name or section is None or not isinstance(section.value, dict):
        return
    if not (isinstance(name, str) and name in TRUNCATIONS):
        return
    own = ("name", *TRUNCATIONS[name][1])
    known = {key for _, keys in TRUNCATIONS.values() for key in keys}
    for key, entry in list(section.value.items()):
        if entry.origin.line is not None and key in known and key not in own:
            del section.value[key]


def _drop_keys_of(replaced: Value, root: dict[str, Node]) -> None:
    """Drop the keys of the file that only its own task knows, if another one runs."""
    name = task_name(root)
    task = root.get("task")
    names = (replaced, name)
    if replaced == name or task is None or not isinstance(task.value, dict):
        return
    if not all(isinstance(given, str) and given in TASKS for given in names):
        return
    old, new = (task_class(str(given)).__struct_fields__ for given in names)
    for key, entry in list(task.value.items()):
        in_file = entry.origin.line is not None
        if in_file and key in old and key not in new:
            del task.value[key]
