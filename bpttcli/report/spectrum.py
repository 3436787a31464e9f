"""The report of ``spectrum``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bpttcli._version import __version__
from bpttcli.diagnostics.network_spectrum import Block, NetworkSpectrum, log_spectral_radius
from bpttcli.diagnostics.trajectory_spectrum import TrajectorySpectrum
from bpttcli.engine.scaled import Scaled
from bpttcli.report.numbers import figure, figures, scaled
from bpttcli.report.report import Columns, Report, Run, rows_of
from bpttcli.report.spectrum_view import spectrum_view
from bpttcli.report.view import View


class SpectrumReport(Report):
    """A spectrum made ready for printing.

    Parameters
    ----------
    result : NetworkSpectrum
    run : Run or None
        What ran; None for a bare matrix.
    matrix : str or None
        The file of a bare matrix.
    everything : bool
        Show a person every eigenvalue, exponent and lag.
    """

    def __init__(
        self,
        result: NetworkSpectrum,
        run: Run | None,
        *,
        matrix: str | None = None,
        everything: bool = False,
    ) -> None:
        self._document = _document(result, run, matrix)
        self._everything = everything

    def document(self) -> dict[str, Any]:
        """The JSON of DESIGN, and further figures beside it."""
        return self._document

    def columns(self) -> Columns:
        """A row for every eigenvalue, power, exponent, lag and step, told apart by `row`.

        `index` counts eigenvalues and exponents from 1; it is k of a power, the lag of a
        product and the step t of an adjoint.
        """
        rows = list(_flat_rows(self._document))
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {name: [row.get(name) for row in rows] for name in names}

    def view(self) -> View:
        """The rule, the figures, a choice of rows, and two pictures."""
        return spectrum_view(self._document, everything=self._everything)


def _document(result: NetworkSpectrum, run: Run | None, matrix: str | None) -> dict[str, Any]:
    """Everything under the keys of the JSON."""
    rule, trajectory = result.rule, result.trajectory
    log_radius = log_spectral_radius(result.blocks)
    return {
        "command": "spectrum",
        "version": __version__,
        "experiment": None if run is None else run.experiment,
        "matrix": matrix,
        "leak": result.leak,
        "warnings": [*(() if run is None else run.warnings), *result.warnings],
        "spectral_radius": _by_layer(result.blocks, "spectral_radius"),
        "spectral_norm": _by_layer(result.blocks, "spectral_norm"),
        "ln_spectral_radius": None if log_radius is None else figure(log_radius),
        "rule": None
        if rule is None
        else {"holds": rule.holds, "rate_holds": rule.rate_holds, "sentence": rule.sentence},
        "layers": [_block(block) for block in result.blocks],
        "trajectory": None if trajectory is None else _trajectory(trajectory),
    }


def _by_layer(blocks: tuple[Block, ...], name: str) -> list[Any]:
    """One entry a layer: a number, or one for each gate, as in grad-norms."""
    layers: list[Any] = [{} for _ in {block.layer for block in blocks}]
    for block in blocks:
        value = figure(getattr(block.spectrum, name))
        if block.gate is None:
            layers[block.layer] = value
        else:
            layers[block.layer][block.gate] = value
    return layers


def _block(block: Block) -> dict[str, Any]:
    """One recurrent matrix."""
    spectrum, values = block.spectrum, block.spectrum.eigenvalues
    growth, powers, condition = spectrum.growth, spectrum.powers, spectrum.eigenvector_condition
    named = ("re", values.real), ("im", values.imag), ("abs", np.hypot(values.real, values.imag))
    return {
        "layer": block.layer,
        "gate": block.gate,
        "spectral_radius": figure(spectrum.spectral_radius),
        "spectral_norm": figure(spectrum.spectral_norm),
        "residual": _optional(spectrum.residual),
        "eigenvalues": rows_of({name: figures(part) for name, part in named}),
        "eigenvalue_error": _optional(spectrum.eigenvalue_error),
        "eigenvector_condition": _optional(condition),
        "defective": None if condition is None else bool(np.isinf(condition)),
        "departure_from_normality": _optional(spectrum.departure_from_normality),
        "departure_relative": _optional(spectrum.departure_relative),
        "numerical_radius": _optional(spectrum.numerical_radius),
        "numerical_abscissa": _optional(spectrum.numerical_abscissa),
        "kreiss_lower_bound": _optional(spectrum.kreiss_lower_bound),
        # Null without powers too: they were not asked for.
        "grows_without_end": None if powers is None else growth is None,
        "transient_growth": None
        if growth is None
        else {"k": growth.k, **_one("norm", growth.norm), "is_bound": growth.is_bound},
        "powers": []
        if powers is None
        else rows_of(
            {
                "k": powers.k.tolist(),
                **scaled("rho_k", powers.rho),
                **scaled("norm_k", powers.norm),
                "norm_k_relative_error": figures(powers.relative_error),
            }
        ),
    }


def _trajectory(trajectory: TrajectorySpectrum) -> dict[str, Any]:
    """What happens along the way."""
    lyapunov, products, slopes = trajectory.lyapunov, trajectory.products, trajectory.slopes
    exponents: dict[str, Any] = {
        "lyapunov": [],
        "lyapunov_se": [],
        "lyapunov_drift": [],
        "kaplan_yorke_dimension": None,
        "entropy_rate": None,
    }
    if lyapunov is not None:
        exponents = {
            "lyapunov": figures(lyapunov.exponents),
            "lyapunov_se": figures(lyapunov.standard_error),
            "lyapunov_drift": figures(lyapunov.drift),
            "kaplan_yorke_dimension": _optional(lyapunov.kaplan_yorke_dimension),
            "entropy_rate": figure(lyapunov.entropy_rate),
        }
    jacobian: list[dict[str, Any]] = []
    if products is not None:
        jacobian = rows_of(
            {
                "lag": products.lag.tolist(),
                "sigma_max_log10": figures(products.largest_log10),
                "sigma_median_log10": figures(products.median_log10),
                "sigma_min_log10": figures(products.smallest_log10),
            }
        )
    return {
        **exponents,
        "transient": trajectory.transient,
        "slope_mean": _optional(slopes.mean),
        "slope_spread": _optional(slopes.spread),
        "saturated": figure(slopes.saturated),
        "jacobian": jacobian,
        **scaled("adjoint", trajectory.adjoint),
    }


def _optional(value: float | None) -> float | None:
    """A figure, where there is one."""
    return None if value is None else figure(value)


def _one(name: str, value: Scaled) -> dict[str, float | None]:
    """A number that may leave float64's range, and its logarithm."""
    return {name: figure(value.value), f"{name}_log10": figure(value.log10)}


def _flat_rows(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All rows of a document, one after the other."""
    for layer in document["layers"]:
        place = {"layer": layer["layer"], "gate": layer["gate"]}
        for i, value in enumerate(layer["eigenvalues"], start=1):
            yield {"row": "eigenvalue", **place, "index": i, **value}
        for power in layer["powers"]:
            figures_of_k = {name: value for name, value in power.items() if name != "k"}
            yield {"row": "power", **place, "index": power["k"], **figures_of_k}
    trajectory = document["trajectory"]
    if trajectory is None:
        return
    names = ("lyapunov", "lyapunov_se", "lyapunov_drift")
    for i, row in enumerate(zip(*(trajectory[name] for name in names), strict=True), start=1):
        yield {"row": "lyapunov", "index": i, **dict(zip(names, row, strict=True))}
    for product in trajectory["jacobian"]:
        values = {name: value for name, value in product.items() if name != "lag"}
        yield {"row": "jacobian", "index": product["lag"], **values}
    pairs = zip(trajectory["adjoint"], trajectory["adjoint_log10"], strict=True)
    for t, (value, log10) in enumerate(pairs, start=1):
        yield {"row": "adjoint", "index": t, "adjoint": value, "adjoint_log10": log10}
