"""The floors of the house: a module imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

import bpttcli

PACKAGE = Path(bpttcli.__file__).parent
GROUND = ["_version", "errors", "files", "record"]
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
ROOF = ["__init__", "__main__"]
"""They open the house to those outside, and nobody inside imports them."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def floor_of(path):
    """The file or folder right below bpttcli that a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_folder_of_code(path):
    return path.is_dir() and any(path.rglob("*.py"))


def imported(tree, package):
    """Floors that a module of the package (its dotted name, in parts) imports, and from where."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *(node.module.split(".") if node.module else [])]
            names = [".".join([*base, alias.name]) for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "bpttcli":
                yield (parts[1] if len(parts) > 1 else "__init__"), node.lineno


def forbidden(floor, target):
    """Why a floor may not import another, or None."""
    if target in ROOF:
        return "nobody inside imports the roof"
    if target not in GROUND + FLOORS:
        # A name of the package itself (`from bpttcli import …`), which loads from anywhere.
        return "is not a floor"
    if floor in ROOF:
        return None
    if floor in GROUND:
        return None if target in GROUND else "the ground carries all and stands on none"
    if target in FLOORS and FLOORS.index(target) > FLOORS.index(floor):
        return "is a floor above"
    return None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_floor_and_those_below(path):
    package = ("bpttcli", *path.relative_to(PACKAGE).parent.parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [
        f"line {line}: {floor_of(path)} imports {target}: {why}"
        for target, line in imported(tree, package)
        if (why := forbidden(floor_of(path), target))
    ]
    assert not wrong


def test_every_file_and_folder_of_the_package_has_its_floor():
    found = {floor_of(path) for path in MODULES}
    found |= {path.name for path in PACKAGE.iterdir() if is_folder_of_code(path)}
    assert found <= set(GROUND + FLOORS + ROOF)


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        ("import bpttcli", ["__init__"]),
        ("import bpttcli.cli.app as app, numpy", ["cli"]),
        ("from bpttcli import cli, errors", ["cli", "errors"]),
        ("from bpttcli.cli import app", ["cli"]),
        ("from bpttcli.cli.app import run", ["cli"]),
        ("from . import scaled", ["engine"]),
        ("from .cells import elman", ["engine"]),
        ("from .. import cli", ["cli"]),
        ("from ..cli import app", ["cli"]),
        ("def f():\n    from bpttcli.cli import app", ["cli"]),
        ("if TYPE_CHECKING:\n    from bpttcli.cli import app", ["cli"]),
        ("import bpttclient, numpy.linalg", []),
    ],
)
def test_every_way_to_import_is_seen(line, targets):
    """As read in a module of bpttcli/engine."""
    assert [target for target, _ in imported(ast.parse(line), ("bpttcli", "engine"))] == targets


@pytest.mark.parametrize(
    ("floor", "target", "allowed"),
    [
        ("engine", "errors", True),
        ("engine", "engine", True),
        ("engine", "tasks", False),
        ("cli", "report", True),
        ("report", "cli", False),
        ("errors", "engine", False),
        ("files", "errors", True),
        ("cli", "__init__", False),
        ("cli", "Network", False),
        ("__init__", "cli", True),
    ],
)
def test_a_floor_may_import_what_lies_below(floor, target, allowed):
    assert (forbidden(floor, target) is None) is allowed
