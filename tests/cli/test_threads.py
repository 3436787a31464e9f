"""Training in one thread, unless somebody wants more."""

import os
import subprocess
import sys

import numpy as np
import pytest

LOOK = """
import os, sys
from bpttcli.cli.main import main
status = main(["train", "--updates", "1", "--steps", "4", "--hidden", "2", "--format", "csv"])
print(status, os.environ.get("OPENBLAS_NUM_THREADS"), os.environ.get("OMP_NUM_THREADS"))
"""
PLAIN = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}


@pytest.mark.parametrize(
    ("environ", "seen"),
    [
        ({}, "0 1 1"),
        ({"OPENBLAS_NUM_THREADS": "2"}, "0 2 None"),
        ({"OMP_NUM_THREADS": "3"}, "0 None 3"),
    ],
)
def test_one_thread_unless_the_environment_says_otherwise(environ, seen):
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env=PLAIN | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == seen


def test_what_has_loaded_already_is_left_alone(monkeypatch):
    """As in this very process, where NumPy has read its variables long ago."""
    from bpttcli.cli.threads import use_one_thread

    assert np.__name__ in sys.modules
    monkeypatch.setattr(os, "environ", {})
    use_one_thread()
    assert os.environ == {}
