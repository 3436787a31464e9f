"""Whether ρ(B) tells what the gradient does: ln ρ(B) beside the largest Lyapunov exponent."""

from __future__ import annotations

import math
from typing import Literal

from bpttcli.record import Record

# Rates below this are a spectral radius of 1, or an exponent of 0, but for rounding.
_ROUNDING = 1e-9
# Standard errors that tell an exponent from 0.
_SURE = 2.0
# Relative to the larger of two rates, or to one in a hundred a step: the same rate, in words.
_SAME_RATE, _SMALL_RATE = 0.05, 0.01

Direction = Literal["shrink", "keep", "grow"]


class Rates(Record, frozen=True):
    """What the rule says and what was measured.

    Parameters
    ----------
    cell : str
        Name of the cell.
    gated : bool
        Whether it has gates, so that no single B stands in its Jacobian.
    spectral_radius, spectral_norm : float
        ρ(B) and σ₁(B), the largest of all layers.
    exponent : float
        λ₁, per step; −inf where every perturbation is lost.
    standard_error : float
        Of λ₁; NaN where it is unknown.
    slope : float or None
        Mean φ′(a_t).
    saturated : float
        Share of saturated units.
    peak : tuple of (float, int) or None
        The largest ‖B^k‖ and its k, where that exceeds 1 and ends.
    """

    cell: str
    gated: bool
    spectral_radius: float
    spectral_norm: float
    exponent: float
    standard_error: float
    slope: float | None
    saturated: float
    peak: tuple[float, int] | None = None


class Rule(Record, frozen=True):
    """Whether the textbook rule holds on a trajectory.

    Parameters
    ----------
    holds : bool or None
        Whether it gets the direction right; None where that cannot be told.
    sentence : str
        The answer, and why not if not.
    rate_holds : bool or None
        Whether it gets the rate right too; None where the direction is wrong or open.
    """

    holds: bool | None
    sentence: str
    rate_holds: bool | None = None


def judge_rule(rates: Rates) -> Rule:
    """Compare the rule "ρ(B) < 1 vanishes, ρ(B) > 1 explodes" with what was measured.

    Parameters
    ----------
    rates : Rates

    Returns
    -------
    Rule
    """
    measured = rates.exponent
    if rates.gated:
        return Rule(
            None,
            f"The textbook rule has no single ρ(B) to speak of here: a gated cell "
            f"({rates.cell}) also carries its state past B, through a gate. {_measured(measured)}",
        )
    error = 0.0 if math.isnan(rates.standard_error) else rates.standard_error
    log_radius = math.log(rates.spectral_radius) if rates.spectral_radius > 0 else -math.inf
    says, does = _direction(log_radius, 0.0), _direction(measured, _SURE * error)
    rule = f"ρ(B) = {rates.spectral_radius:.4g} {_PROMISE[says]}"
    if says == does:
        return _agreement(rates, rule, log_radius)
    if does == "keep" and error > 0:
        return Rule(
            None,
            f"Whether the textbook rule holds here is open: {rule}, and the exponent "
            f"{measured:.4g} ± {error:.2g} does not differ from 0 for certain; more steps tell.",
        )
    return Rule(
        False,
        f"The textbook rule does not hold here: {rule}, but {_rate(measured)}, because "
        f"{_reason(rates, log_radius)}.",
    )


_PROMISE: dict[Direction, str] = {
    "shrink": "promises a gradient that vanishes",
    "keep": "promises a gradient that keeps its size",
    "grow": "promises a gradient that explodes",
}


def _direction(rate: float, slack: float) -> Direction:
    """Tell what a rate does to a gradient, if it differs from 0 by more than the slack."""
    if abs(rate) <= max(slack, _ROUNDING):
        return "keep"
    return "grow" if rate > 0 else "shrink"


def _rate(exponent: float) -> str:
    """Say a rate in words."""
    if exponent == -math.inf:
        return "the trajectory loses every perturbation altogether"
    return f"the trajectory multiplies it by {_factor(exponent)} a step"


def _measured(exponent: float) -> str:
    sentence = _rate(exponent).replace("multiplies it", "multiplies a perturbation")
    return f"{sentence[0].upper()}{sentence[1:]}."


def _factor(exponent: float) -> str:
    """e^exponent, also where float64 cannot hold it."""
    if abs(exponent) < 700:
        return f"{math.exp(exponent):.4g}"
    return f"10^{exponent / math.log(10):.4g}"


def _agreement(rates: Rates, rule: str, log_radius: float) -> Rule:
    """The rule has the direction right; say whether it has the rate, and what comes before."""
    exponent = rates.exponent
    difference = abs(exponent - log_radius) if math.isfinite(exponent) else 0.0
    scale = max(abs(exponent), abs(log_radius), _SMALL_RATE / _SAME_RATE)
    same_rate = math.isinf(exponent) or difference <= _SAME_RATE * scale
    if same_rate:
        sentence = f"The textbook rule holds here: {rule}, and {_rate(exponent)}"
    else:
        sentence = (
            f"The textbook rule gets the direction right here but not the rate: {rule}, "
            f"{_factor(log_radius)} a step, while {_rate(exponent)}, because "
            f"{_reason(rates, log_radius)}"
        )
    if exponent < 0 and rates.peak is not None:
        norm, k = rates.peak
        sentence += (
            "; but only in the long run: B is not normal, "
            f"‖B^k‖ first grows to {norm:.4g} at k = {k}"
        )
    return Rule(True, f"{sentence}.", same_rate)


def _reason(rates: Rates, log_radius: float) -> str:
    """Name what stands between ρ(B) and the exponent."""
    if rates.exponent < log_radius and rates.slope is not None and rates.slope < 1:
        share = f" ({rates.saturated:.0%} of the units are saturated)" if rates.saturated else ""
        return f"the slope of {rates.cell} is only {rates.slope:.3g} on average{share}"
    if rates.exponent > log_radius and rates.cell != "linear":
        return (
            f"B is not normal: a single step may grow by σ₁(B) = {rates.spectral_norm:.4g}, "
            "and as the slope changes from step to step, the next one need not undo it"
        )
    return "these steps are too few for the long run to show"
