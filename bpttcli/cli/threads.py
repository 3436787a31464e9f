"""How many threads the linear algebra may use."""

from __future__ import annotations

import os
import sys

# What the libraries that NumPy may have been built with look at, once, when they load.
_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
)


def use_one_thread() -> None:
    """Let linear algebra run in one thread, unless the environment says otherwise.

    The matrices of a step are small: threads bring little on an idle machine, and on a busy
    one they wait for each other, at five to twenty times the cost (H = 64 … 256, N = 32). And
    a run goes on to the same bits wherever it is resumed, however many processors there are.
    """
    if "numpy" in sys.modules or any(name in os.environ for name in _VARIABLES):
        return
    for name in _VARIABLES:
        os.environ[name] = "1"
