"""The floors of the house: a module imports only from its own folder and those below it."""

import ast
from pathlib import Path

import pytest

import bpttcli

PACKAGE = Path(bpttcli.__file__).parent
GROUND = ["_version", "errors", "record", "files"]
FLOORS = [
    "engine",
    "tasks",
    "models",
    "truncation",
    "diagnostics",
    "training",
    "experiment",
    "report",
    "cli",
]
LEVEL = dict.fromkeys(GROUND, 0) | {name: i for i, name in enumerate(FLOORS, start=1)}
DOORS = {"__init__", "__main__"}  # the package's own doors may open on every floor

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path):
    """The folder, or on the ground the module, that a file belongs to."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "bpttcli" and len(parts) > 1 and parts[1] != "__version__":
                yield parts[1]


def test_every_room_has_its_floor():
    assert {room(path) for path in MODULES} - DOORS <= set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_arrow_runs_up(path):
    own = room(path)
    if own in DOORS:
        return
    for other in imported_rooms(path):
        assert LEVEL[other] <= LEVEL[own], f"{own} imports from {other}"
