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
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bpttcli._version import __version__

if TYPE_CHECKING:
    from bpttcli.diagnostics.gradient_norms import GradientNorms, grad_norms
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

# Loaded on first use: what asks only for the version, or for help, needs no NumPy.
_HOMES = {
    "Adjoints": "engine.backpropagate",
    "CrossEntropy": "engine.losses",
    "Experiment": "experiment.schema",
    "GradientNorms": "diagnostics.gradient_norms",
    "InputError": "errors",
    "Network": "engine.network",
    "Probe": "engine.losses",
    "RunError": "errors",
    "Scaled": "engine.scaled",
    "SquaredError": "engine.losses",
    "Trajectory": "engine.unroll",
    "backpropagate": "engine.backpropagate",
    "build": "experiment.build",
    "build_run": "experiment.training",
    "cell_named": "engine.cells",
    "grad_norms": "diagnostics.gradient_norms",
    "initialise": "models.initialise",
    "load": "experiment.load",
    "target_weights": "engine.losses",
    "unroll": "engine.unroll",
}

__all__ = [
    "Adjoints",
    "CrossEntropy",
    "Experiment",
    "GradientNorms",
    "InputError",
    "Network",
    "Probe",
    "RunError",
    "Scaled",
    "SquaredError",
    "Trajectory",
    "__version__",
    "backpropagate",
    "build",
    "build_run",
    "cell_named",
    "grad_norms",
    "initialise",
    "load",
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
