"""What clipping did, for a machine and for a person."""

import numpy as np
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import unroll
from bpttcli.report.clipping import clip_document, clip_fact
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.report import Run
from bpttcli.truncation.clipping import Limits, clip
from tests.report.test_gradient_norms import EXPERIMENT
from tests.runs import network, probe

CLIPPED = [
    ({}, None),
    ({"norm": 100.0}, "5.000e+00, within the limits of clipping"),
    ({"norm": 2.5}, "5.000e+00 before clipping, 2.500e+00 after   (times 0.5)"),
    ({"value": 3.0}, "before clipping, 4.243e+00 after   (turned: cosine 0.9899)"),
    ({"norm": 0.001, "value": 3.0}, "(times 0.0002357, turned: cosine 0.9899)"),
]


@pytest.mark.parametrize(("limits", "said"), CLIPPED, ids=str)
def test_a_clipped_gradient_is_reported_before_and_after(limits, said):
    """One step fed (3 4), a probe of the first unit: ∂ℓ/∂A = [[3, 4], [0, 0]], all else 0."""
    net = network("linear", np.eye(2), np.zeros((2, 2)))
    x = np.array([[[3.0, 4.0]]])
    objective = probe(net, x, vector=[1.0, 0.0])
    adjoints = backpropagate(unroll(net, x), objective)
    clipped = clip(adjoints.gradient, Limits(**limits)) if limits else None
    made = GradientNormsReport(grad_norms(net, adjoints, clipped=clipped), Run(EXPERIMENT))
    found, view = made.document()["clip"], made.view()
    assert (found is None) == (said is None)
    facts = dict(view.facts)
    assert said is None or said in facts["gradient norm"]
    if found is None:
        assert "gradient norm" not in facts
        return
    assert list(found) == [
        "fired", "norm", "norm_log10", "clipped_norm", "clipped_norm_log10", "factor", "cosine",
    ]  # fmt: skip
    assert found["norm"] == 5.0
    norm = made.document()["parameters"]["weight_ih_l0"]["norm"]
    assert norm == pytest.approx(found["clipped_norm"], rel=1e-14)
    assert view.grids[-1].title.endswith(", after clipping") == found["fired"]


def clipped(entries, exponent=0, **limits):
    return clip_document(
        clip({"g": Scaled(np.array(entries), np.array(exponent))}, Limits(**limits))
    )


def test_a_zero_gradient_has_no_angle():
    found = clipped([0.0, 0.0], norm=1.0)
    assert (found["norm"], found["norm_log10"], found["cosine"]) == (0.0, None, None)
    assert clip_fact(found) == "0, within the limits of clipping"


def test_what_float64_cannot_hold_is_written_all_the_same():
    found = clipped([3.0, 4.0], 5000, norm=10.0)
    assert (found["norm"], found["clipped_norm"], found["factor"]) == (None, 10.0, 0.0)
    assert found["norm_log10"] == pytest.approx(np.log10(5) + 5000 * np.log10(2), rel=1e-15)
    assert clip_fact(found) == (
        "7.062e+1505 before clipping, 1.000e+01 after   (times 1.416e-1505)"
    )
