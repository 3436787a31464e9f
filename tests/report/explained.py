"""Explanations of small runs, as the commands make them."""

import io

import numpy as np
from rich.console import Console

from bpttcli.diagnostics.explain import explain
from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.edges import Factors
from bpttcli.engine.unroll import unroll
from bpttcli.experiment.build import build
from bpttcli.experiment.load import load
from bpttcli.report.explanation import ExplanationReport
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.report import Run, render
from bpttcli.truncation.clipping import Limits, clip, total_norm


def explanation(name, *sets):
    """The problem of an experiment, and its explanation."""
    problem, trajectory, adjoints = _run(name, sets)
    return problem, explain(trajectory, problem.objective, adjoints)


def report(name, *sets, edges=None, clip_factor=None, everything=False):
    """The report of an experiment, by other edges than its estimator's or clipped by a factor."""
    problem, trajectory, adjoints = _run(name, sets, edges)
    limits, clipped = problem.clip, None
    if clip_factor is not None:
        limits = Limits(norm=clip_factor * float(total_norm(adjoints.gradient).value))
    if limits.active:
        clipped = clip(adjoints.gradient, limits)
    found = explain(trajectory, problem.objective, adjoints, clipped=clipped)
    result = grad_norms(problem.network, adjoints, estimator=problem.estimator, clipped=clipped)
    figures = GradientNormsReport(result, Run(**problem.run))
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


def _run(name, sets, edges=None):
    problem = build(load(name, sets=sets).experiment)
    trajectory = unroll(problem.network, problem.sequences.x, problem.start)
    if edges is None:
        edges = problem.estimator.edges(problem.targets, np.random.default_rng(0))
    else:
        edges = Factors(np.array(edges, dtype=float))
    return problem, trajectory, backpropagate(trajectory, problem.objective, edges=edges)
