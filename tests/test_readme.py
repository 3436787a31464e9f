"""Every command of the README runs and prints what stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n\$ (.*?)\n(.*?)```", README, flags=re.DOTALL)
PROGRAMS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SHELL = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
BPTT = f"{sys.executable} -m bpttcli "


def run(command, folder):
    environ = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR")}
    command = command.replace("bptt ", BPTT).replace("python3 ", f"{sys.executable} ")
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        env=environ,
        cwd=folder,
        check=False,
    )


def provide(folder):
    """Put the files there that the README takes for the reader's own."""
    import numpy as np

    kept = Path(__file__).parent / "models" / "files" / "checkpoints"
    shutil.copy(kept / "plain-lstm.pt", folder / "model.pt")
    with np.load(kept / "plain-lstm.npz") as reference:
        np.savez(folder / "batch.npz", x=reference["x"], y=reference["y"])


@pytest.mark.parametrize(("command", "output"), SESSIONS, ids=[s[0][:50] for s in SESSIONS])
def test_a_command_prints_what_the_readme_shows(command, output, tmp_path):
    provide(tmp_path)
    done = run(command, tmp_path)
    # Figures differ between processors in digits that a table of three does not show.
    assert done.stdout + done.stderr == output


def test_there_is_something_to_test():
    assert (len(SESSIONS), len(PROGRAMS), len(SHELL)) == (22, 2, 5)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_python_example_runs(program, tmp_path):
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_the_page_for_a_course_is_written(tmp_path):
    (command,) = [line for line in SHELL if "--explain" in line]
    assert run(command.strip(), tmp_path).returncode == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_model_and_data_of_ones_own_run(tmp_path):
    import numpy as np

    rng = np.random.default_rng(0)
    parameters = {
        "weight_ih_l0": rng.normal(size=(4, 3)),
        "weight_hh_l0": rng.normal(size=(4, 4)),
        "readout.weight": rng.normal(size=(2, 4)),
    }
    np.savez(tmp_path / "model.npz", **parameters)
    np.savez(tmp_path / "batch.npz", x=rng.normal(size=(9, 5, 3)), y=rng.integers(0, 2, size=5))
    (command,) = [line for line in SHELL if "--model model.npz" in line]
    done = run(command.strip(), tmp_path)
    assert done.returncode == 0
    assert "cross_entropy at the last step" in done.stdout


def test_a_text_of_ones_own_is_learnt_and_goes_on(tmp_path):
    lines = ["the cat sat on the mat", "the dog lay by the door"] * 20
    (tmp_path / "mine.txt").write_text("\n".join(lines), encoding="utf-8")
    (command,) = [line for line in SHELL if "mine.txt" in line]
    done = run(command.strip(), tmp_path)
    assert done.returncode == 0
    assert "What the network says" in done.stdout
