"""Every number of the document can be worked out from the others by hand."""

import json
import math

import pytest

from bpttcli.report import explanation_document
from tests.report.explained import explanation, report, text

SINE = "adding", "task.name=sine", "loss.at=every", "task.steps=7", "model.hidden=3"
RUNS = {
    "three-steps": ("three-steps",),
    "three-steps-every": ("three-steps-every",),
    "tanh": ("three-steps-every", "model.cell=tanh"),
    "relu": ("three-steps", "model.cell=relu"),
    "drawn": ("adding", "task.steps=6", "model.hidden=3"),
    "fixed": ("three-steps", "truncation.name=fixed", "truncation.length=2"),
    "sliding": (*SINE, "truncation.name=sliding", "truncation.length=3"),
    "weighed": (*SINE, "truncation.name=randomized", "truncation.probability=0.3"),
    "clipped": ("three-steps-every", "clip.norm=8", "clip.value=7"),
}


@pytest.fixture(scope="module", params=RUNS)
def document(request):
    """A whole document, as a program reads it."""
    return json.loads(text(report(*RUNS[request.param]), "json"), parse_constant=pytest.fail)


def dot(u, v):
    return math.fsum(a * b for a, b in zip(u, v, strict=True))


def times(matrix, vector):
    return [dot(row, vector) for row in matrix]


def transposed(matrix):
    return [list(column) for column in zip(*matrix, strict=True)]


def outer(u, v):
    return [[a * b for b in v] for a in u]


def plus(*vectors):
    return [math.fsum(parts) for parts in zip(*vectors, strict=True)]


def flat(value):
    return [x for part in value for x in flat(part)] if isinstance(value, list) else [value]


def same(a, b):
    """Equal to the last digits."""
    assert flat(a) == pytest.approx(flat(b), rel=1e-12, abs=1e-14)


def parameters(document):
    values = {k: part["value"] for k, part in document["explanation"]["parameters"].items()}
    units = len(values["weight_hh_l0"])
    bias = [values.get(name, [0.0] * units) for name in ("bias_ih_l0", "bias_hh_l0")]
    c = values.get("readout.bias", [0.0] * len(values["readout.weight"]))
    A, B, C = (values[k] for k in ("weight_ih_l0", "weight_hh_l0", "readout.weight"))
    return A, B, C, plus(*bias), c


def steps(document):
    """The rows of the one layer beside those of the outputs, and the state before each."""
    found = document["explanation"]
    (layer,) = found["layers"]
    before = [layer["start"]["h"], *(row["h"] for row in layer["timesteps"])]
    return list(zip(layer["timesteps"], found["outputs"], before, strict=False))


PHI = {"tanh": math.tanh, "linear": float, "relu": lambda a: max(0.0, a)}
SLOPE = {
    "tanh": lambda a: 1 / math.cosh(a) ** 2,
    "linear": lambda a: 1.0,
    "relu": lambda a: float(a > 0),
}


def test_the_states_and_outputs(document):
    A, B, C, b, c = parameters(document)
    cell = document["experiment"]["model"]["cell"]
    for row, out, before in steps(document):
        same(row["preactivation"], plus(times(A, row["fed"]), times(B, before), b))
        same(row["h"], [PHI[cell](a) for a in row["preactivation"]])
        same(row["slope"], [SLOPE[cell](a) for a in row["preactivation"]])
        same(out["output"], plus(times(C, row["h"]), c))


def test_the_losses_and_their_slopes(document):
    """The squared error of one output, divided by the number of target steps."""
    outputs = document["explanation"]["outputs"]
    targets = [out for out in outputs if out["target"]]
    for out in outputs:
        error = out["output"][0] - out["y"][0] if out["target"] else 0.0
        same(out["loss"], error**2 / len(targets))
        same(out["slope"], [2 * error / len(targets)])
    same(document["loss"], math.fsum(out["loss"] for out in outputs))


def test_the_two_terms_of_every_adjoint_their_sum_and_what_becomes_of_it(document):
    _, B, C, _, _ = parameters(document)
    rows, edges = steps(document), document["explanation"]["edges"]
    passes = [1.0] * len(rows) if edges is None else [*edges[1:], 1.0]
    deltas = [row["delta"] for row, *_ in rows[1:]] + [[0.0] * len(B)]
    for (row, out, _), later, edge in zip(rows, deltas, passes, strict=True):
        same(row["through_output"], times(transposed(C), out["slope"]))
        if edges is not None:
            same(row["h_through_next"], [edge * g for g in times(transposed(B), later)])
        same(row["h_adjoint"], plus(row["through_output"], row["h_through_next"]))
        same(row["h_adjoint_norm"], math.hypot(*row["h_adjoint"]))
        same(row["delta"], [s * g for s, g in zip(row["slope"], row["h_adjoint"], strict=True)])
        assert row["delta"] == row["delta_recurrent"]


