"""The tree of an experiment against its schema: an experiment, or what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import fields

from bpttcli.errors import InputError, nearest
from bpttcli.experiment.expectations import MisfitError, entry_type, fit
from bpttcli.experiment.schema import PATHS, Experiment
from bpttcli.experiment.settings import task_name
from bpttcli.experiment.tree import (
    Node,
    Origin,
    Origins,
    Problem,
    Refused,
    child,
    described,
    plain,
)
from bpttcli.experiment.wording import shown
from bpttcli.tasks.registry import TASKS, task_class
from bpttcli.tasks.task import Task

_S = TypeVar("_S", bound=Struct)


def validate(root: dict[str, Node], origins: Origins) -> tuple[Experiment | None, list[Problem]]:
    """Turn the sections of an experiment into the experiment.

    Parameters
    ----------
    root : dict
        The sections, options and ``--set`` included.
    origins : Origins
        Where each key was set.

    Returns
    -------
    Experiment or None
        None if anything is wrong.
    list of Problem
        Everything that is wrong, section by section.
    """
    name = task_name(root)
    if "task" not in root or root["task"].value is None:
        # The task's name decides its class, and it may have another one than the default.
        root = {**root, "task": Node({}, Origin(""))}
    check = _Check(name if isinstance(name, str) and name in TASKS else None, origins)
    return check.struct(Experiment, root, ""), check.problems


class _Check:
    """Builds structs from sections and keeps what is wrong with them."""

    def __init__(self, task: str | None, origins: Origins) -> None:
        self.problems: list[Problem] = []
        self._task = task  # None: the name that is given is none
        self._origins = origins

    def struct(self, struct: type[_S], entries: dict[str, Node], key: str) -> _S | None:
        """Build a struct from the entries of its section; None if one of them is wrong."""
        types = {field.name: field.type for field in fields(struct)}
        before = len(self.problems)
        values: dict[str, Any] = {"name": self._task} if issubclass(struct, Task) else {}
        for name, node in entries.items():
            at = child(key, name)
            if name not in types:
                self._complain(node.origin, at, _unknown_key(name, key, list(types)))
            elif (section := _section_type(types[name])) is None:
                values[name] = self._value(types[name], node, at)
            elif node.value is not None:  # an empty section is its defaults
                values[name] = self._section(section, node, at)
        if len(self.problems) > before:
            return None
        try:
            return struct(**values)
        except InputError as error:
            at = error.key or key
            self._complain(self._origins.locate(at), at, str(error))
            return None

    def _section(self, struct: type[Struct], node: Node, key: str) -> Struct | None:
        """Build the struct of a section."""
        if not isinstance(node.value, dict):
            names = ", ".join(struct.__struct_fields__)
            message = f"must be a mapping of keys ({names}), got {described(node)}"
            self._complain(node.origin, key, message)
            return None
        if struct is not Task:
            return self.struct(struct, node.value, key)
        entries = dict(node.value)
        if "name" in entries:
            self._value(Literal[tuple(TASKS)], entries.pop("name"), child(key, "name"))
        return None if self._task is None else self.struct(task_class(self._task), entries, key)

    def _value(self, kind: Any, node: Node, key: str) -> Any:
        """Convert a value that is no section, or complain."""
        inner = entry_type(kind)
        if inner is not None and isinstance(node.value, dict):
            return {
                name: self._value(inner, entry, child(key, name))
                for name, entry in node.value.items()
            }
        before = len(self.problems)
        for at, origin, refused in _refused_items(node, key):
            self._complain(origin, at, f"must be a number, got {refused.got}")
        if len(self.problems) > before:
            return None
        try:
            value = fit(plain(node), kind)
            is_path = key in PATHS and value is not None
            return _absolute(value, node.origin.folder) if is_path else value
        except MisfitError as misfit:
            self._complain(node.origin, key, str(misfit))

    def _complain(self, origin: Origin | None, key: str, message: str) -> None:
        """Keep what is wrong."""
        self.problems.append(Problem(origin, key, message))


def _refused_items(node: Node, key: str) -> Iterator[tuple[str, Origin, Refused]]:
    """Find what no key accepts inside a list, which holds numbers or lists of them."""
    if isinstance(node.value, list):
        for index, item in enumerate(node.value):
            at = f"{key}[{index}]"
            if isinstance(item.value, Refused):
                yield at, item.origin, item.value
            yield from _refused_items(item, at)


def _absolute(path: str, folder: str) -> str:
    """Resolve a path against the folder of the file that it stands in."""
    if not path or "\0" in path:
        raise MisfitError(f"must be a path, got {shown(path)}")
    return os.path.abspath(os.path.join(folder, path))


def _section_type(kind: Any) -> type[Struct] | None:
    """Give the struct of a field that is a section, ``Annotated[Model, …]``."""
    bare = getattr(kind, "__origin__", kind)
    return bare if isinstance(bare, type) and issubclass(bare, Struct) else None


def _unknown_key(name: str, section: str, known: list[str]) -> str:
    """Say where an unknown key belongs, or which known one is the nearest."""
    if section == "task":
        tasks = [task for task in TASKS if name in task_class(task).__struct_fields__]
        if tasks:
            return f"is not a key of this task, but of {', '.join(tasks)}"
    last = name.rpartition(".")[2]
    owners = [owner for owner, names in _sections(Experiment, "") if last in names]
    if owners:
        what = "it" if last == name else last
        return f"is not a known key here: {what} belongs to {' or '.join(owners)}"
    return f"is not a known key, {nearest(name, known)}"


def _sections(struct: type[Struct], key: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every section with the names of its keys; a task's are those of all tasks."""
    structs = [task_class(task) for task in TASKS] if struct is Task else [struct]
    yield key or "the top level", {name for each in structs for name in each.__struct_fields__}
    for field in fields(struct):
        if (section := _section_type(field.type)) is not None:
            yield from _sections(section, child(key, field.name))
