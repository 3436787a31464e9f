"""Real processes, pipes and terminals."""

import os
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


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_without_the_notation_gets_plain_characters(encoding):
    done = shell("BPTT grad-norms --steps 20", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "spectral radius rho(B)" in done.stdout.decode(encoding)


def test_a_full_disk_fails_in_one_line():
    done = shell("BPTT grad-norms --format json > /dev/full")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "bptt: cannot write standard output: No space left on device"
    ]


def test_a_table_fits_a_terminal_of_80_columns():
    for more in ([], ["--cell", "lstm"], ["--task", "sine", "--layers", "2"]):
        child = pexpect.spawn(
            BPTT[0],
            [*BPTT[1:], "grad-norms", *more],
            env=ENVIRON | {"TERM": "xterm"},
            dimensions=(60, 80),
            encoding="utf-8",
        )
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0
        assert "\x1b[1;33mvanishing" in child.before
        assert "…" not in child.before


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
