"""What a command raises becomes one line and an exit status."""

import subprocess
import sys

import pytest

from bpttcli.cli import main
from bpttcli.cli.app import COMMANDS
from bpttcli.errors import RunError


@pytest.fixture
def failing(monkeypatch):
    """Let the command raise an error while it builds the experiment."""

    def fail(error):
        def build(_self):
            raise error

        monkeypatch.setattr("bpttcli.cli.job.Job.build", build)

    return fail


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (RunError("diverged"), 1, "bptt: diverged\n"),
        (MemoryError(), 1, "bptt: out of memory: fewer steps, sequences or units need less\n"),
        (OSError(28, "No space left", "x"), 1, "bptt: cannot use x: No space left\n"),
        (KeyboardInterrupt(), 130, "bptt: interrupted\n"),
        (BrokenPipeError(), 0, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_a_line_and_a_status(failing, capsys, error, status, said):
    failing(error)
    assert main.main(["grad-norms"]) == status
    assert capsys.readouterr() == ("", said)


def test_a_mistake_of_the_tool_itself_keeps_its_traceback(failing):
    failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main.main(["grad-norms"])


def test_debug_raises_what_would_be_a_line(failing):
    failing(RunError("diverged"))
    with pytest.raises(RunError):
        main.main(["grad-norms", "--debug"])


@pytest.mark.parametrize("arguments", [["spectrum", "--help"], ["--help"], ["spectrun"]], ids=str)
def test_only_the_command_that_is_asked_for_is_loaded(arguments):
    """The help and a misspelt name ask for all."""
    program = (
        "import sys; from bpttcli.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print([m for m in sys.modules if m.startswith('bpttcli.cli.')], 'numpy' in "
        "sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True
    )
    loaded = done.stderr.splitlines()[-1]
    wanted = {"bpttcli.cli.spectrum"} if arguments[0] == "spectrum" else set(COMMANDS.values())
    assert {module for module in COMMANDS.values() if f"'{module}'" in loaded} == wanted
    assert loaded.endswith("False")
