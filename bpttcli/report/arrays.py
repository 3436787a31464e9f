"""A result's arrays, as an npz file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bpttcli.diagnostics.gradient_norms import GradientNorms
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array, Scaled, exponent_of
from bpttcli.files import atomic

if TYPE_CHECKING:
    from bpttcli.diagnostics.compare_truncation import Comparison


def gradient_arrays(result: GradientNorms, network: Network) -> dict[str, Array]:
    """Gradients and adjoints of L by name.

    ``grad/<parameter>``, after clipping; ``grad/<state>0`` (layers, N, H);
    ``adjoint/<state>_l<k>`` (T, N, H), 0 or ±inf where float64 ends; ``exponent/<state>_l<k>``
    (T, N), the binary exponent of the largest entry of each step and sequence (as of frexp; 0 for
    zeros), which does not end there.

    Parameters
    ----------
    result : GradientNorms
        With its adjoints kept.
    network : Network
    """
    arrays = {f"grad/{name}": value.value for name, value in result.gradient.items()}
    layers = result.adjoints.layers
    for s, state in enumerate(network.cell.states):
        if len({layer.hidden for layer in network.layers}) == 1:
            arrays[f"grad/{state}0"] = np.stack([part.start[s].value for part in layers])
        for k, part in enumerate(layers):
            if part.adjoint is None:
                continue
            batch = part.adjoint[s].mantissa.shape[1]
            of_mean = Scaled(part.adjoint[s].mantissa / batch, part.adjoint[s].exponent)
            arrays[f"adjoint/{state}_l{k}"] = of_mean.value
            size = np.abs(of_mean.mantissa).max(axis=-1)
            found = exponent_of(size) + of_mean.exponent[..., 0]
            arrays[f"exponent/{state}_l{k}"] = np.where(size == 0, 0, found)
    return arrays


def comparison_arrays(result: Comparison) -> dict[str, Array]:
    """The exact gradient, the adjoints under each estimator and the lag profile, by name.

    ``grad/<parameter>`` of L; ``adjoint/<estimator>`` (T,), the norms ‖E ĝ_t‖ of the top layer;
    ``lag/norm/<group>``, ``lag/share/<group>``, ``lag/bias/<group>`` and ``lag/adjoint`` (K,).

    Parameters
    ----------
    result : Comparison
    """
    arrays = {f"grad/{name}": value.value for name, value in result.gradient.items()}
    arrays |= {f"adjoint/{each.label}": each.adjoint.value for each in result.estimators}
    profile = result.profile
    for figure in ("norm", "share", "bias"):
        for group, values in getattr(profile, figure).items():
            arrays[f"lag/{figure}/{group}"] = values
    arrays["lag/adjoint"] = profile.adjoint.value
    return arrays


def save_arrays(arrays: dict[str, Array], path: str | Path) -> None:
    """Write arrays to an npz file, whole or not at all.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    with atomic(path) as stream, np.errstate(all="ignore"):
        np.savez(stream, **arrays)  # type: ignore[arg-type]
