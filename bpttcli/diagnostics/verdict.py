"""The verdict on a gradient's way back, its cause in one sentence, and what would change it."""

from __future__ import annotations

import math
from typing import Literal

from bpttcli.diagnostics.own_path import OwnPath
from bpttcli.diagnostics.passage import Passage
from bpttcli.diagnostics.reach import Reach
from bpttcli.record import Record

Name = Literal["vanishing", "stable", "exploding", "no-gradient", "undefined"]


class Limits(Record, frozen=True):
    """Ratios ‖p_1‖/‖p_τ‖ below which a gradient vanishes and above which it explodes."""

    vanishing_below: float = 1e-3
    exploding_above: float = 1e3


class Recurrence(Record, frozen=True):
    """What the recurrence of the top layer does to a gradient.

    Parameters
    ----------
    cell : str
        Name of the cell.
    spectral_radius, spectral_norm : float
        ρ(B) and σ₁(B).
    slope : float
        Mean |φ′(a_t)|; NaN for a gated cell.
    saturated : float
        Share of saturated units.
    own_path : OwnPath or None
        What the cell carries past a step by itself; None for a cell without such a path.
    all_zero : bool
        Whether every adjoint of every step and layer is exactly 0.
    dead_at : int or None
        The step at which all units on the way were dead.
    passage : Passage or None
        What the estimator of the gradient lets pass; None where that is everything.
    """

    cell: str
    spectral_radius: float
    spectral_norm: float
    slope: float
    saturated: float
    own_path: OwnPath | None = None
    all_zero: bool = False
    dead_at: int | None = None
    passage: Passage | None = None


class Verdict(Record, frozen=True):
    """What happens to the gradient, why, and what to try.

    Parameters
    ----------
    name : str
        ``vanishing``, ``stable``, ``exploding``, ``no-gradient``, or ``undefined`` where the
        forward pass overflowed on the way to the loss.
    cause, advice : str
        A sentence each.
    zero_beyond_lag : int or None
        The lag beyond which the gradient is exactly zero, which no decay explains.
    """

    name: Name
    cause: str
    advice: str
    zero_beyond_lag: int | None = None


def judge(reach: Reach, recurrence: Recurrence, limits: Limits) -> Verdict:
    """Name what happens to the gradient, from the measured figures alone.

    Parameters
    ----------
    reach : Reach
    recurrence : Recurrence
    limits : Limits

    Returns
    -------
    Verdict
    """
    if recurrence.all_zero:
        return Verdict(
            "no-gradient",
            "Every adjoint is exactly zero: the loss does not depend on any hidden state.",
            "Check that the readout is not zero and that the loss is not at its minimum already.",
        )
    ratio = reach.log10_ratio
    if reach.horizon is None:
        return _nothing_to_follow(reach)
    if reach.zero_beyond_lag is not None:
        passage = recurrence.passage
        # B = 0 ends at lag 0 what no window could make longer.
        if passage and passage.cut_lag == reach.zero_beyond_lag and recurrence.spectral_norm > 0:
            return _truncated(passage, reach, recurrence, limits)
        return _cut(reach.zero_beyond_lag, recurrence)
    if ratio < math.log10(limits.vanishing_below):
        return Verdict("vanishing", _split(reach, recurrence), _lengthen(reach, recurrence))
    if ratio > math.log10(limits.exploding_above):
        return Verdict("exploding", _split(reach, recurrence), _tame(reach, recurrence, limits))
    return Verdict("stable", _split(reach, recurrence), _keep(reach, recurrence))


def _nothing_to_follow(reach: Reach) -> Verdict:
    """The gradient at the last target step is zero, or not a number."""
    if all(x == 0 for x in reach.by_lag.mantissa[:1]):
        return Verdict(
            "no-gradient",
            "The loss of the last target step passes no gradient to its own hidden state.",
            "Check the targets of the last step: its loss may be at its minimum already.",
        )
    return Verdict(
        "undefined",
        "The loss is not a finite number, so neither is its gradient.",
        "Use a probe (--loss probe), fewer steps or a smaller gain.",
    )


