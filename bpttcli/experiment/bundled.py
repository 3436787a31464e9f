"""The experiments that come with the package, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bpttcli.errors import InputError, nearest
from bpttcli.experiment.wording import shown


@cache
def _folder() -> Path:
    """Find configs/: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def bundled_names() -> list[str]:
    """List the bundled experiments, in alphabetical order.

    Examples
    --------
    >>> "scalar-linear" in bundled_names()
    True
    """
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def bundled_path(name: str) -> Path:
    """Find the file of a bundled experiment.

    Parameters
    ----------
    name : str
        Its name, without the suffix.

    Returns
    -------
    Path
        A YAML file.

    Raises
    ------
    InputError
        There is none of that name; the message lists those that there are.
    """
    names = bundled_names()
    if name not in names:
        message = f"there is neither a file nor a bundled experiment named {shown(name)}"
        raise InputError(f"{message}, {nearest(name, names)}")
    return _folder() / f"{name}.yaml"
