"""Values that know where they were written, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from bpttcli.errors import InputError
from bpttcli.experiment.wording import printable, shortened, shown


class Origin(NamedTuple):
    """Where a value was written.

    Attributes
    ----------
    name : str
        A file as the user named it, ``<stdin>``, ``--steps`` or ``--set task.steps``.
    line : int or None
        The line of a file, from 1.
    folder : str
        What a relative path written there is relative to; empty: the current folder.
    """

    name: str
    line: int | None = None
    folder: str = ""

    def __str__(self) -> str:
        """Give what stands before the colon of a message."""
        name = printable(self.name)
        return name if self.line is None else f"{name}:{self.line}"


class Refused(NamedTuple):
    """A value that no key accepts; `got` says what it is and what to write instead."""

    got: str


class Node(NamedTuple):
    """A value and where it was written; for the value of a key, where the key stands."""

    value: Value
    origin: Origin


Value: TypeAlias = bool | int | float | str | Refused | list[Node] | dict[str, Node] | None


def child(key: str, name: str) -> str:
    """Give the key of an entry of the section `key`; the root's key is empty."""
    return f"{key}.{name}" if key else name


def plain(node: Node) -> Any:
    """Strip the origins off a value and all that is in it."""
    if isinstance(node.value, list):
        return [plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {name: plain(entry) for name, entry in node.value.items()}
    return node.value


def described(node: Node) -> str:
    """Say what stands where a mapping should."""
    if isinstance(node.value, Refused):
        return node.value.got
    return "a list" if isinstance(node.value, list) else shown(plain(node))


class Problem(NamedTuple):
    """One thing that is wrong: ``str(problem)`` is the line that the user reads."""

    origin: Origin | None
    key: str
    message: str

    def __str__(self) -> str:
        """Compose ``where: key message``, leaving out what is unknown or said already."""
        if self.origin is not None and self.origin.name == f"--set {self.key}":
            return f"{self.origin}: {self.message}"
        sentence = f"{shortened(printable(self.key))} {self.message}" if self.key else self.message
        return sentence if self.origin is None else f"{self.origin}: {sentence}"


class Origins:
    """Where each key of an experiment was set.

    Parameters
    ----------
    root : Node
        The whole experiment as it was written, options and ``--set`` included.
    """

    def __init__(self, root: Node) -> None:
        self._nodes = dict(_walk(root, ""))

    def given(self, key: str) -> bool:
        """Tell whether anybody set this very key; null is as good as absent."""
        return key in self._nodes and self._nodes[key].value is not None

    def locate(self, key: str) -> Origin | None:
        """Find where a key was set, or else the nearest key around it; None if nobody did.

        Parameters
        ----------
        key : str
            A key with dots, ``task.steps``; an index may follow, ``task.x[2]``.
        """
        while key and key not in self._nodes:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        return self._nodes[key].origin if key else None

    def explain(self, error: InputError) -> str:
        """Say where the key of an error was set.

        Parameters
        ----------
        error : InputError
            Raised by any floor, with the key that it is about.

        Returns
        -------
        str
            ``deep.yaml:12: task.steps must be …``, ``--steps: task.steps must be …``, or
            ``task.steps must be …`` where nobody set the key; without a key, the message.
        """
        if error.key is None:
            return str(error)
        return str(Problem(self.locate(error.key), error.key, str(error)))


def _walk(node: Node, key: str) -> Iterator[tuple[str, Node]]:
    """Yield every key below a node with what was set there."""
    if isinstance(node.value, dict):
        for name, entry in node.value.items():
            yield child(key, name), entry
            yield from _walk(entry, child(key, name))
