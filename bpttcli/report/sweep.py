"""The reports of several experiments side by side."""

from __future__ import annotations

from typing import Any

from bpttcli.experiment.wording import shown
from bpttcli.record import Record
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.numbers import scientific, short
from bpttcli.report.report import Columns, Report
from bpttcli.report.view import Cell, Grid, View, chosen_steps, counted, describe_estimate

Values = dict[str, Any]


class Point(Record, frozen=True):
    """One experiment of a sweep.

    Parameters
    ----------
    values : dict of str to object
        What the keys that are swept are set to.
    report : GradientNormsReport
    """

    values: Values
    report: GradientNormsReport

    @property
    def label(self) -> str:
        """Its values in a few characters."""
        return ", ".join(_written(value) for value in self.values.values())


class SweepReport(Report):
    """Gradient norms of several experiments, made ready for printing.

    Parameters
    ----------
    points : list of Point
        At least one, all with the same keys.
    every : int, optional
        Steps between the lags that a person is shown.
    everything : bool
        Show all lags.
    """

    def __init__(
        self, points: list[Point], *, every: int | None = None, everything: bool = False
    ) -> None:
        self._points = points
        self._documents = [point.report.document() for point in points]
        longest = max(len(document["timesteps"]) for document in self._documents)
        chosen = chosen_steps(longest, every=every, everything=everything)
        self._lags = [longest - 1 - i for i in chosen]

    def document(self) -> list[dict[str, Any]]:
        """The document of each experiment, with the values of its keys under ``sweep``."""
        pairs = zip(self._points, self._documents, strict=True)
        return [{"sweep": point.values, **document} for point, document in pairs]

    def columns(self) -> Columns:
        """The rows of each experiment after its values; empty where a cell has no such figure."""
        parts = [point.report.columns() for point in self._points]
        names = list(dict.fromkeys(name for part in parts for name in part))
        whole: Columns = {name: [] for name in (*self._points[0].values, *names)}
        for point, part in zip(self._points, parts, strict=True):
            rows = len(part["t"])
            for key, value in point.values.items():
                written = _written(value) if isinstance(value, list | dict) else value
                whole[key] += [written] * rows
            for name in names:
                whole[name] += part.get(name, [None] * rows)
        return whole

    def view(self) -> View:
        """The figures of each experiment, and the gradient of all of them by lag."""
        keys = ", ".join(self._points[0].values)
        ran = describe_estimate(self._documents[0]["experiment"])
        return View(
            title=f"{counted(len(self._points), 'experiment')} over {keys}; the first: {ran}",
            headline=("sweep", self._furthest()),
            grids=[self._figures(), self._by_lag()],
        )

    def _furthest(self) -> str:
        """Say where the gradient reaches furthest."""
        horizons = [document["horizon"] or 0 for document in self._documents]
        best = max(horizons)
        labels = [
            point.label
            for point, horizon in zip(self._points, horizons, strict=True)
            if horizon == best
        ]
        if len(labels) == len(self._points) > 1:
            return f"the gradient reaches {counted(best, 'step')} back in all of them"
        return f"the gradient reaches furthest with {' and '.join(labels)}: {counted(best, 'step')}"

    def _figures(self) -> Grid:
        """Tabulate one experiment a line."""
        keys = list(self._points[0].values)
        headers = [key.rpartition(".")[2] for key in keys]
        headers += ["verdict", "growth", "half-life", "horizon", "carry", "first/last", "loss"]
        clips = [document["clip"] for document in self._documents]
        headers += ["norm", "clipped"] if any(clips) else []
        rows: list[list[Cell]] = []
        for point, document in zip(self._points, self._documents, strict=True):
            horizon = "–" if document["horizon"] is None else str(document["horizon"])
            rows.append(
                [
                    *(_written(value) for value in point.values.values()),
                    document["verdict"]["name"],
                    short(document["growth_per_step"]),
                    short(document["half_life"]),
                    f"≥ {horizon}" if document["horizon_is_bound"] else horizon,
                    short(document["carry"]),
                    _decay(document)[-1],
                    short(document["loss"]),
                    *(_clipped(document["clip"]) if any(clips) else ()),
                ]
            )
        left = frozenset(range(len(keys) + 1))
        return Grid("What becomes of the gradient in each experiment", headers, rows, left)

    def _by_lag(self) -> Grid:
        """Tabulate the propagated adjoint of every experiment against the lag."""
        decays = [_decay(document) for document in self._documents]
        rows: list[list[Cell]] = [
            [str(lag), *(decay[lag] if lag < len(decay) else "" for decay in decays)]
            for lag in self._lags
        ]
        headers = ["lag", *(point.label for point in self._points)]
        return Grid("‖p_t‖ by lag, over what it is at the last target step", headers, rows)


def _decay(document: dict[str, Any]) -> list[str]:
    """Write the propagated adjoint over its value at the last target step, from lag 0 on."""
    logs = [step["propagated_log10"] for step in reversed(document["timesteps"])]
    start = next((log for log in logs if log is not None), None)
    if start is None:
        return ["–"] * len(logs)
    return ["0" if log is None else scientific(0.0, log - start) for log in logs]


def _clipped(clip: dict[str, Any] | None) -> list[str]:
    """Write the norm of the gradient before and after clipping."""
    if clip is None:
        return ["–", "–"]
    names = ("norm", "clipped_norm")
    return [scientific(clip[name], clip[f"{name}_log10"]) for name in names]


def _written(value: Any) -> str:
    """Write a value of a key in a few characters; of a mapping its values."""
    if isinstance(value, dict):
        return " ".join(_written(entry) for entry in value.values())
    return value if isinstance(value, str) else shown(value)
