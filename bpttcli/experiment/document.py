"""A YAML text as a tree of values that know their line.

The tree is built from the parser's events: alone among PyYAML's levels they still show
aliases, anchors, tags and repeated keys, and a deep nesting cannot exhaust the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import yaml

from bpttcli.errors import InputError
from bpttcli.experiment.scalars import read_plain
from bpttcli.experiment.tree import Node, Origin, Problem, Refused, child
from bpttcli.experiment.wording import printable, shortened

# The attributes of events depend on their class, and the stubs know few of them.
_Event: TypeAlias = Any

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Far above what an experiment needs (task.x[t][n][i] is 5), far below Python's own limit.
_DEEPEST = 20
# YAML 1.1 §5.1; found here because PyYAML's own message has no line.
_NOT_YAML = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse(text: str, origin: Origin, key: str = "") -> tuple[Node, list[Problem]]:
    r"""Read one YAML document.

    Parameters
    ----------
    text : str
        YAML. Nothing but comments is null.
    origin : Origin
        Where the text comes from; lines are counted if it has one.
    key : str
        The key whose value the text is; empty for a whole experiment.

    Returns
    -------
    Node
        The root. Aliases, anchors and tags are `Refused` values in it.
    list of Problem
        Repeated keys (the first one stands in the tree), keys that are no names, a second
        document.

    Raises
    ------
    InputError
        The text is not YAML, or nests too deeply. The message says where.

    Examples
    --------
    >>> root, _ = parse("task:\n  steps: 1e3", Origin("deep.yaml", 1))
    >>> steps = root.value["task"].value["steps"]
    >>> steps.value, str(steps.origin)
    (1000.0, 'deep.yaml:2')
    """
    text = text.removeprefix("\ufeff")
    if odd := _NOT_YAML.search(text):
        reason = f"character {printable(odd[0])} is not allowed"
        raise _not_yaml(text, origin, key, reason, text.count("\n", 0, odd.start()))
    reader = _Reader(origin, yaml.parse(text, Loader=_LOADER))
    try:
        return reader.document(key), reader.problems
    except yaml.MarkedYAMLError as error:
        index = error.problem_mark.line if error.problem_mark else 0
        raise _not_yaml(text, origin, key, str(error.problem), index) from None
    except (ValueError, OverflowError) as error:  # the loader without C, on absurd escapes
        raise _not_yaml(text, origin, key, str(error), 0) from None


class _Reader:
    """Builds the tree from the events, from the first to the last."""

    def __init__(self, origin: Origin, events: Iterator[_Event]) -> None:
        self.problems: list[Problem] = []
        self._origin = origin
        self._events = events

    def document(self, key: str) -> Node:
        """Read the only document of the stream."""
        root = Node(None, self._origin)
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._complain(event, key, "must be one document, a second one starts here")
                    break
                first = next(self._events)
                root = self._node(first, self._at(first), key, 0)
        return root

    def _node(self, event: _Event, origin: Origin, key: str, depth: int) -> Node:
        """Read the value that begins with this event."""
        if depth > _DEEPEST:
            problem = f"lists and mappings are nested more than {_DEEPEST} deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        decoration = _decoration(event)
        node = Node(None, origin)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0]
            node = Node(read_plain(event.value) if plain else event.value, origin)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(self._items(key, depth), origin)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Node(self._entries(key, depth), origin)
        return Node(Refused(decoration), origin) if decoration else node

    def _items(self, key: str, depth: int) -> list[Node]:
        """Read the rest of a list."""
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, self._at(event), f"{key}[{len(items)}]", depth + 1))
        return items

    def _entries(self, key: str, depth: int) -> dict[str, Node]:
        """Read the rest of a mapping."""
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            is_name = isinstance(event, yaml.ScalarEvent) and not _decoration(event)
            name = event.value if is_name else ""
            if not is_name:
                self._complain(event, key, "must have plain names as its keys")
                self._node(event, self._at(event), key, depth + 1)
            value = self._node(next(self._events), self._at(event), child(key, name), depth + 1)
            if name in entries:
                line = entries[name].origin.line
                first = "" if line is None else f", first on line {line}"
                self._complain(event, child(key, name), f"is given twice{first}")
            elif is_name:
                entries[name] = value
        return entries

    def _at(self, event: _Event) -> Origin:
        """Give the place where an event begins."""
        if self._origin.line is None:
            return self._origin
        return self._origin._replace(line=event.start_mark.line + 1)

    def _complain(self, event: _Event, key: str, message: str) -> None:
        """Keep a problem that the tree cannot show."""
        self.problems.append(Problem(self._at(event), key, message))


def _decoration(event: _Event) -> str | None:
    """Name the alias, anchor or tag of a value, none of which an experiment may have."""
    if isinstance(event, yaml.AliasEvent):
        return f"the alias *{shortened(str(event.anchor))}: write the value out"
    if event.anchor is not None:
        return f"the anchor &{shortened(str(event.anchor))}: write the value without it"
    if event.tag is not None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        return f"the tag {shortened(printable(tag))}: write the value without it"
    return None


def _not_yaml(text: str, origin: Origin, key: str, reason: str, index: int) -> InputError:
    """Say in one line why a text is not YAML; `index` counts lines from 0."""
    lines = text.splitlines() or [""]
    index = min(index, len(lines) - 1)  # an error at the end of the text has no line of its own
    if "\t" in lines[index][: len(lines[index]) - len(lines[index].lstrip())]:
        reason = "the line is indented with a tab, YAML wants spaces"
    place = origin if origin.line is None else origin._replace(line=index + 1)
    return InputError(str(Problem(place, key, f"is not valid YAML: {printable(reason)}")))
