"""Memory that is freed stays with the process, where the next window finds it."""

from __future__ import annotations

from functools import cache

import numpy as np

# The C library learns from maps of up to 32 MiB, its own and NumPy's headers included.
_LARGEST_MAP = 31 * 2**20


@cache
def keep_freed_memory() -> None:
    """Let the C library hold on to the memory of arrays that are freed.

    A window's arrays last as long as the window. The GNU library maps arrays of their size one
    by one and gives them back at once, so that the kernel clears all their pages anew for every
    window: half the time of a sweep of 32 sequences. It serves arrays from memory at hand up to
    the size of the largest map it has seen freed, and then keeps up to twice as much (mallopt(3),
    M_MMAP_THRESHOLD). A map that nobody writes to costs nothing; other libraries do not care.
    """
    np.empty(_LARGEST_MAP, dtype=np.uint8)
