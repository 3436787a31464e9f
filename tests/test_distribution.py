"""What is built holds all that a run needs, away from any checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGS = {path.name for path in (ROOT / "configs").glob("*.yaml")}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def test_the_wheel_holds_the_package_its_data_and_the_experiments(built):
    names = set(zipfile.ZipFile(built[0]).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "bpttcli").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package <= names
    assert {f"bpttcli/configs/{name}" for name in CONFIGS} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "configs/"))]


def test_the_source_archive_holds_what_its_own_tests_need(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "tests/conftest.py"}
    assert wanted <= names
    for folder in ("tests", "bpttcli", "benchmarks", "configs"):
        paths = (path for path in (ROOT / folder).rglob("*.*") if path.is_file())
        files = {path.relative_to(ROOT).as_posix() for path in paths if path.suffix != ".pyc"}
        assert files <= names


@pytest.mark.parametrize("place", ["wheel", "checkout"])
def test_bundled_experiments_are_found(place, built, tmp_path):
    home = ROOT
    if place == "wheel":
        home = tmp_path / "site"
        zipfile.ZipFile(built[0]).extractall(home)
    command = [sys.executable, "-m", "bpttcli", "grad-norms"]
    environ = os.environ | {"PYTHONPATH": str(home)}
    for experiment in ("scalar-linear", "text", "sunspots"):
        subprocess.run([*command, experiment], cwd=tmp_path, env=environ, check=True)
    listed = subprocess.run([*command, "?"], cwd=tmp_path, env=environ, capture_output=True)
    assert all(name.removesuffix(".yaml") in listed.stderr.decode() for name in CONFIGS)
    where = [sys.executable, "-c", "import bpttcli; print(bpttcli.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environ, capture_output=True, check=True)
    assert found.stdout.decode().startswith(str(home))
