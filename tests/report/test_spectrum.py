"""The report of a spectrum: its keys, its rows, and what a person reads."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

from bpttcli.diagnostics.network_spectrum import (
    Block,
    NetworkSpectrum,
    block_spectra,
    network_spectrum,
)
from bpttcli.diagnostics.spectrum import spectrum_of
from bpttcli.diagnostics.trajectory_spectrum import trajectory_spectrum
from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.experiment.schema import Experiment, Loss, Model
from bpttcli.report.report import Run, render
from bpttcli.report.spectrum import SpectrumReport
from tests.runs import network, probe, random_parameters, silence, sweep_back

LAYER = [
    "layer",
    "gate",
    "spectral_radius",
    "spectral_norm",
    "residual",
    "eigenvalues",
    "eigenvalue_error",
    "eigenvector_condition",
    "defective",
    "departure_from_normality",
    "departure_relative",
    "numerical_radius",
    "numerical_abscissa",
    "kreiss_lower_bound",
    "grows_without_end",
    "transient_growth",
    "powers",
]
TRAJECTORY = [
    "lyapunov",
    "lyapunov_se",
    "lyapunov_drift",
    "kaplan_yorke_dimension",
    "entropy_rate",
    "transient",
    "slope_mean",
    "slope_spread",
    "saturated",
    "jacobian",
    "adjoint",
    "adjoint_log10",
]


def bare(B, **more):
    spectrum = spectrum_of(np.array(B), **more)
    return SpectrumReport(NetworkSpectrum((Block(0, None, spectrum),)), None, matrix="B.npy")


def followed(net, steps=12, **more):
    """The report of a run without input, and its adjoints."""
    start = tuple(
        tuple(np.full((1, layer.hidden), 0.3) for _ in net.cell.states) for layer in net.layers
    )
    x = silence(steps, inputs=net.n_inputs)
    adjoints = sweep_back(net, x, probe(net, x), start)
    adjoint = adjoints.layers[-1].norm[0].mean(axis=1)
    rng = np.random.default_rng(0)
    spectrum = trajectory_spectrum(unroll(net, x, start), adjoint, rng, **more)
    result = network_spectrum(net, block_spectra(net), spectrum)
    model = Model(cell=net.cell.name, hidden=net.layers[-1].hidden, layers=len(net.layers))
    experiment = Experiment(model=model, loss=Loss(name="probe", at="last"))
    return SpectrumReport(result, Run(experiment.to_dict())), adjoint


def text(report, form="table", width=1000, encoding="utf-8"):
    console = Console(file=io.StringIO(), width=width, legacy_windows=False, _environ={})
    return render(report, form, console, encoding=encoding)


JORDAN = network("linear", np.zeros((2, 1)), [[0.9, 1.0], [0.0, 0.9]])


def test_the_keys_of_the_document():
    document = followed(JORDAN)[0].document()
    assert list(document) == [
        "command",
        "version",
        "experiment",
        "matrix",
        "leak",
        "warnings",
        "spectral_radius",
        "spectral_norm",
        "ln_spectral_radius",
        "rule",
        "layers",
        "trajectory",
    ]
    (layer,) = document["layers"]
    assert list(layer) == LAYER
    assert list(layer["eigenvalues"][0]) == ["re", "im", "abs"]
    assert list(layer["powers"][0]) == [
        "k",
        "rho_k",
        "rho_k_log10",
        "norm_k",
        "norm_k_log10",
        "norm_k_relative_error",
    ]
    assert list(layer["transient_growth"]) == ["k", "norm", "norm_log10", "is_bound"]
    assert list(document["trajectory"]) == TRAJECTORY
    assert list(document["trajectory"]["jacobian"][0]) == [
        "lag",
        "sigma_max_log10",
        "sigma_median_log10",
        "sigma_min_log10",
    ]
    assert list(document["rule"]) == ["holds", "rate_holds", "sentence"]


def test_a_bare_matrix_has_no_trajectory_and_no_experiment():
    document = bare([[0.9, 10.0], [0.0, 0.9]]).document()
    assert document["trajectory"] is document["experiment"] is document["rule"] is None
    assert document["matrix"] == "B.npy"
    (layer,) = document["layers"]
    assert (layer["layer"], layer["gate"]) == (0, None)
    assert layer["transient_growth"]["k"] == 9
    assert document["spectral_radius"] == [0.9]
    assert document["ln_spectral_radius"] == pytest.approx(math.log(0.9))


def test_the_adjoint_is_a_number_a_step_with_its_logarithm():
    report, adjoint = followed(JORDAN)
    trajectory = report.document()["trajectory"]
    np.testing.assert_array_equal(trajectory["adjoint"], adjoint.value)
    np.testing.assert_array_equal(trajectory["adjoint_log10"], adjoint.log10)


@pytest.mark.parametrize(
    ("B", "nulls"),
    [
        ([[0.0, 0.0], [0.0, 0.0]], ["ln_spectral_radius"]),
        ([[2.0, 0.0], [0.0, 1.0]], ["kreiss_lower_bound", "transient_growth"]),
        ([[0.9, 1.0], [0.0, 0.9]], ["eigenvector_condition"]),
        ([[1.7e308, 1.7e308], [1.7e308, 1.7e308]], ["spectral_radius", "spectral_norm"]),
    ],
)
def test_what_is_not_finite_is_null_and_json_stays_json(B, nulls):
    report = bare(B)
    document = json.loads(text(report, "json"), parse_constant=pytest.fail)
    both = {**document["layers"][0], "ln_spectral_radius": document["ln_spectral_radius"]}
    for name in nulls:
        assert both[name] is None
    text(report)
    text(report, "markdown")


def test_null_comes_with_the_field_that_says_what_happened():
    (growing,) = bare([[2.0]]).document()["layers"]
    (defective,) = bare([[0.9, 1.0], [0.0, 0.9]]).document()["layers"]
    assert growing["grows_without_end"] is True
    assert growing["defective"] is False
    assert defective["grows_without_end"] is False
    assert defective["defective"] is True


def test_a_lost_direction_is_null():
    net = network("linear", np.zeros((2, 1)), [[0.5, 0.0], [0.0, 0.0]])
    trajectory = followed(net)[0].document()["trajectory"]
    assert trajectory["lyapunov"] == [pytest.approx(math.log(0.5)), None]
    assert trajectory["lyapunov_se"][1] is None
    assert trajectory["jacobian"][3]["sigma_min_log10"] is None


def test_nothing_asked_of_the_exponents_is_an_empty_list():
    document = followed(JORDAN, exponents=0)[0].document()
    assert document["trajectory"]["lyapunov"] == []
    assert document["rule"] is None


def test_gates_are_named_as_in_grad_norms():
    parameters = random_parameters(np.random.default_rng(0), 4, layers=2)
    report, _ = followed(Network.from_parameters(cell_named("lstm"), parameters))
    document = report.document()
    assert [list(entry) for entry in document["spectral_radius"]] == [list("ifgo")] * 2
    assert len(document["layers"]) == 8
    assert document["ln_spectral_radius"] is document["rule"]["holds"] is None
    assert "no rule" in text(report)


def test_a_row_for_every_figure_of_a_list():
    report, _ = followed(JORDAN)
    columns, document = report.columns(), report.document()
    kinds = columns["row"]
    assert {len(values) for values in columns.values()} == {len(kinds)}
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    trajectory, (layer,) = document["trajectory"], document["layers"]
    assert counts == {
        "eigenvalue": 2,
        "power": len(layer["powers"]),
        "lyapunov": 2,
        "jacobian": len(trajectory["jacobian"]),
        "adjoint": 12,
    }
    at = kinds.index("jacobian") + 4
    assert columns["index"][at] == 4
    assert columns["sigma_max_log10"][at] == trajectory["jacobian"][4]["sigma_max_log10"]
    assert columns["re"][at] is None


@pytest.mark.parametrize("cell", ["tanh", "lstm"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_table_fits_80_columns(cell, encoding):
    gates = len(cell_named(cell).gates)
    parameters = random_parameters(np.random.default_rng(1), gates, layers=2)
    report, _ = followed(Network.from_parameters(cell_named(cell), parameters), steps=70)
    table = text(report, width=80, encoding=encoding)
    assert max(len(line) for line in table.splitlines()) <= 80
    assert table.isascii() == (encoding == "ascii")
    assert "…" not in table
    assert "?" not in table


def test_the_table_of_a_network(golden):
    golden("spectrum.txt", text(followed(JORDAN, steps=120, lags=[100])[0], width=80))


def test_the_table_of_a_bare_matrix(golden):
    golden("spectrum-bare.txt", text(bare([[0.6, -0.8, 0.0], [0.8, 0.6, 1.0], [0.0, 0.0, 0.5]])))


def test_the_page_of_a_bare_matrix(golden):
    golden("spectrum-bare.md", text(bare([[0.9, 10.0], [0.0, 0.9]]), "markdown"))


def test_everything_shows_every_row():
    net = network("tanh", np.zeros((30, 1)), np.diag(np.linspace(0.1, 0.9, 30)))
    report, _ = followed(net, steps=30)
    report._everything = True
    table = text(report)
    assert table.count("\n30 ") == 1  # the last exponent
    assert "\n 29  " in table  # the last lag


def test_an_iterative_figure_states_its_residual():
    B = np.random.default_rng(2).normal(size=(60, 60)) / 8
    assert "(iterative)" in text(bare(B, top=2))
