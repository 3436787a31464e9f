"""What a comparison of estimators comes down to, in sentences and in facts."""

from __future__ import annotations

import math

from bpttcli.diagnostics.compare_truncation import Comparison
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality, Quality
from bpttcli.diagnostics.target_bias import TargetBias

# The error within which an estimate is called good enough where nobody says otherwise.
_GOOD_ENOUGH = 0.1


def summary(result: Comparison, within: float | None = None) -> list[str]:
    """Say what the truncation of training loops does, and which one would be enough.

    Parameters
    ----------
    result : Comparison
    within : float, optional
        The relative error that is good enough.
    """
    limit = _GOOD_ENOUGH if within is None else within
    known = [each for each in result.estimators[1:] if _known(each, "all")]
    if not known:
        return ["The exact gradient is zero or not a finite number: nothing to compare with."]
    shorter = [each for each in known if each.cost < 1]
    if not shorter:
        return [f"{known[0].label} is as long as the sequence: it is the exact gradient."]
    says = []
    fixed = [each for each in shorter if each.label.startswith("fixed")]
    shown = min(fixed, key=lambda each: each.cost, default=None)
    if shown is not None and "B" in shown.groups and _known(shown, "B"):
        says.append(_keeps(shown.label, shown.groups["B"]))
    says.append(_cheapest(shorter, limit, result.estimators[0].edges_kept))
    return [*says, *_wrong_way(known)]


def _cheapest(estimators: list[EstimatorQuality], limit: float, all_edges: float) -> str:
    """Name the cheapest estimator that is good enough."""
    settled = [each for each in estimators if each.variance != UNSETTLED]
    good = [each for each in settled if each.groups["all"].relative_rmse <= limit]
    if good:
        best = min(good, key=lambda each: (each.cost, each.groups["all"].relative_rmse))
        error = best.groups["all"].relative_rmse
        return (
            f"{best.label} is the cheapest within {100 * limit:.3g}%: error {error:.2g}, "
            f"{best.edges_kept:.4g} steps back instead of {all_edges:.4g}."
        )
    says = f"None is within {100 * limit:.3g}% of the exact gradient at less than its cost"
    if not settled:
        return f"{says}."
    closest = min(settled, key=lambda each: each.groups["all"].relative_rmse)
    return f"{says}; {closest.label} is closest, error {closest.groups['all'].relative_rmse:.2g}."


def _keeps(label: str, quality: Quality) -> str:
    """Say what is left of a gradient, and how far it is turned."""
    ratio = quality.norm_ratio
    if ratio < 1.005:
        kept = f"{label} keeps {ratio:.0%} of the gradient of B"
    else:
        kept = f"{label} makes the gradient of B {_times(ratio)} as long"
    if not math.isfinite(quality.cosine):
        return f"{kept}."
    angle = math.degrees(math.acos(max(-1.0, min(1.0, quality.cosine))))
    wrong = ": it points the wrong way" if angle > 90 else ""
    return f"{kept} and turns it by {angle:.0f}°{wrong}."


def _times(ratio: float) -> str:
    """Write how many times as long."""
    return f"{ratio:.3g} times" if ratio < 1e4 else f"{ratio:.1e} times"


def _wrong_way(estimators: list[EstimatorQuality]) -> list[str]:
    """Name the parameters whose gradient some estimators turn round, and which do."""
    says: dict[str, list[str]] = {}
    for group in estimators[0].groups:
        labels = [each.label for each in estimators if each.groups[group].cosine < 0]
        if labels:
            says.setdefault(", ".join(labels), []).append(group)
    return [
        f"The mean of {labels} points the wrong way for {', '.join(groups)}."
        for labels, groups in says.items()
    ]


def _known(each: EstimatorQuality, group: str) -> bool:
    """Whether an estimator has figures."""
    return math.isfinite(each.groups[group].relative_rmse)


def target_facts(target: TargetBias) -> list[tuple[str, str]]:
    """Say what is within the error that was asked for.

    Parameters
    ----------
    target : TargetBias
    """
    sliding = "none"
    if target.sliding is not None:
        sliding = f"sliding({target.sliding}), bias {target.sliding_bias:.3g}"
        if target.sliding_from is None:
            sliding += "; some longer ones are not"
        elif target.sliding_from != target.sliding:
            sliding += f"; every longer one only from sliding({target.sliding_from}) on"
    fixed = (
        "none" if target.fixed is None else f"fixed({target.fixed}), bias {target.fixed_bias:.3g}"
    )
    largest = "none"
    if target.probability is not None:
        how = "sampled" if target.sampled else "exact"
        largest = f"randomized(p) up to p = {target.largest:.3g}, by its std ({how})"
    return [
        (f"within {100 * target.target:.3g}%", sliding),
        ("", fixed),
        ("", largest),
        ("a-priori estimate", _apriori(target)),
    ]


def _apriori(target: TargetBias) -> str:
    """Say what the decay of the adjoint alone would have told, and whether to trust it."""
    length, decay = target.apriori_length, target.apriori.decay
    seen = "" if math.isnan(decay) else f" (the adjoint changes by {decay:.3g} per lag)"
    if length is None:
        return f"no window, from the decay of the adjoint alone{seen}"
    says = f"sliding({length}), from the decay of the adjoint alone{seen}"
    if target.sliding is not None and length < target.sliding:
        return f"{says}: too short, do not trust it here"
    return says
