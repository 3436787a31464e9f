"""tanh and the logistic function σ with their slopes, to full relative precision."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.scaled import Array

# Beyond this 1 − h² and 1 − σ begin to cancel; the slopes there come from a itself.
_STEEP = 0.95


def tanh_slope(a: Array, h: Array) -> Array:
    """sech²(a), given h = tanh(a); overwrites `a`.

    1 − h² cancels as |h| → 1 and is 0 from |a| = 19 on, where a gradient that merely is small
    would look as if it were cut; 4e/(1+e)² with e = exp(−2|a|) has no such limit.
    """
    steep = np.nonzero(np.abs(h) > _STEEP)
    e = np.exp(-2.0 * np.abs(a[steep]))
    slope = np.multiply(h, h, out=a)
    np.subtract(1.0, slope, out=slope)
    slope[steep] = 4.0 * e / (1.0 + e) ** 2
    return slope


def complement(minus_a: Array, s: Array) -> Array:
    """1 − σ(a) = σ(−a), given −a and s = σ(a)."""
    rest = 1.0 - s
    steep = np.nonzero(s > _STEEP)
    e = np.exp(minus_a[steep])
    rest[steep] = e / (1.0 + e)
    return rest
