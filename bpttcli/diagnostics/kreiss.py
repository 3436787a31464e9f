"""A lower bound of the Kreiss constant, for the unit disc."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.eigenvalues import Eigenvalues
from bpttcli.engine.scaled import Array

Complex = NDArray[np.complex128]

_EPS = float(np.finfo(np.float64).eps)

# A matrix larger than this is searched on so many eigenvalues; the rest lies further inside.
_DIRECT, _SUBSPACE = 128, 64

# First points: so many angles and distances. From the best few, steps halved until the last
# one moves K by some 1e-6.
_ANGLES, _DISTANCES, _STARTS, _SMALLEST_STEP = 9, 12, 3, 1e-3

# Up to here ρ = 1 is rounding, not a pole outside of the circle.
_ROUNDING = 1e-12

# How near to the circle and how far from it the search goes: nearer the singular values are
# rounding, further they leave the range of float64.
_NEAREST, _FURTHEST = 1e-6, 1e250


def kreiss_lower_bound(B: Array, spectrum: Eigenvalues) -> float:
    """Find a point outside the unit circle with a large (|z| − 1)‖(z − B)⁻¹‖₂.

    The Kreiss constant K is the supremum over |z| > 1, and K ≤ max_k ‖B^k‖₂ ≤ e n K.

    Parameters
    ----------
    B : (n, n) array
    spectrum : Eigenvalues
        Of B, with vectors.

    Returns
    -------
    float
        At most K, rounding included, and at least 1 (the limit |z| → ∞); inf where an
        eigenvalue lies outside the circle.

    Notes
    -----
    The search in a large B runs on its compression to the invariant subspace of its largest
    eigenvalues, whose resolvent is a part of that of B (Wright & Trefethen 2001); the value
    reported is that of B itself at the point found. K = 1/(4η) + η for [[1−η, 1], [0, 1−η]], η < ½.
    """
    if abs(spectrum.values[0]) > 1.0 + _ROUNDING:
        return np.inf
    part = _compressed(B, spectrum)
    leading = np.abs(np.angle(spectrum.values[:_ANGLES]))
    angles = np.unique([*np.linspace(0.0, np.pi, _ANGLES), *leading])
    furthest = min(4.0 * max(1.0, float(np.linalg.norm(B, 2))), _FURTHEST)
    heights = np.linspace(np.log(1e-4), np.log(furthest), _DISTANCES)
    points = np.stack(np.meshgrid(heights, angles), axis=-1).reshape(-1, 2)
    values = _resolvent_height(part, points).reshape(len(angles), _DISTANCES)
    steps = np.array([heights[1] - heights[0], np.pi / _ANGLES])
    starts = [
        points[a * _DISTANCES + np.argmax(values[a])]
        for a in np.argsort(-values.max(axis=1))[:_STARTS]
    ]
    _, best = max((_climb(part, start, steps) for start in starts), key=lambda found: found[0])
    return max(1.0, float(_resolvent_height(B, best[None])[0]))


def _compressed(B: Array, spectrum: Eigenvalues) -> Array | Complex:
    """B on the span of its leading eigenvectors; B itself where it is small."""
    if len(B) <= _DIRECT or spectrum.vectors is None:
        return B
    Q = np.linalg.qr(spectrum.vectors[:, :_SUBSPACE])[0]
    return np.asarray(Q.conj().T @ B @ Q)


def _resolvent_height(B: Array | Complex, points: Array) -> Array:
    """(|z| − 1)/σ_min(z − B) from below, at z = (1 + exp(height))·exp(i angle)."""
    distance = np.clip(np.exp(points[:, 0]), _NEAREST, _FURTHEST)
    z = (1.0 + distance) * np.exp(1j * points[:, 1])
    sigma = np.linalg.svd(z[:, None, None] * np.eye(len(B)) - B, compute_uv=False)
    rounding = len(B) * _EPS * sigma[:, 0]
    return np.asarray(distance / (sigma[:, -1] + rounding))


def _climb(B: Array | Complex, point: Array, step: Array) -> tuple[float, Array]:
    """Move to the best of the eight neighbours, and look closer by where none is better."""
    grid = np.array([(0, 0), *((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)])
    while step.max() > _SMALLEST_STEP:
        around = point + grid * step
        values = _resolvent_height(B, around)
        best = int(np.argmax(values))
        # Less than this is rounding, on which a plateau would be walked for ever.
        if values[best] > values[0] * (1.0 + 1e-7):
            point = around[best]
        else:
            step = step / 2
    return float(values[0]), point
