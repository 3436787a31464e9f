"""Explanations of small runs, as the commands make them."""

import io

from rich.console import Console

from bpttcli.diagnostics.explain import explain
from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.unroll import unroll
from bpttcli.experiment.build import build
from bpttcli.experiment.load import load
from bpttcli.report.explanation import ExplanationReport
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.report import Run, render


def explanation(name, *sets, edges=None, clip_factor=None):
    """The problem of an experiment, and its explanation."""
    problem, trajectory, adjoints = _run(name, sets)
    how = {"edges": edges, "clip_factor": clip_factor}
    return problem, explain(trajectory, problem.objective, adjoints, **how)


def report(name, *sets, edges=None, clip_factor=None, everything=False):
    """The report of an experiment."""
    problem, trajectory, adjoints = _run(name, sets)
    found = explain(trajectory, problem.objective, adjoints, edges=edges, clip_factor=clip_factor)
    figures = GradientNormsReport(grad_norms(problem.network, adjoints), Run(**problem.run))
    return ExplanationReport(found, figures, everything=everything)


def text(made, form="table", *, width=80, encoding="utf-8"):
    """A report as it is printed in a terminal of that width."""
    console = Console(file=io.StringIO(), width=width, legacy_windows=False, _environ={})
    rendered = render(made, form, console, encoding=encoding)
    return rendered if isinstance(rendered, str) else rendered.decode()


def grid(made, title):
    """The one table whose title begins so."""
    (found,) = (g for g in made.view().grids if g.title.startswith(title))
    return found


def _run(name, sets):
    problem = build(load(name, sets=sets).experiment)
    trajectory = unroll(problem.network, problem.sequences.x, problem.start)
    return problem, trajectory, backpropagate(trajectory, problem.objective)
