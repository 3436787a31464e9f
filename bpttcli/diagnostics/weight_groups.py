"""Which parameters meet the same derivative by a pre-activation, and what they multiply."""

from __future__ import annotations

import numpy as np

from bpttcli.diagnostics.one_step import OneStep
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.unroll import Input, Trajectory, Window
from bpttcli.record import Record


class WeightGroup(Record, frozen=True):
    """Parameters of one layer whose gradient is Σ_t δ_t u_tᵀ with the same δ.

    Parameters
    ----------
    layer : int
        From 0.
    recurrent : bool
        Whether δ is ∂ℓ/∂(B h) and not ∂ℓ/∂(A x), where they differ.
    names : tuple of tuples of str
        PyTorch's, for each u: both biases may share theirs, which is always 1.
    widths : tuple of int
        Size I of each u.
    gates : int
        Size G·H of δ.
    heard : int
        Number S_k of states of this layer and those above it.
    symbols : array of int, optional
        Those that occur, where the layer is fed symbols: the others have no variance.
    """

    layer: int
    recurrent: bool
    names: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    gates: int
    heard: int
    symbols: Input | None = None

    def by_delta(self, maps: OneStep) -> Scaled:
        """The states by δ, (n, N, G·H, S_k)."""
        return (maps.own if self.recurrent else maps.fed)[self.layer]

    def fed(self, trajectory: Trajectory, part: Window) -> list[Array]:
        """Return the u of a part of n steps, (n, N, I) each."""
        found = []
        for names in self.names:
            before = part.tapes[self.layer].states[0][:-1]
            if names[0].startswith("bias"):
                found.append(np.ones((*before.shape[:2], 1)))
            elif names[0].startswith("weight_hh"):
                found.append(before)
            else:
                u = trajectory.layer_input(part, self.layer)
                found.append(u if self.symbols is None else _one_hot(u, self.symbols))
        return found


def weight_groups(trajectory: Trajectory) -> list[WeightGroup]:
    """Group the parameters of all layers.

    Parameters
    ----------
    trajectory : Trajectory

    Returns
    -------
    list of WeightGroup
        Without the readout's.
    """
    network = trajectory.network
    first = next(trajectory.windows(backward=False)).part(0, 1)
    symbols = np.unique(trajectory.x) if trajectory.x.ndim == 2 else None
    heard = sum(len(network.cell.states) * layer.hidden for layer in network.layers)
    groups = []
    for k, layer in enumerate(network.layers):
        gates = layer.B.shape[0]
        seen = symbols if k == 0 else None
        width = layer.A.shape[1] if seen is None else len(seen)
        A, B = (f"weight_ih_l{k}", width), (f"weight_hh_l{k}", layer.hidden)
        biases = [
            f"{name}_l{k}" for name in ("bias_ih", "bias_hh") if getattr(layer, name) is not None
        ]
        delta = np.zeros((1, trajectory.batch, gates))
        if network.cell.recurrent_delta(first.tapes[k], delta) is delta:
            parts = [(False, [A, B], biases)]
        else:
            fed = [name for name in biases if name.startswith("bias_ih")]
            own = [name for name in biases if name.startswith("bias_hh")]
            parts = [(False, [A], fed), (True, [B], own)]
        for recurrent, weights, ones in parts:
            names = [(name,) for name, _ in weights] + ([tuple(ones)] if ones else [])
            widths = [size for _, size in weights] + ([1] if ones else [])
            groups.append(
                WeightGroup(k, recurrent, tuple(names), tuple(widths), gates, heard, seen)
            )
        heard -= len(network.cell.states) * layer.hidden
    return groups


def _one_hot(x: Input, symbols: Input) -> Array:
    """1 where a symbol is, (n, N, I)."""
    return np.asarray(x[..., None] == symbols, dtype=np.float64)