def test_every_adjoint_is_what_each_loss_says_as_far_as_it_reaches(document):
    _, B, C, _, _ = parameters(document)
    rows, found = steps(document), document["explanation"]
    adjoints = [[0.0] * len(B) for _ in rows]
    for last, reached in enumerate(found["reached"]):
        if reached is None:
            continue
        g = times(transposed(C), rows[last][1]["slope"])
        for t in range(last, reached - 2, -1):
            adjoints[t] = plus(adjoints[t], g)
            weight = 1.0 if found["edges"] is None else found["edges"][t]
            delta = [s * x for s, x in zip(rows[t][0]["slope"], g, strict=True)]
            g = [weight * x for x in times(transposed(B), delta)]
    for (row, *_), adjoint in zip(rows, adjoints, strict=True):
        same(row["h_adjoint"], adjoint)


def test_the_cuts_are_where_a_loss_goes_no_further(document):
    found = document["explanation"]
    ends = {step - 1 for step in found["reached"] if step and step > 1}
    assert ends <= set(found["cuts"])
    if found["edges"] is None:
        assert ends == set(found["cuts"])


def test_what_is_lost_is_what_the_exact_sum_has_more(document):
    for part in document["explanation"]["parameters"].values():
        lost = [flat(term["lost"]) for term in part["terms"] if "lost" in term]
        same(part["exact_sum"], plus(flat(part["sum"]), *lost))


def test_clipping_acts_on_every_entry_and_then_on_all(document):
    found = document["explanation"]
    for part in found["parameters"].values():
        if found["clip_factor"] is None:
            assert part["clipped"] is None
            continue
        limit = found["clip_value"] or math.inf
        within = [min(max(x, -limit), limit) for x in flat(part["sum"])]
        same(part["clipped"], [found["clip_factor"] * x for x in within])


def test_the_terms_of_every_gradient(document):
    found = document["explanation"]["parameters"]
    for i, (row, out, before) in enumerate(steps(document)):
        terms = {name: part["terms"][i]["value"] for name, part in found.items()}
        same(terms["weight_ih_l0"], outer(row["delta"], row["fed"]))
        same(terms["weight_hh_l0"], outer(row["delta"], before))
        same(terms["readout.weight"], outer(out["slope"], row["h"]))
        for name in {"bias_ih_l0", "bias_hh_l0"} & terms.keys():
            same(terms[name], row["delta"])
        if "readout.bias" in terms:
            same(terms["readout.bias"], out["slope"])


def test_the_terms_add_up_to_the_reported_gradients(document):
    for name, part in document["explanation"]["parameters"].items():
        total = plus(*(flat(term["value"]) for term in part["terms"]))
        same(part["sum"], total)
        same(part["gradient"], total)
        wanted = total if part["clipped"] is None else flat(part["clipped"])
        assert document["parameters"][name]["norm"] == pytest.approx(math.hypot(*wanted), rel=1e-12)
        for term in part["terms"]:
            same(term["norm"], math.hypot(*flat(term["value"])))
        assert part["relative_error"] < 1e-14


def test_a_finite_difference_says_the_same(document):
    for part in document["explanation"]["parameters"].values():
        entry = part["exact_sum"]
        for i in part["finite_difference"]["index"]:
            entry = entry[i]
        assert part["finite_difference"]["value"] == pytest.approx(entry, rel=1e-7)


def test_the_adjoints_are_those_of_the_report(document):
    for (row, *_), step in zip(steps(document), document["timesteps"], strict=True):
        same(row["h_adjoint_norm"], step["hidden"])


def test_the_powers_of_B_and_what_they_do_to_the_gradient(document):
    _, B, *_ = parameters(document)
    found = document["explanation"]["repeated"]
    rho = found["eigenvalues"][0]["abs"]
    mean = [math.fsum(row["slope"]) / len(B) for row, *_ in steps(document)][::-1]
    power = [[float(i == k) for k in range(len(B))] for i in range(len(B))]
    for k, row in enumerate(found["powers"]):
        same(row["matrix"], power)
        same(row["rho_k"], rho**k)
        same(row["factor"], math.prod(mean[:k]))
        same(row["gradient_norm"], math.hypot(*row["gradient"]))
        if not document["explanation"]["cuts"]:
            same(row["gradient_norm"], document["timesteps"][-1 - k]["propagated"])
        if document["experiment"]["model"]["cell"] == "linear":
            same(row["gradient"], times(transposed(power), found["powers"][0]["gradient"]))
        power = [times(transposed(power), row_of_B) for row_of_B in B]


