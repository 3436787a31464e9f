"""Gradient norms: how large the gradient still is at every step, and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.overflow_warnings import overflow_warnings
from bpttcli.diagnostics.own_path import OwnPath, own_path
from bpttcli.diagnostics.passage import Passage, passage_of
from bpttcli.diagnostics.reach import Reach, reach_of
from bpttcli.diagnostics.verdict import Limits, Recurrence, Verdict, judge
from bpttcli.engine.backpropagate import Adjoints, LayerAdjoints
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.record import Record
from bpttcli.truncation.clipping import Clipped
from bpttcli.truncation.estimator import Estimator

PerLayer = float | dict[str, float]


class LayerNorms(Record, frozen=True):
    """Norms of one layer by step, t = 1 … T.

    Parameters
    ----------
    layer : int
        From 0, the lowest.
    hidden, hidden_min, hidden_max : Scaled of shape (T,)
        ‖∂ℓ_n/∂h_t‖: mean, smallest and largest over the batch.
    cell : Scaled of shape (T,) or None
        ‖∂ℓ_n/∂c_t‖ of an LSTM's cell state: the mean over the batch.
    propagated, cell_propagated : Scaled of shape (T,)
        `hidden` and `cell` of the last target step's part of ℓ_n alone.
    A, B : Scaled of shape (T,)
        Frobenius norms of step t's contributions to ∂L/∂A and ∂L/∂B.
    C : Scaled of shape (T,) or None
        The same for the readout; None below the top layer.
    saturated : (T,) array
        Share of saturated units.
    gates, gates_saturated : dict of str to (T,) array
        Mean of each logistic gate, and the share of its units outside [0.05, 0.95].
    carried : Scaled of shape (T,) or None
        Of the propagated adjoint of the state that carries (an LSTM's cell state, a GRU's
        hidden state), what travels by the cell's own path alone, never through B: the mean
        of its norm over the batch. None for a cell without such a path.
    """

    layer: int
    hidden: Scaled
    hidden_min: Scaled
    hidden_max: Scaled
    cell: Scaled | None
    propagated: Scaled
    cell_propagated: Scaled | None
    A: Scaled
    B: Scaled
    C: Scaled | None
    saturated: Array
    gates: dict[str, Array]
    gates_saturated: dict[str, Array]
    carried: Scaled | None


class GradientNorms(Record, frozen=True):
    """How the gradient of one loss travels back through one network.

    Parameters
    ----------
    loss : float
        L; NaN or infinite where the forward pass overflowed.
    verdict : Verdict
    reach : Reach
        Of the top layer.
    spectral_radius, spectral_norm : tuple of float or dict
        ρ(B) and σ₁(B), an entry a layer; for a gated cell of each gate's block of B, by name.
    own_path : OwnPath or None
        Of the top layer; None for a cell without one.
    passage : Passage or None
        What the estimator lets pass; None where that is everything.
    clipped : Clipped or None
        The gradient within its limits; None where there are none.
    parameters : dict of str to Scaled
        ‖∂L/∂θ‖ under PyTorch's names, after clipping.
    layers : tuple of LayerNorms
        From the lowest.
    warnings : tuple of str
        Doubts about the figures, each with a next step.
    adjoints : Adjoints
        What the figures were computed from.
    """

    loss: float
    verdict: Verdict
    reach: Reach
    spectral_radius: tuple[PerLayer, ...]
    spectral_norm: tuple[PerLayer, ...]
    own_path: OwnPath | None
    passage: Passage | None
    clipped: Clipped | None
    parameters: dict[str, Scaled]
    layers: tuple[LayerNorms, ...]
    warnings: tuple[str, ...]
    adjoints: Adjoints

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.layers[-1].saturated)

    @property
    def hidden(self) -> Array:
        """Mean ‖g_t‖ of the top layer by step, as float64."""
        return self.layers[-1].hidden.value

    @property
    def hidden_log10(self) -> Array:
        """Decimal logarithm of `hidden`, which does not end where float64 does."""
        return self.layers[-1].hidden.log10

    @property
    def gradient(self) -> dict[str, Scaled]:
        """The estimate of ∂L/∂θ under PyTorch's names, after clipping."""
        return self.adjoints.gradient if self.clipped is None else self.clipped.gradient


