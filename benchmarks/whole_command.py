"""The whole command against the import that it cannot do without.

Runs ``bptt grad-norms --steps 1000`` and ``python -c "import numpy"`` in turn and prints the
ratio of their median times; the aim is at most 2.5. Also ``bptt --help`` against bare Python,
where the aim is at most 15.
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

BPTT = shutil.which("bptt", path=str(Path(sys.executable).parent)) or "bptt"
PAIRS = {
    "grad-norms --steps 1000 / import numpy (aim 2.5)": (
        [BPTT, "grad-norms", "--steps", "1000"],
        [sys.executable, "-c", "import numpy"],
    ),
    "--help / bare Python (aim 15)": ([BPTT, "--help"], [sys.executable, "-c", "pass"]),
}
RUNS = 15


def seconds(arguments):
    began = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - began


for name, pair in PAIRS.items():
    times = [[seconds(arguments) for arguments in pair] for _ in range(RUNS + 1)][1:]
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{name}: {ours / theirs:.2f}   ({ours:.3f} s / {theirs:.3f} s)")
