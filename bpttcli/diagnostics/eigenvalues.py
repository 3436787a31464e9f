"""Eigenvalues with the condition of their basis and a bound on their error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array, Exponents, shift

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, eq=False)
class Eigenvalues:
    """The eigenvalues of a real matrix and how far to trust them.

    Parameters
    ----------
    values : (n,) complex array
        By falling modulus; a conjugate pair side by side, positive imaginary part first.
    vectors : (n, n) complex array or None
        Unit columns in the same order.
    condition : float or None
        σ_max/σ_min of the vectors; inf where they do not span the space to rounding
        (a defective matrix).
    error : float or None
        No eigenvalue is further than this from one of the exact ones: n ε κ(V) ‖B‖₂
        (Bauer & Fike 1960, with LAPACK's backward error). 0 for what is triangular but
        for the order of the units, where the diagonal is exact.
    """

    values: NDArray[np.complex128]
    vectors: NDArray[np.complex128] | None
    condition: float | None
    error: float | None

    def times_power_of_two(self, exponent: Exponents) -> Eigenvalues:
        """The eigenvalues of the matrix times 2^exponent: ±inf where float64 ends."""
        values = np.empty_like(self.values)
        values.real = shift(self.values.real, exponent)
        values.imag = shift(self.values.imag, exponent)
        values.setflags(write=False)
        error = None if self.error is None else float(shift(np.asarray(self.error), exponent))
        return replace(self, values=values, error=error)


def eigenvalues_of(B: Array, spectral_norm: float, *, vectors: bool) -> Eigenvalues:
    """Decompose B (LAPACK's ``geev``, which balances first; ``syevd`` if B is symmetric).

    Parameters
    ----------
    B : (n, n) array
        Finite.
    spectral_norm : float
        ‖B‖₂, for the bound.
    vectors : bool
        Whether the eigenvectors and their condition are wanted: they double the time.
    """
    exact = 0.0 if _is_triangular_in_some_order(B) else None
    # A symmetric matrix has an orthogonal basis, which geev misses at multiple eigenvalues.
    symmetric = np.array_equal(B, B.T)
    if not vectors:
        values = np.linalg.eigvalsh(B) if symmetric else np.linalg.eigvals(B)
        return Eigenvalues(values[by_modulus(values)].astype(np.complex128), None, None, exact)
    values, V = np.linalg.eigh(B) if symmetric else np.linalg.eig(B)
    order = by_modulus(values)
    sigma = np.linalg.svd(V, compute_uv=False)
    condition = float(sigma[0] / sigma[-1]) if sigma[-1] > _EPS * sigma[0] else np.inf
    error = len(B) * _EPS * condition * spectral_norm if spectral_norm > 0 else 0.0
    return Eigenvalues(
        values=values[order].astype(np.complex128),
        vectors=V[:, order].astype(np.complex128),
        condition=condition,
        error=exact if exact is not None else error,
    )


def by_modulus(values: NDArray[Any], count: int | None = None) -> NDArray[np.intp]:
    """Order the eigenvalues of a real matrix by falling modulus, pairs together.

    Parameters
    ----------
    values : (n,) array
        Closed under conjugation, bit for bit, as LAPACK gives them.
    count : int or None
        Only so many of the first; one more rather than half a pair.

    Returns
    -------
    (n,) array of indices
    """
    size = np.hypot(values.real, values.imag)
    # Pairs that share their modulus and real part are told apart by their place, so that
    # the m-th of them stays beside its own conjugate.
    place = np.zeros(len(values), dtype=np.intp)
    for sign in (values.imag > 0, values.imag < 0):
        place[sign] = np.arange(np.count_nonzero(sign))
    order = np.lexsort((-values.imag, place, -values.real, -size))
    if count is None:
        return order
    torn = count <= len(order) and values[order[count - 1]].imag > 0
    return order[: count + torn]


def _is_triangular_in_some_order(B: Array) -> bool:
    """Tell whether no unit feeds back on itself but directly: take away the ends, one by one."""
    edges = B != 0
    np.fill_diagonal(edges, False)
    targets = edges.sum(axis=1)
    alive = np.ones(len(B), dtype=np.bool_)
    while (ends := alive & (targets == 0)).any():
        alive &= ~ends
        targets = targets - edges[:, ends].sum(axis=1)
    return not alive.any()
