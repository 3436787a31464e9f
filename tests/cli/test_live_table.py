"""Rows and a bar while a run goes on, for whoever watches."""

import io

import pytest

from bpttcli.cli import live_table
from bpttcli.cli.live_table import LiveTable
from bpttcli.cli.terminal import Terminal
from bpttcli.training.progress import Progress
from bpttcli.training.run import Ending
from tests.cli.test_progress import Stream
from tests.report.test_training import row

ENDING = Ending(40)


def shown(monkeypatch, *, watched=True, quiet=False, patience=0.0, ending=ENDING):
    """What standard error gets of two rows and 30 of 40 updates."""
    monkeypatch.setattr(live_table, "_PATIENCE", patience)
    monkeypatch.setattr(live_table, "_PAUSE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal(io.StringIO(), Stream(watched))
    terminal.quiet = quiet
    table = LiveTable(terminal)
    table.begin(Progress(rows=[row(0)]), ending)
    table.row(row(20))
    table.update(Progress(update=30, seconds=30.0))
    table.stop()
    table.stop()
    assert terminal.out.getvalue() == ""
    return terminal.err.getvalue()


def test_rows_and_the_share_of_the_updates_are_shown(monkeypatch):
    seen = shown(monkeypatch)
    assert "30/40" in seen
    assert "horizon" in seen
    assert "0.0286" in seen  # the held-out loss of the second row


def test_where_the_time_ends_a_run_first_the_share_is_that_of_the_time(monkeypatch):
    assert "30/36" in shown(monkeypatch, ending=Ending(40, minutes=0.6))
    assert "30/40" in shown(monkeypatch, ending=Ending(40, minutes=60.0))


@pytest.mark.parametrize(
    "nobody_waits", [{"watched": False}, {"quiet": True}, {"patience": 1000.0}], ids=str
)
def test_nothing_is_shown_that_nobody_waits_for(monkeypatch, nobody_waits):
    assert shown(monkeypatch, **nobody_waits) == ""