def grad_norms(
    network: Network,
    adjoints: Adjoints,
    *,
    epsilon: float = 0.01,
    limits: Limits | None = None,
    estimator: Estimator | None = None,
    clipped: Clipped | None = None,
) -> GradientNorms:
    """Turn adjoints into the figures that are reported.

    Parameters
    ----------
    network : Network
    adjoints : Adjoints
        Of a run of that network (`backpropagate`).
    epsilon : float
        Share of the gradient at the loss that still counts as reached by the horizon.
    limits : Limits, optional
        Where vanishing ends and exploding begins.
    estimator : Estimator, optional
        Whose edges the adjoints went by.
    clipped : Clipped, optional
        Their gradient within its limits (`clip`); adjoints are not clipped.

    Returns
    -------
    GradientNorms
    """
    with np.errstate(all="ignore"):
        top = adjoints.layers[-1]
        reach = reach_of(top.propagated[0], adjoints.last_target, epsilon)
        names = network.cell.gates
        radius = spectral_radii(network)
        norm = tuple(_per_gate(layer.B, names, _spectral_norm) for layer in network.layers)
        tau = int(adjoints.last_target.max())
        own = own_path(network.cell, top, adjoints.last_target, reach)
        passage = None
        if estimator is not None and adjoints.edges is not None:
            passage = passage_of(estimator, adjoints.edges, adjoints.last_target, reach)
        recurrence = Recurrence(
            cell=network.cell.name,
            spectral_radius=_largest(radius[-1]),
            spectral_norm=_largest(norm[-1]),
            # J_1 only leads back to the given initial state, not to a step.
            slope=float(top.slope[1:tau].mean()) if tau > 1 else float(top.slope[0]),
            saturated=float(top.saturated[:tau].mean()),
            own_path=own,
            all_zero=not any(
                state.mantissa.any() for part in adjoints.layers for state in part.norm
            ),
            dead_at=None if own else _dead_step(top, adjoints.last_target, reach),
            passage=passage,
        )
        loss = float(adjoints.loss.mean())
        last = len(adjoints.layers) - 1
        gradient = adjoints.gradient if clipped is None else clipped.gradient
        return GradientNorms(
            loss,
            judge(reach, recurrence, limits or Limits()),
            reach,
            radius,
            norm,
            own,
            passage,
            clipped,
            {name: value.norm() for name, value in gradient.items()},
            tuple(
                _layer_norms(k, part, adjoints.C if k == last else None, network.cell.logistic)
                for k, part in enumerate(adjoints.layers)
            ),
            overflow_warnings(adjoints.overflow, loss),
            adjoints,
        )


def spectral_radii(network: Network) -> tuple[PerLayer, ...]:
    """ρ(B) of each layer, from the lowest; for a gated cell of each gate's block, by name."""
    gates = network.cell.gates
    return tuple(_per_gate(layer.B, gates, _spectral_radius) for layer in network.layers)


def _spectral_radius(B: Array) -> float:
    """Largest modulus of an eigenvalue."""
    return float(np.abs(np.linalg.eigvals(B)).max())


def _spectral_norm(B: Array) -> float:
    """Largest singular value."""
    return float(np.linalg.norm(B, 2))


def _per_gate(B: Array, gates: tuple[str, ...], of: Callable[[Array], float]) -> PerLayer:
    """Take a figure of each gate's block of B, or of B where it is all one."""
    if len(gates) == 1:
        return of(B)
    blocks = np.split(B, len(gates))
    return {gate: of(block) for gate, block in zip(gates, blocks, strict=True)}


def _largest(value: PerLayer) -> float:
    """Of the gates, where there are any."""
    return max(value.values()) if isinstance(value, dict) else value


def _layer_norms(
    k: int, part: LayerAdjoints, C: Scaled | None, gates: tuple[str, ...]
) -> LayerNorms:
    """Average over the batch."""
    mean = _batch_means(part.norm)
    propagated = mean if part.propagated[0] is part.norm[0] else _batch_means(part.propagated)
    hidden, single = part.norm[0], part.norm[0].mantissa.shape[1] == 1
    return LayerNorms(
        k,
        mean[0],
        mean[0] if single else hidden.min(axis=1),
        mean[0] if single else hidden.max(axis=1),
        mean[1] if len(mean) > 1 else None,
        propagated[0],
        propagated[1] if len(mean) > 1 else None,
        part.A,
        part.B,
        C,
        part.saturated,
        dict(zip(gates, part.gates, strict=True)),
        dict(zip(gates, part.gates_saturated, strict=True)),
        None if part.carried is None else part.carried.mean(axis=1),
    )


def _batch_means(norms: tuple[Scaled, ...]) -> list[Scaled]:
    """Average the norms of each state over the batch."""
    return [norm[:, 0] if norm.mantissa.shape[1] == 1 else norm.mean(axis=1) for norm in norms]


def _dead_step(top: LayerAdjoints, last_target: NDArray[np.int64], reach: Reach) -> int | None:
    """Return the step whose units were all dead where the propagated adjoint became zero."""
    # Of sequences that end apart, no single step stands at that lag.
    if reach.zero_beyond_lag is None or (last_target != last_target[0]).any():
        return None
    step = int(last_target[0]) - reach.zero_beyond_lag
    silent = not (top.A.mantissa[step - 1] or top.B.mantissa[step - 1])
    # Steps that were fed nothing are silent too, though their units are alive.
    return step if silent and top.saturated[step - 1] > 0 else None