def _cut(lag: int, recurrence: Recurrence) -> Verdict:
    """The gradient is exactly zero beyond a lag: nothing has decayed."""
    if recurrence.spectral_norm == 0:
        cause = f"The gradient is exactly zero beyond lag {lag}: B (hidden → hidden) is zero."
        if recurrence.own_path is not None and recurrence.own_path.share:
            cause = (
                f"The gradient of the hidden state is exactly zero beyond lag {lag}, since B "
                f"(hidden → hidden) is zero; {_carries(recurrence.cell, recurrence.own_path)}."
            )
        advice = "Give B a start other than zero (--init orthogonal)."
    elif recurrence.dead_at is not None:
        cause = (
            f"The gradient is exactly zero beyond lag {lag}: every unit that carried it is dead "
            f"(a ≤ 0) at step {recurrence.dead_at}."
        )
        advice = "Try an identity start (--init identity), a smaller input or tanh."
    else:
        cause = (
            f"The gradient is exactly zero beyond lag {lag}: the weights and slopes on its way "
            "multiply to zero there; it has not decayed."
        )
        advice = "Look for dead units or a nilpotent B (hidden → hidden)."
    return Verdict("vanishing", cause, advice, zero_beyond_lag=lag)


def _truncated(passage: Passage, reach: Reach, recurrence: Recurrence, limits: Limits) -> Verdict:
    """The estimator, not the network, ends the gradient."""
    lag = passage.cut_lag
    who = f"This draw of {passage.label}" if passage.random else f"The truncation {passage.label}"
    cause = f"{who} cuts the gradient beyond lag {lag}"
    left = float(reach.by_lag.log10[lag] - reach.by_lag.log10[0])
    if left < math.log10(limits.vanishing_below):
        cause += f", but it decays by itself as well: {_times(left)} times what it is at the loss"
        return Verdict("vanishing", f"{cause} is left there.", _lengthen(reach, recurrence), lag)
    cause += "; it has not decayed"
    if lag:
        cause += f": {_times(left)} times what it is at the loss arrives there"
    if passage.weighs and passage.growth is not None:
        cause += f", {passage.growth:.4g} a step being the weights that make up for the cuts"
    longer = "Let it cut less often" if passage.random else "Use a longer window (--length)"
    advice = f"{longer}, or --truncation full for the whole gradient."
    return Verdict("vanishing", f"{cause}.", advice, lag)


def _times(log10: float) -> str:
    """Write a ratio, also one that float64 cannot hold."""
    return f"{10**log10:.3g}" if abs(log10) < 300 else f"1e{log10:.0f}"


def _split(reach: Reach, recurrence: Recurrence) -> str:
    """Split the growth per step into what B does and what the slope does."""
    if reach.growth_per_step is None:
        return "The loss reaches back a single step, so there is no growth to measure."
    growth, passage = reach.growth_per_step, recurrence.passage
    start = f"Each step back multiplies the gradient by {growth:.4g}: "
    weighs = passage is not None and passage.weighs
    if passage is not None and weighs:
        if passage.growth is None:
            return (
                f"{start}the weights of {passage.label}, which differ from sequence to sequence, "
                "stand in it beside what the network does."
            )
        start += f"by {passage.growth:.4g} through the weights of {passage.label}, "
        growth /= passage.growth
    if recurrence.own_path is not None:
        own = recurrence.own_path
        share = ""
        if own.share is not None:
            steps = "1 step" if own.lag == 1 else f"{own.lag} steps"
            left = f"{own.share:.0%}" if own.share > 0.05 else f"{100 * own.share:.2g}%"
            share = f"; of what arrives {steps} back the own path alone would leave {left}"
        rest = f"and by {growth:.4g} through the network: " if weighs else ""
        return (
            f"{start}{rest}{_carries(recurrence.cell, own)}, the rest travels through B "
            "(hidden → hidden), whose gate blocks have spectral radii up to "
            f"{recurrence.spectral_radius:.4g}{share}."
        )
    b = (
        f"B (hidden → hidden), of spectral radius {recurrence.spectral_radius:.4g} and spectral "
        f"norm {recurrence.spectral_norm:.4g}"
    )
    if recurrence.cell == "linear" or not recurrence.slope > 0:
        return f"{start}and by {growth:.4g} through {b}." if weighs else f"{start}that is {b}."
    return (
        f"{start}by {recurrence.slope:.4g} through the slope of {recurrence.cell} "
        f"({recurrence.saturated:.0%} of the units are saturated) and by "
        f"{growth / recurrence.slope:.4g} through {b}."
    )


