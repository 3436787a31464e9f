"""The largest ‖B^k‖: how far a product can grow before it decays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bpttcli.diagnostics.extreme_values import LARGEST_DENSE
from bpttcli.diagnostics.matrix_powers import MatrixPowers
from bpttcli.engine.scaled import Scaled

# Every power is looked at while that is less work than this (in multiplications), some tenths
# of a second, and at most so many.
_WORK, _MOST_STEPS = 2**29, 4096

# Beyond this power nobody unrolls a network. What has levelled off before, however it
# oscillates, does not grow 32-fold over its last 1024-fold; a defective ρ = 1 does.
_LONGEST, _RECENT, _GROWS = 2**20, 2**10, 32

# ρ and norms are compared with 1, and norms with each other, up to this.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class TransientGrowth:
    """The largest ‖B^k‖₂ over k ≥ 0.

    Parameters
    ----------
    norm : Scaled of shape ()
        1 where no power exceeds the identity.
    k : int
        Where it stands, the first of equals.
    is_bound : bool
        Whether it is only the largest of the powers that were looked at (the end of the
        growth was too far off to look at them all).
    """

    norm: Scaled
    k: int
    is_bound: bool


def transient_growth(powers: MatrixPowers, spectral_radius: float) -> TransientGrowth | None:
    """Find the peak of ‖B^k‖₂.

    Parameters
    ----------
    powers : MatrixPowers
        Of B.
    spectral_radius : float
        ρ(B).

    Returns
    -------
    TransientGrowth or None
        None where the powers grow without end, or still grow at k = 2^20.

    Notes
    -----
    From the first m with ‖B^m‖ ≤ 1 on nothing new comes, as ‖B^(qm+r)‖ ≤ ‖B^m‖^q ‖B^r‖:
    the peak stands before m. At ρ = 1 there may be no such m, and the powers level off.
    """
    if spectral_radius > 1.0 + _ROUNDING:
        return None
    end = 1
    while _exceeds(powers.norm(end), Scaled.of(1.0), end * _ROUNDING):
        if end == _LONGEST:
            if _exceeds(powers.norm(end), powers.norm(_RECENT), _GROWS - 1.0):
                return None
            break
        end *= 2
    near = min(end, _MOST_STEPS, _WORK // powers.size**3)
    peaks = {k: norm for k, norm in powers.known().items() if k < end} | _records(powers, near)
    best = TransientGrowth(Scaled.of(1.0), 0, is_bound=end > max(near, 1))
    for k in sorted(peaks):
        if _exceeds(peaks[k], best.norm):
            best = replace(best, norm=peaks[k], k=k)
    return _climb(powers, best, end) if best.is_bound and powers.size <= LARGEST_DENSE else best


def _exceeds(norm: Scaled, other: Scaled, slack: float = _ROUNDING) -> bool:
    """Whether a norm is larger by more than the slack, which is relative."""
    return bool(norm.log2 > other.log2 + np.log2(1.0 + slack))


def _records(powers: MatrixPowers, end: int) -> dict[int, Scaled]:
    """The norms that exceed all before them, of every power below the end."""
    records: dict[int, Scaled] = {}
    highest, power = Scaled.of(1.0), None
    for k in range(1, end):
        power = powers.step(power)
        # Most powers are ruled out by the bound, at a quarter of the cost.
        if _exceeds(power.norm_bound(), highest) and _exceeds(norm := power.norm(), highest):
            records[k] = highest = norm
    return records


def _climb(powers: MatrixPowers, best: TransientGrowth, end: int) -> TransientGrowth:
    """Walk uphill from the best power in ever smaller steps."""
    step = best.k // 2
    while step:
        for k in (best.k - step, best.k + step):
            if k < end and _exceeds(powers.norm(k), best.norm):
                best = replace(best, norm=powers.norm(k), k=k)
                break
        else:
            step //= 2
    return best
