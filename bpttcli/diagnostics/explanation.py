"""The chain rule, term by term: every number from which the gradient of a run is made."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.contribution_terms import Terms
from bpttcli.diagnostics.finite_difference import FiniteDifference
from bpttcli.diagnostics.repeated_factor import RepeatedFactor
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.record import Record
from bpttcli.truncation.clipping import Clipped


class Outputs(Record, frozen=True):
    """What the readout and the loss make of each step of one sequence.

    Parameters
    ----------
    target : (T,) array of bool
        The steps that carry a target.
    loss : (T,) array
        Each step's part of ℓ_n: divided by the number of target steps.
    output, slope : (T, O) array or None
        o_t and ∂ℓ_n/∂o_t; None without a readout, and slope also for a probe.
    y : (T,) array of int, (T, O) array, or None
        What was asked for where there is a target: classes, or reals; None for a probe.
    """

    target: NDArray[np.bool_]
    loss: Array
    output: Array | None
    slope: Array | None
    y: NDArray[Any] | None


class LayerSteps(Record, frozen=True):
    """One layer at every step of one sequence; time first, D = G·H.

    Parameters
    ----------
    fed : (T, I) array
        x_t, or h_t of the layer below.
    preactivation : (T, H) array or None
        a_t; None for a gated cell.
    states : tuple of (T+1, H) arrays
        One for each state of the cell; entry 0 stands before step 1.
    gates : tuple of (T, H) arrays
        What each logistic gate lets through.
    slope : (T, H) array or None
        φ′(a_t); None for a gated cell.
    through_output : Scaled of shape (T, H)
        The term of ∂ℓ_n/∂h_t through this step: o_t, or the layer above.
    through_next : tuple of Scaled of shape (T, H)
        The term of each state's adjoint through the next step, as the edges let it pass.
    uncut : tuple of Scaled of shape (T, H)
        The same if every edge passed all of it.
    adjoint : tuple of Scaled of shape (T, H)
        The sum of the terms.
    delta, own : Scaled of shape (T, D)
        ∂ℓ_n/∂(A x_t) and ∂ℓ_n/∂(B h_{t-1}): ∂ℓ_n/∂a_t both, but for a gate that acts on the
        recurrent product.
    """

    fed: Array
    preactivation: Array | None
    states: tuple[Array, ...]
    gates: tuple[Array, ...]
    slope: Array | None
    through_output: Scaled
    through_next: tuple[Scaled, ...]
    uncut: tuple[Scaled, ...]
    adjoint: tuple[Scaled, ...]
    delta: Scaled
    own: Scaled


class ParameterSum(Record, frozen=True):
    """How the gradient of one parameter comes about.

    Parameters
    ----------
    name : str
        PyTorch's.
    terms, exact : Terms
        What each step adds with the edges given, and with all of them.
    total, exact_total : Scaled
        The sums of these.
    gradient : Scaled
        The engine's ∂L/∂θ by the edges given, in one matrix product; not clipped.
    relative_error : float
        ‖total − gradient‖/‖gradient‖.
    check : FiniteDifference
        Of the entry with the largest exact gradient.
    """

    name: str
    terms: Terms
    exact: Terms
    total: Scaled
    exact_total: Scaled
    gradient: Scaled
    relative_error: float
    check: FiniteDifference


class Explanation(Record, frozen=True):
    """Every number from which the gradient of a run is made.

    States and adjoints are those of sequence 1; what a step adds to a parameter's gradient
    is the mean over the batch, as everywhere.

    Parameters
    ----------
    network : Network
    batch : int
        Number of sequences N.
    symbols : (T,) array of int or None
        Sequence 1, where it is fed as one-hot vectors.
    last_target : int
        τ of sequence 1.
    edges : (T,) array or None
        Factor on what passes from step t to t − 1; 0 is a cut. None where an edge lets some
        losses pass and cuts others.
    reached : (T,) array of int
        The first step that the loss of step t reaches; 0 where step t has no target.
    clipped : Clipped or None
        The gradient within its limits; None where there are none.
    outputs : Outputs
    layers : tuple of LayerSteps
        From the input upward.
    parameters : tuple of ParameterSum
        C first, then A, B and the biases of each layer from the top downward: the order in
        which the sweep comes by.
    repeated : RepeatedFactor
        Of the top layer.
    """

    network: Network
    batch: int
    symbols: NDArray[np.int64] | None
    last_target: int
    edges: Array | None
    reached: NDArray[np.int64]
    clipped: Clipped | None
    outputs: Outputs
    layers: tuple[LayerSteps, ...]
    parameters: tuple[ParameterSum, ...]
    repeated: RepeatedFactor

    @property
    def steps(self) -> int:
        """Number of steps T."""
        return len(self.reached)

    @property
    def cuts(self) -> list[int]:
        """The steps t ≥ 1 whose edge to step t + 1 is cut, for one loss at least."""
        if self.edges is not None:
            return [t for t in range(1, self.steps) if self.edges[t] == 0]
        return [t for t in range(1, self.steps) if self.cut_losses(t)]

    def cut_losses(self, step: int) -> list[int]:
        """The steps whose losses go back to step + 1 and no further."""
        return [int(t) + 1 for t in np.flatnonzero(self.reached == step + 1)]
