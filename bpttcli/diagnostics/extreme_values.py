"""The largest eigenvalues and the largest singular value, from products with vectors alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.eigenvalues import by_modulus
from bpttcli.engine.scaled import Array

Product = Callable[[Array], Array]

# Up to here the dense decompositions are cheap, and exact to rounding.
LARGEST_DENSE = 500

# Of a residual, relative: the value is as good as its square over the gap.
ITERATIVE_TOLERANCE = 1e-7

# Krylov spaces beyond this cost as much as the dense decompositions that they replace.
_LARGEST_SPACE = 400

# Small dense problems are solved only every few steps: they would cost more than the products.
_STEPS_BETWEEN_LOOKS = 8


def largest_singular_value(
    forward: Product, backward: Product, n: int, *, tolerance: float
) -> tuple[float, float] | None:
    """Find ‖A‖₂ by Golub–Kahan bidiagonalisation with full re-orthogonalisation.

    Parameters
    ----------
    forward, backward : function from (n,) to (n,)
        x ↦ A x and x ↦ Aᵀ x. A should be scaled: its squares must stay in range.
    n : int
        Size of A.
    tolerance : float
        Largest residual that counts as done, relative to the value.

    Returns
    -------
    tuple of float, or None
        σ and the residual ‖Aᵀu − σv‖, where A v = σ u: some singular value lies within it.
        σ never exceeds ‖A‖₂, and its error is of the order residual²/gap. None where the
        largest space was not enough.

    Notes
    -----
    Golub & Kahan 1965. The start is the same for every A.
    """
    limit = min(n, _LARGEST_SPACE)
    U, V = np.zeros((limit, n)), np.zeros((limit + 1, n))
    bidiagonal = np.zeros((limit, limit))
    V[0] = _start(n)
    for j in range(limit):
        u = _orthogonalised(forward(V[j]), U[:j])[0]
        alpha = float(np.linalg.norm(u))
        U[j] = u / alpha if alpha > 0 else u
        bidiagonal[j, j] = alpha
        w = _orthogonalised(backward(U[j]), V[: j + 1])[0]
        beta = float(np.linalg.norm(w))
        exhausted = beta <= np.finfo(float).eps * bidiagonal.max() or j == limit - 1
        if exhausted or j % _STEPS_BETWEEN_LOOKS == 0:
            left, sigma, _ = np.linalg.svd(bidiagonal[: j + 1, : j + 1])
            residual = beta * abs(float(left[j, 0]))
            if residual <= tolerance * sigma[0]:
                return float(sigma[0]), residual
        if exhausted:
            break
        V[j + 1] = w / beta
        bidiagonal[j, j + 1] = beta
    return None


def largest_eigenvalues(
    B: Array, count: int, *, tolerance: float
) -> tuple[NDArray[np.complex128], float] | None:
    """Find the eigenvalues of largest modulus by Arnoldi's method.

    Parameters
    ----------
    B : (n, n) array
        Scaled: its squares must stay in range.
    count : int
        How many; one more where a conjugate pair would be torn.
    tolerance : float
        Largest residual that counts as done, in the unit of B. The values must also have
        settled to that: in a non-normal B a small residual alone says little.

    Returns
    -------
    tuple, or None
        The eigenvalues by falling modulus, and the largest of their residuals ‖B v − λv‖:
        each is an exact eigenvalue of a matrix that is as near to B as that. A multiple
        eigenvalue is seen once. None where the largest space was not enough.

    Notes
    -----
    Arnoldi 1951; without restarts, as the spaces that are worth the while fit into memory.
    """
    n = len(B)
    limit = min(n, _LARGEST_SPACE)
    Q, H = np.zeros((limit + 1, n)), np.zeros((limit + 1, limit))
    Q[0] = _start(n)
    look, earlier = min(limit, 2 * count + 20), np.empty(0, dtype=np.complex128)
    for j in range(limit):
        w, H[: j + 1, j] = _orthogonalised(B @ Q[j], Q[: j + 1])
        beta = float(np.linalg.norm(w))
        size = j + 1
        exhausted = size == n or beta <= np.finfo(float).eps * np.abs(H[:size, :size]).max()
        if exhausted or size in (look, limit):
            values, vectors = np.linalg.eig(H[:size, :size])
            kept = by_modulus(values, count)
            residual = beta * float(np.abs(vectors[-1, kept]).max())
            found = values[kept].astype(np.complex128)
            settled = exhausted or (
                len(found) == len(earlier) and np.abs(found - earlier).max() <= tolerance
            )
            if size >= count and residual <= tolerance and settled:
                return found, residual
            look, earlier = 2 * look, found
        if exhausted:
            return None
        Q[j + 1] = w / beta
        H[j + 1, j] = beta
    return None


def _start(n: int) -> Array:
    """Give a unit vector without a pattern: the Weyl sequence of the golden ratio."""
    v = np.modf(np.arange(1, n + 1) * ((5**0.5 - 1) / 2))[0] - 0.45
    return np.asarray(v / np.linalg.norm(v))


def _orthogonalised(w: Array, basis: Array) -> tuple[Array, Array]:
    """Take out what lies in the basis, twice (once is not enough in floating point)."""
    first = basis @ w
    w = w - first @ basis
    second = basis @ w
    return w - second @ basis, first + second
