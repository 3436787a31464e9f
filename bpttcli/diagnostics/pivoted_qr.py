"""QR with both pivots, for matrices that are graded in their rows and in their columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array, Exponents


def pivoted_triangle(W: Array, exponent: Exponents) -> tuple[Array, NDArray[np.intp]]:
    """Factor W diag(2^exponent) by Householder's method, the largest column next.

    With the largest rows first and this sign of the reflections, an entry of each row is
    computed with an error relative to that row (Cox & Higham 1998, SIMAX 20:344, Thm. 4.2):
    no small row drowns beside a large one. LAPACK pivots too, but NumPy does not reach it.

    Parameters
    ----------
    W : (n, n) array
    exponent : (n,) array of int
        Of its columns; they may be too far apart for float64.

    Returns
    -------
    R : (n, n) array
        Upper triangular; its columns still lack their exponents.
    order : (n,) array of int
        The columns of W in the order of R's.
    """
    R = W[np.argsort(-np.abs(W).max(axis=1), kind="stable")]
    order = np.arange(len(R))
    for j in range(len(R) - 1):
        with np.errstate(divide="ignore"):
            size = np.log2(np.abs(R[j:, j:]).max(axis=0)) + exponent[order[j:]]
        pivot = j + int(np.argmax(size))
        order[[j, pivot]] = order[[pivot, j]]
        R[:, [j, pivot]] = R[:, [pivot, j]]
        # Small rows may have become large ones: the largest entry next.
        row = j + int(np.argmax(np.abs(R[j:, j])))
        R[[j, row]] = R[[row, j]]
        largest = np.abs(R[j, j])
        if largest == 0:
            break
        v = R[j:, j] / largest  # squares stay in range, whatever the size of the column
        norm = np.copysign(np.linalg.norm(v), v[0])
        v[0] += norm
        R[j:, j + 1 :] -= np.outer(v, (2.0 / (v @ v)) * (v @ R[j:, j + 1 :]))
        R[j:, j] = 0.0
        R[j, j] = -norm * largest
    return R, order
