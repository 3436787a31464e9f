"""The folder that a run keeps its checkpoints in."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError, RunError
from bpttcli.files import atomic
from bpttcli.training.checkpoint import Checkpoint, from_bytes, to_bytes

_NAME = re.compile(r"update-(\d+)\.npz")
_EXPERIMENT, _BEST = "experiment.yaml", "best.npz"
# What `atomic` calls a file that is not yet whole; a run that was killed may leave one.
_UNFINISHED = ".bptt-*"


class Newest(NamedTuple):
    """The newest checkpoint that can be read.

    Attributes
    ----------
    checkpoint : Checkpoint
    path : Path
    damaged : dict of Path to str
        Newer ones, and what is wrong with them.
    """

    checkpoint: Checkpoint
    path: Path
    damaged: dict[Path, str]


class Folder:
    """Checkpoints of one run, each written whole or not at all.

    Parameters
    ----------
    path : str or Path
    keep : int
        How many there may be; older ones are removed.
    """

    def __init__(self, path: str | Path, keep: int = 3) -> None:
        self.path, self._keep = Path(path), keep

    @property
    def experiment(self) -> Path:
        """The experiment of the run, a file that can be run by itself."""
        return self.path / _EXPERIMENT

    def owns(self, path: str | Path) -> bool:
        """Whether a path is that of a file which the run writes itself."""
        folder, name = os.path.split(os.path.realpath(path))
        is_own = name in (_EXPERIMENT, _BEST) or _NAME.fullmatch(name) is not None
        return is_own and folder == os.path.realpath(self.path)

    def check_unused(self, key: str | None = None) -> None:
        """Refuse a folder that cannot be made, or that holds anything.

        Raises
        ------
        InputError
        """
        parent = Path(os.path.abspath(self.path)).parent
        if self.path.is_dir() and not any(self.path.iterdir()):
            return
        if self.path.is_dir() and self.checkpoints():
            raise InputError(
                f"must be a new folder, {self.path} holds a run already: go on with it by "
                f"--resume {self.path}",
                key=key,
            )
        if os.path.lexists(self.path):
            raise InputError(f"must be a new folder, {self.path} is there already", key=key)
        if not parent.is_dir():
            message = f"must be in a folder that exists, got {self.path}"
            raise InputError(message, key=key)
        if not os.access(parent, os.W_OK):
            message = f"must be in a folder that can be written, got {self.path}"
            raise InputError(message, key=key)

    def create(self, experiment: bytes, first: Checkpoint) -> None:
        """Make the folder, with its first checkpoint in it: whoever sees it can resume.

        Parameters
        ----------
        experiment : bytes
            The experiment as a file.
        first : Checkpoint

        Raises
        ------
        RunError
            The system refuses.
        """
        target = Path(os.path.abspath(self.path))
        made: str | None = None
        try:
            made = tempfile.mkdtemp(prefix=f".bptt-{target.name}-", dir=target.parent)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(made, 0o777 & ~mask)
            inside = Folder(made, self._keep)
            inside.write_experiment(experiment)
            inside.save(0, first)
            os.rename(made, target)
            made = None
            _sync(target.parent)
        except (OSError, RunError) as error:
            # Of a RunError the cause: its own sentence names a file that nobody has heard of.
            reason = getattr(error.__cause__ or error, "strerror", None) or error
            raise RunError(f"cannot make {self.path}: {reason}") from error
        finally:
            if made is not None:
                shutil.rmtree(made, ignore_errors=True)

    def write_experiment(self, content: bytes) -> None:
        """Write the experiment of the run, for whoever looks for it.

        Raises
        ------
        RunError
            As `save`.
        """
        with atomic(self.experiment) as stream:
            stream.write(content)

    def save(self, update: int, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint, and remove those that are too old.

        Raises
        ------
        RunError
            The disk is full, or the system refuses: the older checkpoints stay.
        """
        path = self.path / f"update-{update:09d}.npz"
        content = to_bytes(checkpoint)
        with atomic(path) as stream:
            stream.write(content)
        _sync(self.path)
        for old in self.checkpoints()[self._keep :]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path

    def save_best(self, parameters: Mapping[str, Array]) -> None:
        """Write the best parameters, as a file that ``--model`` reads.

        Raises
        ------
        RunError
            As `save`.
        """
        with atomic(self.path / _BEST) as stream:
            np.savez(stream, **parameters)  # type: ignore[arg-type]

    def checkpoints(self) -> list[Path]:
        """List the checkpoints, the newest first."""
        found = [path for path in self.path.iterdir() if _NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: path.name, reverse=True)

    def newest(self) -> Newest:
        """Read the newest checkpoint that is whole.

        Raises
        ------
        InputError
            There is none, or one may not be read.
        """
        if not self.path.is_dir():
            what = f"{self.path} is no folder" if self.path.exists() else f"there is no {self.path}"
            raise InputError(f"must be a folder with checkpoints, {what}")
        damaged: dict[Path, str] = {}
        for path in self.checkpoints():
            try:
                checkpoint = from_bytes(path.read_bytes())
            except PermissionError:
                # It is not damaged: to go on from an older one would throw updates away.
                raise InputError(f"must be a folder that can be read, {path} can not") from None
            except OSError as error:
                damaged[path] = f"cannot be read: {(error.strerror or str(error)).lower()}"
                continue
            except InputError as error:
                damaged[path] = str(error)
                continue
            return Newest(checkpoint, path, damaged)
        if damaged:
            listed = "; ".join(f"{path} {why}" for path, why in damaged.items())
            raise InputError(f"must hold a checkpoint that is whole: {listed}")
        raise InputError(f"must be a folder with checkpoints, {self.path} holds none")

    def go_back(self, update: int) -> Path | None:
        """Set aside the checkpoints after an update, so that a run goes on from before them.

        Parameters
        ----------
        update : int

        Returns
        -------
        Path or None
            The newest one up to that update; None, and nothing is set aside, without any.
        """
        late = [path for path in self.checkpoints() if _update_of(path) > update]
        early = self.checkpoints()[len(late) :]
        if not early:
            return None
        for path in late:
            path.rename(f"{path}.diverged")
        return early[0]

    def tidy(self, newest: Newest) -> None:
        """Remove what a run that was killed had not finished writing; set aside what is damaged.

        Parameters
        ----------
        newest : Newest
            What the run goes on from: damaged checkpoints that seem newer would be kept in
            the place of whole ones.
        """
        for path in newest.damaged:
            with contextlib.suppress(OSError):
                path.rename(f"{path}.damaged")
        for path in self.path.glob(_UNFINISHED):
            with contextlib.suppress(OSError):
                path.unlink()


def _update_of(path: Path) -> int:
    """Read the update from the name of a checkpoint."""
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])


def _sync(folder: Path) -> None:
    """Let a rename survive a loss of power, where folders can be synchronised."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
