"""A bar appears for work that takes a while, where somebody watches."""

import io

import pytest

from bpttcli.cli import progress
from bpttcli.cli.progress import Progress
from bpttcli.cli.terminal import Terminal


class Stream(io.StringIO):
    """Standard error, with a person before it or not."""

    encoding = "utf-8"

    def __init__(self, watched):
        super().__init__()
        self._watched = watched

    def isatty(self):
        return self._watched


def shown(monkeypatch, *, watched=True, quiet=False, patience=0.0):
    """What half of a run's second part writes to standard error."""
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal(io.StringIO(), Stream(watched))
    terminal.quiet = quiet
    bar = Progress(terminal)
    bar.part(0.5, 1.0)(0.5)
    bar.stop()
    bar.stop()  # an error after the end stops it again
    assert terminal.out.getvalue() == ""
    return terminal.err.getvalue()


def test_the_bar_shows_the_share_of_the_whole_work(monkeypatch):
    assert "75%" in shown(monkeypatch)


@pytest.mark.parametrize(
    "nobody_waits", [{"watched": False}, {"quiet": True}, {"patience": 1000.0}], ids=str
)
def test_nothing_is_shown_that_nobody_waits_for(monkeypatch, nobody_waits):
    assert shown(monkeypatch, **nobody_waits) == ""


def test_a_closed_standard_error_is_no_obstacle(monkeypatch):
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr("sys.stderr", None)
    Progress(Terminal(io.StringIO())).part(0, 1)(0.5)
