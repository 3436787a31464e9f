"""What clipping did to a gradient, all parameters together."""

from __future__ import annotations

from typing import Any

from bpttcli.report.numbers import figure, scientific, short
from bpttcli.truncation.clipping import Clipped


def clip_document(clipped: Clipped) -> dict[str, Any]:
    """Give what clipping did to a gradient under the keys of the JSON."""
    before, after = clipped.norm, clipped.clipped_norm
    return {
        "fired": clipped.fired,
        "norm": figure(before.value),
        "norm_log10": figure(before.log10),
        "clipped_norm": figure(after.value),
        "clipped_norm_log10": figure(after.log10),
        "factor": clipped.factor,
        "cosine": figure(clipped.cosine),
    }


def clip_fact(clip: dict[str, Any]) -> str:
    """Write it in a line; `clip` is such a document."""
    before = scientific(clip["norm"], clip["norm_log10"], 3)
    if not clip["fired"]:
        return f"{before}, within the limits of clipping"
    written = f"{before} before clipping, "
    written += f"{scientific(clip['clipped_norm'], clip['clipped_norm_log10'], 3)} after"
    of_it = []
    if clip["factor"] != 1:
        # Too small for float64 only where no entry was clipped before the norm was.
        log10 = clip["clipped_norm_log10"] - clip["norm_log10"]
        factor = short(clip["factor"]) if clip["factor"] else scientific(0.0, log10, 3)
        of_it.append(f"times {factor}")
    if clip["cosine"] != 1:
        of_it.append(f"turned: cosine {short(clip['cosine'])}")
    return f"{written}   ({', '.join(of_it)})"
