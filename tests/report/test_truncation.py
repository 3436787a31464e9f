"""The report of a comparison: what a person reads first, and what machines get."""

import io
import json

import msgspec
import numpy as np
import pytest
from rich.console import Console

from bpttcli.diagnostics.clip_audit import audit_estimator
from bpttcli.diagnostics.compare_truncation import compare_truncation
from bpttcli.diagnostics.comparing import Comparing
from bpttcli.diagnostics.estimator_quality import UNSETTLED
from bpttcli.diagnostics.gradient_norms import spectral_radii
from bpttcli.diagnostics.target_bias import target_bias
from bpttcli.engine.unroll import unroll
from bpttcli.experiment.schema import Experiment, Loss, Model
from bpttcli.report.report import Run, render
from bpttcli.report.truncation import TruncationReport
from bpttcli.tasks.constant import Constant
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.clipping import Limits
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding
from tests.runs import network, probe

STEPS = 120
RUN = Run(
    Experiment(
        task=Constant(steps=STEPS),
        model=Model(cell="linear", hidden=1, layers=1),
        loss=Loss(name="probe", at="every"),
    ).to_dict()
)
ESTIMATORS = [
    Fixed(5), Sliding(5), Fixed(60), Sliding(60),
    Randomized(0.05), Unreweighted(0.05), Randomized(0.5), Artbp(6.0, 16.0),
]  # fmt: skip


def compared(b=0.9, *, vector=1.0):
    """One linear unit in its stationary state, a probe at every step; every second takes one."""
    net, x = network("linear", 1.0, b), np.ones((STEPS, 1, 1))
    start = ((np.full((1, 1), 1 / (1 - b)),),) if b != 1 else None
    trajectory = unroll(net, x, start)
    objective = probe(net, x, np.ones((STEPS, 1), dtype=bool), vector)
    comparing = Comparing(
        trajectory, objective, seeds=np.random.SeedSequence(0).spawn, draws=20, exact=None
    )
    # The same seeds whenever asked, which a SeedSequence that counts its children does not give.
    comparing.seeds = lambda count: np.random.SeedSequence(0).spawn(count)
    result = compare_truncation(comparing, ESTIMATORS, lags=60)
    timed = tuple(msgspec.structs.replace(each, seconds=0.01) for each in result.estimators)
    return comparing, msgspec.structs.replace(result, estimators=timed)


@pytest.fixture(scope="module")
def report():
    comparing, result = compared()
    limits = Limits(norm=50.0, value=40.0)
    return TruncationReport(
        result,
        RUN,
        spectral_radii(comparing.trajectory.network),
        target=target_bias(comparing, result.profile, 0.2),
        audits=[audit_estimator(comparing, each, limits, 20) for each in ESTIMATORS[4:6]],
    )


def table(report, *, width=80, encoding="utf-8"):
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    return render(report, "table", console, encoding=encoding)


@pytest.mark.parametrize(
    ("name", "form", "width", "encoding"),
    [
        ("truncation.txt", "table", 80, "utf-8"),
        ("truncation-ascii.txt", "table", 80, "ascii"),
        ("truncation-wide.txt", "table", 140, "utf-8"),
        ("truncation.md", "markdown", 80, "utf-8"),
    ],
)
def test_what_a_person_reads(report, golden, name, form, width, encoding):
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    text = render(report, form, console, encoding=encoding)
    if form == "table":
        assert max(len(line) for line in text.splitlines()) <= width
    golden(name, text)


def test_machines_get_numbers_and_never_nan(report):
    document = json.loads(render(report, "json", Console()), parse_constant=pytest.fail)
    assert document["target"]["target_bias"] == 0.2
    assert [each["estimator"] for each in document["clip"]] == [
        "randomized(0.05)", "unreweighted(0.05)",
    ]  # fmt: skip
    assert document["summary"][0].startswith("fixed(5) keeps 28% of the gradient of B")


def test_all_shows_every_group_and_every_step():
    comparing, result = compared()
    radii = spectral_radii(comparing.trajectory.network)
    few = TruncationReport(result, RUN, radii).view()
    everything = TruncationReport(result, RUN, radii, everything=True).view()
    assert len(few.grids[0].rows) == 8 * 2
    assert len(everything.grids[0].rows) == 8 * 3  # all, A and B; nothing else is there
    assert len(few.grids[2].headers) <= 9
    assert len(everything.grids[2].headers) == 1 + STEPS
    assert len(everything.grids[3].rows) == 60


def test_a_spread_that_cannot_settle_is_marked():
    comparing, result = compared()
    doubtful = tuple(
        msgspec.structs.replace(each, variance=UNSETTLED) if each.draws else each
        for each in result.estimators
    )
    result = msgspec.structs.replace(result, estimators=doubtful)
    text = table(TruncationReport(result, RUN, spectral_radii(comparing.trajectory.network)))
    assert " ?: a sampled std that no number of draws settles" in " ".join(text.split())
    assert text.count(" ?  ") == 2


def test_a_gradient_of_zero_is_said_to_be_none():
    comparing, result = compared(vector=0.0)
    report = TruncationReport(result, RUN, spectral_radii(comparing.trajectory.network))
    document = json.loads(render(report, "json", Console()), parse_constant=pytest.fail)
    assert document["estimators"][1]["relative_bias"] is None
    assert "–" in table(report)