def test_the_eigenvalues_have_the_trace_of_B(document):
    _, B, *_ = parameters(document)
    values = document["explanation"]["repeated"]["eigenvalues"]
    same(math.fsum(v["re"] for v in values), math.fsum(B[i][i] for i in range(len(B))))


def test_the_keys():
    found = json.loads(text(report("three-steps"), "json"))["explanation"]
    assert list(found) == [
        "sequence", "sequences", "edges", "cuts", "reached", "clip_value", "clip_factor",
        "outputs", "layers", "parameters", "repeated",
    ]  # fmt: skip
    assert list(found["outputs"][0]) == ["t", "target", "loss", "y", "output", "slope"]
    assert list(found["layers"][0]["timesteps"][0]) == [
        "t", "fed", "preactivation", "slope", "through_output", "h", "h_through_next", "h_uncut",
        "h_adjoint", "h_adjoint_norm", "h_adjoint_norm_log10", "delta", "delta_recurrent",
    ]  # fmt: skip
    assert list(found["parameters"]["weight_hh_l0"]) == [
        "value", "terms", "sum", "clipped", "exact_sum", "gradient", "relative_error",
        "finite_difference",
    ]  # fmt: skip
    assert list(found["repeated"]["powers"][0]) == [
        "k", "gradient", "gradient_norm", "gradient_norm_log10", "factor", "factor_log10",
        "matrix", "rho_k", "rho_k_log10", "norm_k", "norm_k_log10",
    ]  # fmt: skip


def test_a_cut_and_a_clipping_stand_beside_what_they_took():
    """B = [[½, 0], [1, 2]]: cut between 1 and 2, only δ_1 = (5.5, 8) is lost."""
    made = report("three-steps", edges=[1.0, 0.0, 1.0], clip_factor=0.5)
    found = json.loads(text(made, "json"))["explanation"]
    assert (found["edges"], found["cuts"], found["clip_factor"]) == ([1, 0, 1], [1], 0.5)
    part = found["parameters"]["weight_ih_l0"]
    assert [term["lost"] for term in part["terms"]] == [[[11], [16]], [[0], [0]], [[0], [0]]]
    assert part["sum"] == part["gradient"] == [[5], [6]]
    assert part["clipped"] == [[2.5], [3]]
    assert part["exact_sum"] == [[16], [22]]
    assert part["finite_difference"]["value"] == pytest.approx(22, rel=1e-7)


@pytest.mark.parametrize(
    ("sets", "gates"),
    [
        (("model.cell=lstm", "model.layers=2"), {"gate_i", "gate_f", "gate_o", "c_adjoint"}),
        (("model.cell=gru", "task.batch=3"), {"gate_r", "gate_z"}),
    ],
)
def test_gated_cells_stacks_and_batches_have_their_terms_too(sets, gates):
    _, made = explanation("adding", "task.steps=4", "model.hidden=3", *sets)
    found = explanation_document.explanation_document(made)
    assert found["sequences"] == made.batch
    assert found["repeated"]["eigenvalues"] is None
    for layer in found["layers"]:
        row = layer["timesteps"][0]
        assert gates <= row.keys()
        assert (row["preactivation"], row["slope"]) == (None, None)
        same(row["h_adjoint"], plus(row["through_output"], row["h_through_next"]))
    for part in found["parameters"].values():
        same(plus(*(flat(term["value"]) for term in part["terms"])), flat(part["gradient"]))


def test_what_overflowed_is_null():
    made = report("scalar-linear", "task.steps=4", "model.parameters.weight_hh_l0=[[1e200]]")
    found = json.loads(text(made, "json"), parse_constant=pytest.fail)["explanation"]
    assert found["outputs"][-1]["loss"] is None


def test_beyond_a_million_numbers_terms_are_given_by_their_norms(monkeypatch):
    monkeypatch.setattr(explanation_document, "MOST_NUMBERS", 23)
    _, found = explanation("three-steps")
    parts = explanation_document.explanation_document(found)["parameters"]
    assert parts["weight_ih_l0"]["value"] is None
    assert [t["value"] for t in parts["weight_ih_l0"]["terms"]] == [None] * 3
    assert parts["weight_ih_l0"]["terms"][1]["norm"] == 5.0
    assert parts["weight_ih_l0"]["sum"] == [[16.0], [22.0]]
