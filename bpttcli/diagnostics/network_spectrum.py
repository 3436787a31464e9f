"""What B tells of a network, and what it does not: both sides in one result."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bpttcli.diagnostics.spectrum import DEFAULT_POWERS, MatrixSpectrum, spectrum_of
from bpttcli.diagnostics.textbook_rule import Rates, Rule, judge_rule
from bpttcli.diagnostics.trajectory_spectrum import TrajectorySpectrum
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.record import Record


class Block(Record, frozen=True):
    """One recurrent matrix: of a layer, or of one of its gates.

    Parameters
    ----------
    layer : int
        From 0, the lowest.
    gate : str or None
        Name of the gate; None for an Elman cell.
    spectrum : MatrixSpectrum
    """

    layer: int
    gate: str | None
    spectrum: MatrixSpectrum


class NetworkSpectrum(Record, frozen=True):
    """The spectrum of every B, and of the product of the Jacobians.

    Parameters
    ----------
    blocks : tuple of Block
    leak : float or None
        The blocks are those of leaky units, (1 − leak)·1 + leak·B.
    trajectory : TrajectorySpectrum or None
        None for a bare matrix, and for leaky units.
    rule : Rule or None
        Whether ρ(B) tells what the gradient does; None without an exponent.
    warnings : tuple of str
        Doubts about the figures, each with a next step.
    """

    blocks: tuple[Block, ...]
    leak: float | None = None
    trajectory: TrajectorySpectrum | None = None
    rule: Rule | None = None
    warnings: tuple[str, ...] = ()


def leaky(B: Array, leak: float | None) -> Array:
    """Give the matrix that counts for h ← (1−a)h + a φ(B h): (1−a)·1 + a·B.

    Parameters
    ----------
    B : (n, n) array
    leak : float or None
        a; None leaves B as it is.

    Raises
    ------
    InputError
        a is not in (0, 1].
    """
    if leak is None:
        return B
    if not 0 < leak <= 1:
        raise InputError(f"must be above 0 and at most 1, got {leak:g}", key="leak")
    return np.asarray((1.0 - leak) * np.eye(len(B)) + leak * B)


def block_spectra(
    network: Network,
    *,
    leak: float | None = None,
    powers: Sequence[int] = DEFAULT_POWERS,
    full: bool = False,
    top: int | None = None,
) -> tuple[Block, ...]:
    """Examine B of every layer, gate by gate.

    Parameters
    ----------
    network : Network
    leak : float, optional
        Of leaky units; Elman cells alone have them.
    powers, full, top
        As for `spectrum_of`.

    Returns
    -------
    tuple of Block

    Raises
    ------
    InputError
        As `spectrum_of` and `leaky`, or leaky units with gates.
    """
    gates = network.cell.gates
    if leak is not None and len(gates) > 1:
        raise InputError(f"must not be given: a {network.cell.name} cell has gates", key="leak")
    blocks = []
    for k, layer in enumerate(network.layers):
        for gate, B in zip(gates, np.split(layer.B, len(gates)), strict=True):
            spectrum = spectrum_of(leaky(B, leak), powers=powers, full=full, top=top)
            blocks.append(Block(k, gate or None, spectrum))
    return tuple(blocks)


def network_spectrum(
    network: Network, blocks: tuple[Block, ...], trajectory: TrajectorySpectrum
) -> NetworkSpectrum:
    """Put both sides together and say whether the textbook rule holds.

    Parameters
    ----------
    network : Network
    blocks : tuple of Block
        Of that network.
    trajectory : TrajectorySpectrum
        Of a run of it.

    Returns
    -------
    NetworkSpectrum
    """
    rule = None
    if trajectory.lyapunov is not None:
        steepest = max((block.spectrum for block in blocks), key=lambda s: s.spectral_radius)
        growth = steepest.growth
        rule = judge_rule(
            Rates(
                cell=network.cell.name,
                gated=len(network.cell.gates) > 1,
                spectral_radius=steepest.spectral_radius,
                spectral_norm=max(block.spectrum.spectral_norm for block in blocks),
                exponent=float(trajectory.lyapunov.exponents[0]),
                standard_error=float(trajectory.lyapunov.standard_error[0]),
                slope=trajectory.slopes.mean,
                saturated=trajectory.slopes.saturated,
                peak=None
                if growth is None or growth.k == 0
                else (float(growth.norm.value), growth.k),
            )
        )
    warnings: tuple[str, ...] = ()
    if trajectory.products is None:
        warnings = (
            "the singular values of the Jacobian product were skipped, as there are more than "
            "500 states: --full computes them",
        )
    return NetworkSpectrum(blocks, None, trajectory, rule, warnings)


def log_spectral_radius(blocks: tuple[Block, ...]) -> float | None:
    """The logarithm ln ρ(B), the largest of all layers; None with gates, which have no single B.

    Parameters
    ----------
    blocks : tuple of Block
    """
    if any(block.gate is not None for block in blocks):
        return None
    radius = max(block.spectrum.spectral_radius for block in blocks)
    return math.log(radius) if radius > 0 else -math.inf
