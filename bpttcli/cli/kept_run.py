"""The folder of a run: a new one, one to go on with, or none."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from bpttcli.engine.network import Network
from bpttcli.errors import InputError, RunError
from bpttcli.experiment.wording import shown
from bpttcli.training.folder import Folder, Newest
from bpttcli.training.snapshot import progress_of, restore, snapshot

if TYPE_CHECKING:
    from bpttcli.diagnostics.gradient_norms import GradientNorms
    from bpttcli.engine.scaled import Array
    from bpttcli.experiment.build import Problem
    from bpttcli.training.progress import Progress
    from bpttcli.training.run import Run

# Keys that change no number of a run.
_HARMLESS = {"train.checkpoint_every", "train.keep"}
_MOST_NAMED = 5


class KeptRun:
    """Where a run is kept, and what it goes on from.

    Parameters
    ----------
    folder : Path or None
    newest : Newest, optional
        What it goes on from.
    allow_changed : bool
        Go on although the experiment is another one.
    """

    def __init__(
        self,
        folder: Path | None,
        newest: Newest | None = None,
        *,
        allow_changed: bool = False,
    ) -> None:
        self.folder = folder
        self._newest, self._allow_changed = newest, allow_changed
        self._resumed = None if newest is None else newest.checkpoint
        self.notes = [
            f"{path} {why}; the one before it is taken"
            for path, why in (newest.damaged.items() if newest else ())
        ]
        self._store = None if folder is None else Folder(folder)
        self._initial: dict[str, Array] = {}
        self._values: dict[str, Any] = {}

    @classmethod
    def of(cls, given: dict[str, Any]) -> KeptRun:
        """Read the options, and the folder that is to be gone on with.

        Raises
        ------
        InputError
            The new folder is there already, or the old one holds no checkpoint.
        """
        if "checkpoint" in given:
            folder = Path(given["checkpoint"])
            try:
                Folder(folder).check_unused()
            except InputError as error:
                raise InputError(f"--checkpoint {error}") from error
            return cls(folder)
        if "resume" not in given:
            nowhere = cls(None)
            if "checkpoint_every" in given:
                nowhere.notes.append("nothing is kept: --checkpoint-every without --checkpoint DIR")
            return nowhere
        folder = Path(given["resume"])
        try:
            found = Folder(folder).newest()
        except InputError as error:
            raise InputError(f"--resume {error}") from error
        return cls(folder, found, allow_changed="allow_changed" in given)

    def experiment(self) -> io.StringIO | None:
        """The experiment to run where none is named, as a file: that of the checkpoint."""
        if self._newest is None:
            return None
        # Not that beside it in the folder, which a reader may have changed.
        file = io.StringIO(_text(self._newest.checkpoint.values))
        file.name = f"the experiment in {self._newest.path}"
        return file

    def refuse_own(self, flag: str, path: str | None) -> None:
        """Refuse to write a result where the run keeps something of its own.

        Raises
        ------
        InputError
        """
        if self._store is not None and path is not None and self._store.owns(path):
            raise InputError(f"{flag} must be another file than those the run keeps, got {path}")

    def progress(self) -> Progress | None:
        """How far the run had come; None for a new one."""
        return None if self._resumed is None else progress_of(self._resumed)

    def begin(self, run: Run, problem: Problem) -> None:
        """Load what was kept, or make the folder.

        Raises
        ------
        InputError
            The experiment or its sequences are not those of the run.
        RunError
            The folder cannot be made.
        """
        experiment = problem.experiment.to_dict()
        self._values = {"experiment": experiment, "data": _digest(problem)}
        if self._store is not None:
            self._store = Folder(self._store.path, problem.experiment.train.keep)
        if self._resumed is None:
            self._initial = run.updates.parameters.copies()
            if self._store is not None:
                first = snapshot(run, self._initial, self._values)
                self._store.create(_text(self._values).encode(), first)
            return
        changes = _changes(self._resumed.values["experiment"], experiment)
        if not self._allow_changed:
            self._refuse_changes(changes)
        elif changes:
            run.progress.stopped_by = None
        self._initial = self._resumed.group("initial")
        try:
            afresh = restore(run, self._resumed)
        except InputError as error:
            raise InputError(f"--resume {self.folder} {error}") from error
        if afresh:
            self.notes.append(f"{' and '.join(afresh)} cannot be gone on with: begun afresh")
        if self._store is not None and self._newest is not None:
            self._store.tidy(self._newest)
            if changes:
                self._written(lambda store: store.write_experiment(_text(self._values).encode()))
                self.save(run)

    def save(self, run: Run) -> None:
        """Write a checkpoint, if there is a folder.

        Raises
        ------
        RunError
            It cannot be written.
        """
        if self._store is not None:
            checkpoint = snapshot(run, self._initial, self._values)
            self._written(lambda store: store.save(run.progress.update, checkpoint))

    def save_best(self, parameters: dict[str, Array]) -> None:
        """Write the best parameters, if there is a folder.

        Raises
        ------
        RunError
            They cannot be written.
        """
        self._written(lambda store: store.save_best(parameters))

    def first_look(self, run: Run) -> GradientNorms:
        """Measure the gradient's way back before the first update."""
        cell = run.updates.parameters.network.cell
        return run.gauge.probe.look(Network.from_parameters(cell, self._initial))

    def last_good(self, run: Run) -> str:
        """Say what is left of a run that diverged, and leave it to be gone on with."""
        if self._store is None:
            return "--checkpoint DIR would have kept the parameters before it"
        good = self._store.go_back(run.last_good_update)
        if good is None:
            return f"no checkpoint in {self.folder} is from before it"
        return f"the last good checkpoint is {good}"

    def _written(self, write: Callable[[Folder], object]) -> None:
        """Write into the folder, if there is one; where that fails, say what is left."""
        if self._store is None:
            return
        try:
            write(self._store)
        except RunError as error:
            how = f"what was kept before is whole: go on with bptt train --resume {self.folder}"
            raise RunError(f"{error}; {how}") from error

    def _refuse_changes(self, changes: list[str]) -> None:
        """Refuse to go on with another experiment, or other sequences."""
        assert self._resumed is not None
        hint = "--allow-changed goes on all the same"
        if changes:
            named = changes[:_MOST_NAMED]
            more = len(changes) - len(named)
            listed = ", ".join(named) + (f" and {more} more" if more else "")
            raise InputError(
                f"--resume {self.folder} is the run of another experiment: {listed}; {hint}"
            )
        if self._resumed.values["data"] != self._values["data"]:
            raise InputError(
                f"--resume {self.folder} was trained on other sequences than its task has now; "
                f"{hint}"
            )


def _text(values: dict[str, Any]) -> str:
    """Write the experiment of a checkpoint as a file that can be run."""
    text = msgspec.json.format(msgspec.json.encode(values["experiment"]), indent=2)
    return f"{text.decode()}\n"


def _changes(before: Any, now: Any, key: str = "") -> list[str]:
    """Name the keys in which two experiments differ, with both values."""
    if isinstance(before, dict) and isinstance(now, dict) and "parameters" not in key:
        return [
            change
            for name in dict.fromkeys([*before, *now])
            for change in _changes(
                before.get(name), now.get(name), f"{key}.{name}" if key else name
            )
        ]
    if before == now or key in _HARMLESS:
        return []
    return [f"{key} was {shown(before)} and is {shown(now)}"]


def _digest(problem: Problem) -> str:
    """Recognise sequences by the file that they are from, and a few of them."""
    digest = hashlib.sha256()
    file = getattr(problem.experiment.task, "file", None)
    if file is not None:
        digest.update(Path(file).read_bytes())
    for array in (problem.sequences.x, problem.sequences.y):
        if array is not None:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
