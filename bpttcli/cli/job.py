"""What every command does around its own work: reading, checking, telling, writing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from bpttcli.cli.flags import Flag, settings
from bpttcli.cli.options import FORMATS
from bpttcli.cli.progress import Progress
from bpttcli.cli.terminal import Terminal
from bpttcli.errors import InputError, nearest
from bpttcli.experiment.load import Loaded, load_points
from bpttcli.experiment.scalars import read_plain
from bpttcli.experiment.sweep import Point, sweep_points
from bpttcli.experiment.wording import shown
from bpttcli.files import atomic, check_target

if TYPE_CHECKING:
    from bpttcli.engine.network import Network
    from bpttcli.experiment.build import Problem
    from bpttcli.report.report import Report


class Job:
    """One run of a command, as a context.

    Everything that can be refused is refused on entry, before anything is computed or
    written; an error about a key leaves with the place where that key was set.

    Parameters
    ----------
    flags : iterable of Flag
        The command's options.
    experiment : str or None
        EXPERIMENT as given.
    given : dict
        The options given.
    terminal : Terminal, optional
        The process's own unless given.
    formats : tuple of str
        What the command can write.
    stdin : text stream, optional
        What ``-`` reads; the standard input unless given.
    folder : Path, optional
        One that will be made before any file is written.
    """

    def __init__(
        self,
        flags: Iterable[Flag],
        experiment: str | None,
        given: dict[str, Any],
        terminal: Terminal | None = None,
        *,
        formats: tuple[str, ...] = FORMATS,
        stdin: TextIO | None = None,
        folder: Path | None = None,
    ) -> None:
        self._formats = formats
        self._stdin = stdin
        self._folder = folder
        self._flags = tuple(flags)
        self._name = experiment
        self._given = given
        self._points: list[Point] = []
        self._loaded: list[Loaded] = []
        self._at = 0
        self.terminal = Terminal() if terminal is None else terminal
        self.terminal.quiet = bool(given.get("quiet"))
        self.progress = Progress(self.terminal)

    def __enter__(self) -> Job:
        """Check the options and read the experiment."""
        self._form = self.choice("--format", self._formats) or "table"
        self._check_targets()
        self._points = sweep_points(self._given.get("sweep", ()))
        self._loaded = load_points(
            self._name,
            self._points,
            options=settings(self._flags, self._given),
            sets=self._given.get("set", ()),
            stdin=self._stdin,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the progress bar down; say where the key of an error was set."""
        self.progress.stop()
        if not isinstance(error, InputError) or error.key is None:
            return
        own = {flag.parameter: flag.name for flag in self._flags if flag.key is None}
        if error.key in own:
            raise InputError(f"{own[error.key]} {error}") from error
        if self._loaded:
            raise InputError(self._loaded[self._at].origins.explain(error)) from error

    def build(self) -> Problem:
        """Make the experiment's objects, and tell what had to be assumed."""
        from bpttcli.experiment.build import build

        problem = build(self._loaded[self._at].experiment)
        for warning in problem.warnings:
            self.terminal.note(warning)
        return problem

    @property
    def points(self) -> int:
        """How many experiments there are."""
        return len(self._points)

    def sweep(self) -> Iterator[tuple[dict[str, Any], Problem]]:
        """Make the objects of one experiment of a sweep after the other, with its values."""
        for i, point in enumerate(self._points):
            self._at = i
            yield {option.key: option.value for option in point}, self.build()

    def text(self, flag: str) -> str | None:
        """The value of an option that is not the experiment's."""
        return self._given.get(flag.lstrip("-").replace("-", "_"))

    def switch(self, flag: str) -> bool:
        """Whether a switch was given."""
        return bool(self.text(flag))

    def choice(self, flag: str, known: tuple[str, ...]) -> str | None:
        """The value of an option that is one of a few names.

        Raises
        ------
        InputError
            It is none of them.
        """
        value = self.text(flag)
        if value is not None and value not in known:
            raise InputError(f"{flag} must be a known name, got '{value}': {nearest(value, known)}")
        return value

    def count(self, flag: str, *, least: int = 1) -> int | None:
        """The value of an option that counts something.

        Raises
        ------
        InputError
            It is no integer of at least `least`.
        """
        value = self.text(flag)
        if value is None:
            return None
        number = read_plain(value)
        if isinstance(number, bool) or not isinstance(number, int | float) or number % 1:
            number = least - 1
        if number < least:
            raise InputError(f"{flag} must be an integer of at least {least}, got {shown(value)}")
        return int(number)

    def save_model(self, network: Network) -> None:
        """Write a network's parameters where it was asked for."""
        path = self.text("--save-model")
        if path is None:
            return
        from bpttcli.models.save import UNTOLD, save_parameters, torch_parameters

        save_parameters(path, torch_parameters(network))
        if (name := network.cell.name) in UNTOLD:
            self.terminal.note(f"{path} does not say that its cell is {name}: --cell {name} will")

    def _check_targets(self) -> None:
        """Refuse output paths that nothing can be written to, before the run."""
        taken: dict[str, str] = {}
        for flag in ("--output", "--save-arrays", "--save-model", "--plot", "--log"):
            path = self.text(flag)
            if path is None:
                continue
            try:
                _check_target(flag, self._beside(path))
            except InputError as error:
                raise InputError(f"{flag}: {error}") from error
            other = taken.setdefault(os.path.realpath(path), flag)
            if other != flag:
                raise InputError(f"{flag} must be another file than {other}, got {path}")

    def _beside(self, path: str) -> str:
        """The path, or for one in a folder that is yet to be made a path beside that folder."""
        if self._folder is None or os.path.exists(self._folder):
            return path
        folder, name = os.path.split(os.path.realpath(path))
        made = os.path.realpath(self._folder)
        return os.path.join(os.path.dirname(made), name) if folder == made else path

    def write(self, report: Report, warnings: Iterable[str] = ()) -> None:
        """Write a report where it was asked for, and its warnings to standard error."""
        from bpttcli.report.report import render

        self.progress.stop()
        for warning in warnings:
            self.terminal.note(warning)
        output = self.text("--output")
        if output is None:
            console, encoding = self.terminal.console(), self.terminal.encoding
            self.terminal.write(render(report, self._form, console, encoding=encoding))
            return
        content = render(report, self._form, self.terminal.console(to_file=True))
        with atomic(output) as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())


def _check_target(flag: str, path: str) -> None:
    """Refuse a path that this option cannot write to."""
    if flag != "--save-model":
        check_target(path)
        return
    from bpttcli.models.save import check_parameters_target

    check_parameters_target(path)
