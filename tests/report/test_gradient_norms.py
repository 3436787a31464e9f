"""The report of grad-norms: the keys that scripts depend on, and what a person is told."""

import msgspec
import numpy as np
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.report import Run
from bpttcli.report.view import Bar
from bpttcli.truncation.registry import estimator_named
from tests.runs import mask_of, network, probe, random_parameters, silence, stack, sweep_back

EXPERIMENT = {
    "seed": 0,
    "task": {"name": "data"},
    "model": {"cell": "linear", "hidden": 1, "layers": 1},
    "loss": {"name": "probe", "at": "last"},
    "truncation": {"name": "full", "length": None},
    "report": {"epsilon": 0.01},
}
TOP = [
    "command", "version", "experiment", "loss", "baseline", "warnings", "verdict",
    "growth_per_step", "half_life", "horizon", "horizon_is_bound", "spectral_radius",
    "spectral_norm", "carry", "gate_half_life", "clip", "parameters", "timesteps", "layers",
]  # fmt: skip
NORMS = ["hidden", "hidden_min", "hidden_max", "propagated", "A", "B", "C"]


def report(net, steps=4, *, mask=None, start=None, batch=1, x=None, **options):
    x = silence(steps, batch) if x is None else x
    objective = probe(net, x, mask)
    result = grad_norms(net, sweep_back(net, x, objective, start))
    return GradientNormsReport(result, Run(EXPERIMENT), **options)


def estimate(net, steps=4, *, mask=None, seed=0, **truncation):
    """The report of an estimate of the gradient."""
    x = silence(steps)
    objective = probe(net, x, mask)
    estimator = estimator_named(**truncation)
    targets = (objective.weights > 0).any(axis=1)
    edges = estimator.edges(targets, np.random.default_rng(seed))
    adjoints = backpropagate(unroll(net, x), objective, edges=edges)
    result = grad_norms(net, adjoints, estimator=estimator)
    return GradientNormsReport(result, Run({**EXPERIMENT, "truncation": truncation}))


def scalar(b):
    return network("linear", 1.0, b)


def headline(*arguments, **options):
    return report(*arguments, **options).view().headline


@pytest.mark.parametrize("cell", ["tanh", "relu", "linear", "lstm", "gru"])
def test_the_keys_of_the_document_are_a_contract(cell):
    kind = cell_named(cell)
    rng = np.random.default_rng(0)
    parameters = random_parameters(rng, len(kind.gates), inputs=1, layers=2)
    document = report(Network.from_parameters(kind, parameters)).document()
    assert list(document) == TOP
    assert list(document["verdict"]) == ["name", "cause", "advice", "zero_beyond_lag"]
    norms = NORMS
    if cell == "lstm":
        norms = [*NORMS[:3], "cell", "propagated", "cell_propagated", *NORMS[4:]]
    keys = ["t", "lag", *(key for name in norms for key in (name, f"{name}_log10")), "saturated"]
    for gate in kind.logistic:
        keys += [f"gate_{gate}", f"gate_{gate}_saturated"]
    if kind.carry is not None:
        keys += ["carried", "carried_log10"]
    for layer in document["layers"]:
        assert list(layer) == ["layer", "timesteps"]
        assert [list(step) for step in layer["timesteps"]] == [keys] * 4
    assert document["timesteps"] == document["layers"][-1]["timesteps"]
    assert list(document["parameters"]) == list(parameters)
    assert all(list(entry) == ["norm", "norm_log10"] for entry in document["parameters"].values())
    for figure in document["spectral_radius"] + document["spectral_norm"]:
        assert isinstance(figure, dict) == (cell in ("lstm", "gru"))
    for key in ("carry", "gate_half_life"):
        assert (document[key] is None) == (kind.carry is None)


def test_steps_count_from_one_and_lags_from_the_last_step():
    steps = report(scalar(0.5)).document()["timesteps"]
    assert [(step["t"], step["lag"]) for step in steps] == [(1, 3), (2, 2), (3, 1), (4, 0)]


def test_the_readout_belongs_to_the_top_layer_alone():
    lower, upper = report(stack("linear", [([[1.0]], [[0.5]])] * 2)).document()["layers"]
    assert {step["C"] for step in lower["timesteps"]} == {None}
    assert {step["C"] for step in upper["timesteps"]} == {0.0}


def test_a_document_of_any_size_of_number_is_json():
    net = network("linear", 1.0, 1e200)
    document = report(net, 6, x=np.ones((6, 1, 1))).document()
    first = msgspec.json.decode(msgspec.json.encode(document))["timesteps"][0]
    assert first["hidden"] is None
    assert first["hidden_log10"] == pytest.approx(1000, rel=1e-12)
    assert document["loss"] is None
    assert document["warnings"]


def test_the_columns_hold_every_step_of_every_layer():
    columns = report(stack("linear", [([[1.0]], [[0.5]])] * 2)).columns()
    assert list(columns)[:3] == ["layer", "t", "lag"]
    assert columns["layer"] == [0] * 4 + [1] * 4
    assert columns["t"] == [1, 2, 3, 4] * 2


