"""The tasks, by name. Adding one is one file beside this and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from bpttcli.errors import InputError, nearest

if TYPE_CHECKING:
    from bpttcli.tasks.task import Task

TASKS: dict[str, str] = {
    "adding": "bpttcli.tasks.adding:Adding",
    "copy": "bpttcli.tasks.copying:Copying",
    "temporal-order": "bpttcli.tasks.temporal_order:TemporalOrder",
    "sine": "bpttcli.tasks.sine:Sine",
    "sunspots": "bpttcli.tasks.sunspots:Sunspots",
    "text": "bpttcli.tasks.text:Text",
    "data": "bpttcli.tasks.data:Data",
    "constant": "bpttcli.tasks.constant:Constant",
    "noise": "bpttcli.tasks.noise:Noise",
    "autonomous": "bpttcli.tasks.autonomous:Autonomous",
}


def task_class(name: str) -> type[Task]:
    """Return the class of the task of that name; its fields are the task's keys.

    Raises
    ------
    InputError
        There is none.

    Examples
    --------
    >>> task_class("copy").__name__
    'Copying'
    """
    if name not in TASKS:
        raise InputError(f"must be a task, got '{name}': {nearest(name, TASKS)}", key="task.name")
    module, task = TASKS[name].split(":")
    return cast("type[Task]", getattr(import_module(module), task))