def _carries(cell: str, own: OwnPath) -> str:
    """Say what a gated cell's own path keeps of a gradient."""
    half = "" if own.half_life is None else f"; half is gone after {own.half_life:.4g} steps"
    return f"the {cell}'s own path keeps {own.carry:.4g} of it (the mean of gate {own.gate}{half})"


def _slope_decides(recurrence: Recurrence) -> bool:
    """Whether the slope shrinks the gradient by more than B does."""
    if recurrence.slope <= 0:
        return True
    radius = max(recurrence.spectral_radius, 1e-300)
    return -math.log(recurrence.slope) > max(0.0, -math.log(radius))


def _lengthen(reach: Reach, recurrence: Recurrence) -> str:
    """Say what to try against a vanishing gradient."""
    short = f"or a loss at most {reach.horizon} steps after what it depends on"
    gate = "a cell with an open forget gate (--cell lstm --set model.init.forget_bias=5)"
    if recurrence.own_path is not None:
        return _open(recurrence.own_path, len(reach.by_lag.mantissa) - 1, short)
    if recurrence.cell == "linear":
        return f"Try an orthogonal start (--init orthogonal), {short}."
    if recurrence.cell == "relu":
        return (
            f"Try an identity start (--init identity), which keeps the gradient of live units, "
            f"{gate}, {short}."
        )
    if _slope_decides(recurrence):
        return (
            f"The slope costs more than B does, so another B alone will not help: try smaller "
            f"inputs or an identity start with relu (--cell relu --init identity), {gate}, {short}."
        )
    return f"Try an orthogonal start (--init orthogonal), {gate}, {short}."


def _open(own: OwnPath, lag: int, short: str) -> str:
    """Say how to open a carry gate, or that it is not the one that is closed."""
    if own.carry**lag >= math.exp(-1):
        return (
            f"Gate {own.gate} is open already, so what is lost is lost on the way into the own "
            f"path: try a larger B (--gain), {short}."
        )
    # σ(ln T) = T/(1 + T), whose T-th power is near 1/e.
    return (
        f"Open gate {own.gate} at the start: with --set model.init.forget_bias={math.log(lag):.2g} "
        f"the own path keeps 1/e of the gradient over {lag} steps, {short}."
    )


def _tame(reach: Reach, recurrence: Recurrence, limits: Limits) -> str:
    """Say what to try against an exploding gradient."""
    growth, passage = reach.growth_per_step or 1.0, recurrence.passage
    if passage is not None and passage.weighs:
        weight = passage.growth or growth
        lag = len(reach.by_lag.mantissa) - 1
        if reach.log10_ratio - lag * math.log10(weight) <= math.log10(limits.exploding_above):
            return (
                f"It is the weights of {passage.label} that grow: let it cut less often, or see "
                "the network's own growth with --truncation full."
            )
        growth /= weight
    target = recurrence.spectral_radius / growth
    scale = f"--set model.init.spectral_radius={target:.3g}"
    return (
        f"Clip the gradient's norm before the update, and start with a smaller B ({scale} would "
        "bring the growth near 1) or an orthogonal one (--init orthogonal)."
    )


def _keep(reach: Reach, recurrence: Recurrence) -> str:
    """Say what a stable gradient allows."""
    if reach.horizon_is_bound:
        return "Nothing needs to change: the gradient reaches the first step."
    return (
        f"The gradient fades after {reach.horizon} steps; what lies further back is learned "
        "slowly, if at all."
    )