@pytest.mark.parametrize(
    ("b", "name", "ratio"), [(0.05, "vanishing", "1.25e-04"), (1.0, "stable", "1.00e+00")]
)
def test_the_headline_compares_the_first_step_with_the_last(b, name, ratio):
    assert headline(scalar(b)) == (
        name,
        f"at step 1 the gradient is {ratio} times what it is at step 4",
    )


def test_the_headline_of_targets_apart_compares_lags():
    """Sequence 1 ends at step 4, sequence 2 at step 2: no step is the last one of both."""
    name, says = headline(scalar(0.1), mask=mask_of(4, [4], [2]), batch=2)
    assert says == "3 steps before the last target the gradient is 1.00e-03 times what it is there"
    assert name == "stable"


def test_the_headline_of_a_cut_says_where():
    name, says = headline(scalar(0.0))
    assert name == "vanishing"
    assert says == "the gradient is exactly zero beyond lag 0: cut, not decayed"


def test_the_headline_without_a_gradient_says_so():
    net = scalar(0.5)
    x = silence(4)
    result = grad_norms(net, sweep_back(net, x, probe(net, x, vector=0.0)))
    head = GradientNormsReport(result, Run(EXPERIMENT)).view().headline
    assert head == ("no-gradient", "there is no gradient to follow")


def test_a_person_sees_the_steps_from_the_loss_back_and_a_bar_for_each():
    grid = report(scalar(0.5)).view().grids[0]
    assert grid.headers == ["t", "lag", "‖g_t‖", "A", "B", "C", "sat.", "log scale"]
    assert [row[0] for row in grid.rows] == ["4", "3", "2", "1"]
    shares = [row[-1].share for row in grid.rows]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1] > 0) == (1.0, True)


def test_bars_of_a_steady_gradient_are_equal_and_full():
    grid = report(scalar(1.0)).view().grids[0]
    assert {row[-1].share for row in grid.rows} == {1.0}


def test_the_bar_of_nothing_is_empty():
    grid = report(scalar(0.0)).view().grids[0]
    assert [row[-1].share for row in grid.rows] == [1.0, 0.0, 0.0, 0.0]
    assert all(isinstance(row[-1], Bar) for row in grid.rows)


def test_a_loss_at_every_step_adds_the_last_ones_column():
    grid = report(scalar(0.5), mask=mask_of(4, [1, 2, 3, 4])).view().grids[0]
    assert grid.headers[2:4] == ["‖g_t‖", "‖p_t‖"]


def test_layers_below_stand_beside_the_top_one():
    grid = report(stack("linear", [([[1.0]], [[0.5]])] * 3)).view().grids[0]
    assert grid.headers[-4:] == ["layer 0", "layer 1", "sat.", "log scale"]


@pytest.mark.parametrize(
    ("options", "shown"),
    [({"every": 2}, ["7", "5", "3", "1"]), ({"everything": True}, list("7654321"))],
)
def test_more_or_fewer_steps_on_request(options, shown):
    grid = report(scalar(0.5), 7, **options).view().grids[0]
    assert [row[0] for row in grid.rows] == shown


def test_the_figures_of_the_network_are_facts():
    facts = dict(report(scalar(0.5), 20).view().facts)
    assert facts["growth per step back"] == "0.5   (half-life 1 steps)"
    assert facts["horizon"] == "6 steps back, 0.01 of the gradient is left"
    assert facts["spectral radius ρ(B)"] == facts["spectral norm σ₁(B)"] == "0.5"


def test_a_baseline_stands_beside_the_loss():
    net, x = scalar(0.5), silence(4)
    result = grad_norms(net, sweep_back(net, x))
    run = Run(EXPERIMENT, baseline=1 / 6, baseline_name="always answering 1")
    facts = dict(GradientNormsReport(result, run).view().facts)
    assert facts["loss"] == "0   (baseline 0.1667, always answering 1)"


def test_an_estimate_is_named_and_its_cut_is_no_decay():
    made = estimate(scalar(0.5), name="fixed", length=3, steps=9)
    view = made.view()
    assert view.title.endswith("fixed(3) · 9 steps")
    assert view.headline == (
        "vanishing",
        "the gradient is exactly zero beyond lag 2: cut, not decayed",
    )
    assert dict(view.facts)["horizon"] == "2 steps back, and beyond it nothing"
    assert made.document()["verdict"]["zero_beyond_lag"] == 2


def test_of_several_losses_it_is_the_last_ones_gradient_that_is_cut():
    made = estimate(scalar(0.5), mask=mask_of(4, [1, 2, 3, 4]), name="sliding", length=2)
    assert made.view().headline[1].startswith("the gradient of the last loss is exactly zero")
    steps = made.document()["timesteps"]
    assert [step["propagated"] for step in steps] == [0, 0, 1 / 8, 1 / 4]
    assert [step["hidden"] for step in steps] == [3 / 8, 3 / 8, 3 / 8, 1 / 4]


def test_weights_stand_beside_the_growth():
    made = estimate(scalar(0.5), name="randomized", probability=0.2, steps=3, seed=1)
    facts = dict(made.view().facts)
    assert facts["growth per step back"] == (
        "0.625   (half-life 1.475 steps, 1.25 of it the weights of randomized(0.2))"
    )
