"""Numerical abscissa and numerical radius: how far the field of values xᴴBx reaches."""

from __future__ import annotations

import numpy as np

from bpttcli.diagnostics.extreme_values import (
    ITERATIVE_TOLERANCE,
    LARGEST_DENSE,
    largest_singular_value,
)
from bpttcli.engine.scaled import Array

# The radius is certified to this much: no angle reaches further by more.
_TOLERANCE = 1e-10

# A maximum of λ_max(θ) curves no more than a cosine, so one that stays this much below a level
# keeps its roots exp(iθ) off the unit circle by √(2·1e-10) = 1.4e-5: half of that tells a crossing.
_NEAR_CIRCLE = 7e-6


def numerical_abscissa(B: Array, spectral_norm: float) -> float:
    """Largest eigenvalue of (B + Bᵀ)/2: how fast ‖exp(tB)‖ starts to grow.

    Parameters
    ----------
    B : (n, n) array
    spectral_norm : float
        ‖B‖₂.

    Returns
    -------
    float
    """
    if len(B) > LARGEST_DENSE:
        M = (B + B.T) / 2 + spectral_norm * np.eye(len(B))  # not negative: its norm is its end
        found = largest_singular_value(
            lambda x: M @ x, lambda x: M @ x, len(B), tolerance=ITERATIVE_TOLERANCE
        )
        if found is not None:
            return found[0] - spectral_norm
    return _reach(B, 0.0)


def numerical_radius(B: Array) -> float:
    """Largest |xᴴBx| over complex unit vectors x, certified to 1e-10 relative.

    r(B) = max_θ λ_max(cos θ M + i sin θ K) with M = (B + Bᵀ)/2 and K = (B − Bᵀ)/2;
    ρ ≤ r ≤ ‖B‖₂ ≤ 2r and ‖B^k‖₂ ≤ 2r^k.

    Parameters
    ----------
    B : (n, n) array

    Returns
    -------
    float
        A value that some x reaches; none reaches more than 1 + 1e-10 times as far.

    Notes
    -----
    The level-set method of Mengi & Overton 2005: all angles at which a level is crossed are
    found at once, and the best point between two of them is the next level.
    """
    candidates = np.linspace(0.0, np.pi, 9)
    radius = level = 0.0
    while (reached := max((_reach(B, float(a)) for a in candidates), default=0.0)) > level:
        radius = reached
        level = radius * (1.0 + _TOLERANCE)
        crossings = _crossings(B, level)
        candidates = np.concatenate([crossings, (crossings[1:] + crossings[:-1]) / 2])
    return radius


def _reach(B: Array, angle: float) -> float:
    """Largest real part of exp(i angle)·xᴴBx."""
    if angle == 0.0:
        return float(np.linalg.eigvalsh((B + B.T) / 2)[-1])
    rotated = np.exp(1j * angle) * B
    return float(np.linalg.eigvalsh((rotated + rotated.conj().T) / 2)[-1])


def _crossings(B: Array, r: float) -> Array:
    """Angles between 0 and π at which some eigenvalue may equal r, ascending.

    With tan(θ/2) = t the condition det(cos θ M + i sin θ K − r) = 0 becomes, in s = it, the
    real quadratic eigenproblem s²(r + M) + 2sK − (r − M) = 0. The level r stands above both
    real ends of the range, so r + M is positive definite and can be taken to the identity.
    """
    n = len(B)
    M, K, identity = (B + B.T) / 2, (B - B.T) / 2, np.eye(n)
    inverse = np.linalg.inv(np.linalg.cholesky(r * identity + M))
    spring, gyroscope = (inverse @ X @ inverse.T for X in (r * identity - M, 2 * K))
    s = np.linalg.eigvals(np.block([[np.zeros((n, n)), identity], [spring, -gyroscope]]))
    off_circle = 2 * np.abs(s.real) / (1 + np.abs(s) ** 2)
    return np.sort(2 * np.arctan(s.imag[(off_circle <= _NEAR_CIRCLE) & (s.imag > 0)]))
