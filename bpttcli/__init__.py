"""See how the gradient of a recurrent network travels back through time.

Examples
--------
>>> import bpttcli
>>> problem = bpttcli.build(bpttcli.load("scalar-linear").experiment)
>>> trajectory = bpttcli.unroll(problem.network, problem.sequences.x, problem.start)
>>> adjoints = bpttcli.backpropagate(trajectory, problem.objective)
>>> result = bpttcli.grad_norms(problem.network, adjoints)
>>> result.verdict.name, round(result.reach.growth_per_step, 12), result.reach.horizon
('vanishing', 0.9, 43)

What a shorter memory would leave of that gradient, exactly, and how much of it each lag has:

>>> comparing = bpttcli.Comparing(trajectory, problem.objective, seeds=problem.draws)
>>> sliding = bpttcli.estimator_named("sliding", length=22)
>>> quality = comparing.quality(sliding).groups["B"]
>>> round(quality.relative_bias, 4), round(quality.norm_ratio, 4)
(0.0985, 0.9015)
>>> bpttcli.target_bias(comparing, comparing.profile(200), 0.1).sliding
22
>>> randomized = bpttcli.estimator_named("randomized", probability=0.01)
>>> result = bpttcli.compare_truncation(comparing, [sliding, randomized])
>>> [(each.label, each.variance) for each in result.estimators]
[('full', 'none'), ('randomized(0.01)', 'exact: loss at one step'), ('sliding(22)', 'none')]

One estimate of it, clipped:

>>> edges = sliding.mean(problem.targets)
>>> gradient = bpttcli.estimate(trajectory, problem.objective, edges).gradient
>>> clipped = bpttcli.clip(gradient, bpttcli.Limits(norm=1.0))
>>> clipped.fired, round(float(clipped.clipped_norm.value), 12)
(True, 1.0)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bpttcli._version import __version__

if TYPE_CHECKING:
    from bpttcli.diagnostics.compare_truncation import Comparison, compare_truncation
    from bpttcli.diagnostics.comparing import Comparing
    from bpttcli.diagnostics.gradient_norms import GradientNorms, grad_norms
    from bpttcli.diagnostics.target_bias import TargetBias, target_bias
    from bpttcli.engine.backpropagate import Adjoints, backpropagate
    from bpttcli.engine.cells import cell_named
    from bpttcli.engine.losses import CrossEntropy, Probe, SquaredError, target_weights
    from bpttcli.engine.network import Network
    from bpttcli.engine.scaled import Scaled
    from bpttcli.engine.unroll import Trajectory, unroll
    from bpttcli.errors import InputError, RunError
    from bpttcli.experiment.build import build
    from bpttcli.experiment.load import load
    from bpttcli.experiment.schema import Experiment
    from bpttcli.experiment.training import build_run
    from bpttcli.models.initialise import initialise
    from bpttcli.truncation.clipping import Limits, clip
    from bpttcli.truncation.estimate import Estimate, estimate
    from bpttcli.truncation.registry import estimator_named

# Loaded on first use: what asks only for the version, or for help, needs no NumPy.
_HOMES = {
    "Adjoints": "engine.backpropagate",
    "Comparing": "diagnostics.comparing",
    "Comparison": "diagnostics.compare_truncation",
    "CrossEntropy": "engine.losses",
    "Estimate": "truncation.estimate",
    "Experiment": "experiment.schema",
    "GradientNorms": "diagnostics.gradient_norms",
    "InputError": "errors",
    "Limits": "truncation.clipping",
    "Network": "engine.network",
    "Probe": "engine.losses",
    "RunError": "errors",
    "Scaled": "engine.scaled",
    "SquaredError": "engine.losses",
    "TargetBias": "diagnostics.target_bias",
    "Trajectory": "engine.unroll",
    "backpropagate": "engine.backpropagate",
    "build": "experiment.build",
    "build_run": "experiment.training",
    "cell_named": "engine.cells",
    "clip": "truncation.clipping",
    "compare_truncation": "diagnostics.compare_truncation",
    "estimate": "truncation.estimate",
    "estimator_named": "truncation.registry",
    "grad_norms": "diagnostics.gradient_norms",
    "initialise": "models.initialise",
    "load": "experiment.load",
    "target_bias": "diagnostics.target_bias",
    "target_weights": "engine.losses",
    "unroll": "engine.unroll",
}

__all__ = [
    "Adjoints",
    "Comparing",
    "Comparison",
    "CrossEntropy",
    "Estimate",
    "Experiment",
    "GradientNorms",
    "InputError",
    "Limits",
    "Network",
    "Probe",
    "RunError",
    "Scaled",
    "SquaredError",
    "TargetBias",
    "Trajectory",
    "__version__",
    "backpropagate",
    "build",
    "build_run",
    "cell_named",
    "clip",
    "compare_truncation",
    "estimate",
    "estimator_named",
    "grad_norms",
    "initialise",
    "load",
    "target_bias",
    "target_weights",
    "unroll",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bpttcli' has no attribute '{name}'")
    return getattr(import_module(f"bpttcli.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
