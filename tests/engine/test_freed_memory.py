"""Arrays that come and go with every window do not make the kernel clear their pages anew."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from bpttcli.engine.freed_memory import keep_freed_memory

def window():
    return [np.ones(2**17) for _ in range(16)]

if {kept}:
    keep_freed_memory()
for _ in range(2):
    window()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    window()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 10 * 16 * 2**20 // 4096


def faults(kept):
    """Count the pages that ten windows of 16 MiB ask the kernel for, in a new process."""
    program = PROGRAM.format(kept=kept)
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library's habits")
def test_windows_find_the_memory_of_those_before_them():
    assert faults(kept=True) < PAGES / 20
    assert faults(kept=False) > PAGES / 2
