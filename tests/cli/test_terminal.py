"""Real processes, pipes and terminals."""

import os
import re
import signal
import subprocess
import sys
import time

import pexpect
import pytest

BPTT = [sys.executable, "-m", "bpttcli"]
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if name not in ("NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "COLUMNS")
}


def shell(command, **environ):
    bptt = " ".join(BPTT)
    return subprocess.run(
        ["bash", "-c", command.replace("BPTT", bptt)],
        capture_output=True,
        env=ENVIRON | environ,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_closed_pipe_ends_it_quietly(form, unbuffered):
    command = f"set -o pipefail; BPTT grad-norms --steps 3000 --format {form} | head -c 10"
    done = shell(command, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_piped_table_has_its_natural_width_and_no_escapes():
    out = shell("BPTT grad-norms --steps 50 | cat", COLUMNS="40", NO_COLOR="").stdout.decode()
    assert "\x1b" not in out
    assert "…" not in out
    assert max(len(line) for line in out.splitlines()) > 150


def test_colour_can_be_forced_and_forbidden():
    assert b"\x1b" in shell("BPTT grad-norms", FORCE_COLOR="1").stdout
    assert b"\x1b" not in shell("BPTT grad-norms", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert b"\x1b" not in shell("BPTT grad-norms", NO_COLOR="").stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_notation_gets_plain_characters(encoding):
    done = shell("BPTT grad-norms --steps 20", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "spectral radius rho(B)" in done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", ["", "grad-norms", "train"])
def test_help_has_only_plain_characters(command, encoding):
    done = shell(f"BPTT {command} --help", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


@pytest.mark.parametrize(
    "command", ["grad-norms", "grad-norms --format json", "--help", "grad-norms --help"]
)
def test_a_reader_that_leaves_at_once_is_no_failure(command):
    done = shell(f"set -o pipefail; BPTT {command} | exec 0<&-")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "command",
    [
        "grad-norms > /dev/full",
        "grad-norms --format json > /dev/full",
        "grad-norms --output /dev/full",
        "grad-norms --save-arrays /dev/full",
        "--help > /dev/full",
        "--version > /dev/full",
    ],
)
def test_a_full_disk_fails_in_one_line(command):
    done = shell(f"BPTT {command}")
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("bptt: cannot ")
    assert line.endswith(": No space left on device")


@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        ("grad-norms >&-", 1, b"bptt: cannot write standard output: it is closed\n"),
        ("grad-norms >&- 2>&-", 1, b""),
        ("grad-norms --steps 0 2>&-", 2, b""),
        ("grad-norms --steps 0 2>/dev/full", 2, b""),
        ("grad-norms - <&-", 2, b"bptt: <stdin>: is closed\n"),
    ],
)
def test_streams_that_are_closed_change_no_exit_status(command, status, err):
    done = shell(f"BPTT {command}")
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", err)


def screen(command, columns=80, **environ):
    """What a terminal of that width shows of a shell command."""
    child = pexpect.spawn(
        "bash",
        ["-c", command.replace("BPTT", " ".join(BPTT))],
        env=ENVIRON | {"TERM": "xterm"} | environ,
        dimensions=(60, columns),
        encoding="utf-8",
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    return child.before


def widest(text):
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return max(len(line.rstrip()) for line in plain.splitlines())


MORE = ["", "--cell lstm --layers 2", "--task sine --layers 3", "--steps 1000 --all"]


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("more", MORE)
def test_a_table_fits_the_terminal_and_cuts_no_number(more, columns):
    shown = screen(f"BPTT grad-norms {more}", columns)
    assert "\x1b[1;33mvanishing" in shown
    assert "…" not in shown
    assert widest(shown) <= columns


def test_no_color_counts_only_if_it_is_not_empty():
    assert "\x1b" in screen("BPTT grad-norms", NO_COLOR="")
    assert "\x1b" not in screen("BPTT grad-norms", NO_COLOR="1")
    assert "\x1b" not in screen("BPTT grad-norms", TERM="dumb")


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_forced_colour_in_a_pipe_takes_the_width_of_the_real_terminal(term):
    shown = screen("BPTT grad-norms | cat", 70, FORCE_COLOR="1", TERM=term)
    assert "\x1b" in shown
    assert 60 < widest(shown) <= 70


def test_without_a_command_there_is_help():
    done = shell("BPTT")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == shell("BPTT --help").stdout


def test_the_shell_completes_names():
    words = {"_BPTT_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    done = shell("BPTT", COMP_WORDS="bptt grad-norms --cell ", **words)
    assert done.stdout.split() == b"tanh relu linear lstm gru".split()
    assert b"_BPTT_COMPLETE" in shell("BPTT --show-completion bash").stdout


def test_a_traceback_is_there_for_whoever_asks():
    done = shell("BPTT grad-norms --steps 0 --debug")
    assert b"Traceback" in done.stderr
    assert b"task.steps" in done.stderr


def test_ctrl_c_ends_it_in_one_line():
    command = [*BPTT, "grad-norms", "--steps", "3000000", "--hidden", "128"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRON)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err) == (b"", b"bptt: interrupted\n")


def test_an_output_is_written_whole_and_nothing_to_standard_output(tmp_path):
    path = tmp_path / "result.json"
    done = shell(f"BPTT grad-norms --format json --output {path}")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert path.read_bytes() == shell("BPTT grad-norms --format json").stdout
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


def test_version_and_help_load_no_numpy():
    assert shell("BPTT --version").stdout.startswith(b"bptt 0.")
    done = shell("BPTT grad-norms --help", PYTHONPROFILEIMPORTTIME="1")
    assert b"Examples" in done.stdout
    assert b"numpy" not in done.stderr
