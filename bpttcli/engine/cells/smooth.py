"""tanh and the logistic function σ with their slopes, to full relative precision."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.scaled import Array

# Beyond this 1 − h² begins to cancel; the slopes there come from a itself.
_STEEP = 0.95


def tanh_slope(a: Array, h: Array) -> Array:
    """sech²(a), given h = tanh(a); overwrites `a`.

    1 − h² cancels as |h| → 1 and is 0 from |a| = 19 on, where a gradient that merely is small
    would look as if it were cut; 4e/(1+e)² with e = exp(−2|a|) has no such limit.
    """
    steep = np.abs(h) > _STEEP
    e = np.exp(-2.0 * np.abs(a[steep]))
    slope = np.multiply(h, h, out=a)
    np.subtract(1.0, slope, out=slope)
    slope[steep] = 4.0 * e / (1.0 + e) ** 2
    return slope


def complement(e: Array, s: Array) -> Array:
    """1 − σ(a), given e = exp(−a) and s = σ(a) = 1/(1 + e); overwrites `e`.

    1 − s cancels as s → 1, while e s has its digits however open the gate is.
    """
    beyond = np.isinf(e)
    e *= s
    if beyond.any():
        e[beyond] = 1.0
    return e
