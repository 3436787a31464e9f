"""What the engine asks of a cell, and nothing else about it."""

from __future__ import annotations

from typing import Protocol

from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import Array
from bpttcli.record import Record


class Tape(Record, frozen=True):
    """What one layer keeps of the forward pass over a window of n steps.

    Parameters
    ----------
    states : tuple of (n+1, N, H) arrays
        One for each of the cell's states, the hidden state first. Entry 0 stands before
        the window, entry i after its i-th step.
    slopes : tuple of (n, N, ...) arrays
        The cell's linearisation: all that its backward step needs.
    gates : tuple of (n, N, H) arrays
        What each logistic gate lets through, in the order of the cell's `logistic`.
    """

    states: tuple[Array, ...]
    slopes: tuple[Array, ...]
    gates: tuple[Array, ...] = ()


class Cell(Protocol):
    """A recurrent cell: its step forward, its step backward, its names.

    The step is written as drive_t = A x_t + b and the product B h_{t-1}, followed by functions
    of single units; J_t is its Jacobian, ∂(states of t)/∂(states of t−1).
    """

    name: str
    gates: tuple[str, ...]
    """Names of the row blocks of A and B; one unnamed block for an Elman cell."""
    states: tuple[str, ...]
    """Names of what a unit carries from step to step, the hidden state ``h`` first; the one
    that `carry` multiplies last."""
    logistic: tuple[str, ...]
    """Names of the gates that are logistic, σ(a); none for an Elman cell."""
    carry: str | None
    """Name of the gate that multiplies a unit's own past: a path that does not lead through B."""
    entry: str | None
    """Name of the gate that lets in what `carry` is to keep, where it is a gate of its own."""

    def drive_bias(self, layer: Layer) -> Array | None:
        """Sum the biases that add to A x_t: (G·H,), or None without any."""
        ...

    def advance(self, drive: Array, layer: Layer, start: tuple[Array, ...]) -> Tape:
        """Run forward over a window.

        Parameters
        ----------
        drive : (n, N, G·H) array
            A x_t + b for every step; overwritten.
        layer : Layer
        start : tuple of (N, H) arrays
            The states before the window.
        """
        ...

    def retreat(
        self,
        slopes: tuple[Array, ...],
        layer: Layer,
        adjoint: tuple[Array, ...],
        delta: Array,
        inject: Array | None,
        edges: Array | None,
    ) -> None:
        """Run the adjoint backward over n steps, in place.

        Parameters
        ----------
        slopes : tuple of (n, N, H) arrays
            As on the tape.
        layer : Layer
        adjoint : tuple of (n+1, R, N, H) arrays
            One for each state. On entry, entry n is what reaches the last step from later
            ones; on return, entry i is the adjoint after step i, all paths, and entry 0 is
            what reaches the step before the window. R rows share one trajectory.
        delta : (n, R, N, G·H) array
            On return ∂ℓ_n/∂(A x_t).
        inject : (n, R′, N, H) array or None
            The hidden adjoint that comes from outside the recurrence into the first R′ ≤ R
            rows: this step's output, the layer above.
        edges : (n, R, 1, 1) array or None
            Factor on what passes from a step to the one before it (0 is a cut).
        """
        ...

    def carry_back(
        self,
        slopes: tuple[Array, ...],
        adjoint: tuple[Array, ...],
        delta: Array,
        inject: Array | None,
        edges: Array | None,
    ) -> None:
        """Run backward by the cell's own path alone, as if B were zero, in place.

        The parameters are those of `retreat`. Only a cell with a `carry` gate has this.
        """
        ...

    def recurrent_delta(self, tape: Tape, delta: Array) -> Array:
        """∂ℓ_n/∂(B h_{t-1}), given ∂ℓ_n/∂(A x_t): (n, N, G·H) both, the same for most cells."""
        ...

    def saturated(self, tape: Tape) -> Array:
        """Share of saturated units in each step: (n,) array from 0 to 1."""
        ...

    def mean_slope(self, tape: Tape) -> Array | None:
        """Mean |φ′(a_t)| of each step: (n,) array; None for a cell with more than one φ."""
        ...

    def jacobian(self, tape: Tape, layer: Layer, index: int, sequence: int) -> tuple[Array, Array]:
        """Linearise one step of one sequence.

        Parameters
        ----------
        tape : Tape
        layer : Layer
        index : int
            Of the step in the window, from 0.
        sequence : int
            Of the batch, from 0.

        Returns
        -------
        recurrent : (S·H, S·H) array
            J_t: the states after the step by the states before it, both in the cell's order.
        fed : (S·H, I) array
            The states after the step by what it was fed.
        """
        ...
