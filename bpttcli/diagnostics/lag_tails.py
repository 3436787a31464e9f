"""What lies beyond each lag, where the loss stands at one step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpttcli.diagnostics.state_adjoint import state_adjoint
from bpttcli.engine.edges import Edges
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Exponents, Scaled, exponent_of, norms, outside, shift
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Input, Trajectory, Window
from bpttcli.errors import InputError
from bpttcli.record import Record

# Steps whose terms are added up in one go: within them no sum needs an exponent of its own.
_CHUNK = 64
# Below this share of its terms a sum of products has cancelled too far for Gram matrices.
_CANCELLED = 1e-3


class Tail(Record, frozen=True):
    """Of one parameter, R_j = Σ_{k≥j} w_k: what crosses j steps or more.

    Parameters
    ----------
    norm : Scaled of shape (τ,)
        ‖R_j‖ for j = 0 … τ − 1.
    term : Scaled of shape (τ,)
        ‖w_k‖ for k = 0 … τ − 1.
    """

    norm: Scaled
    term: Scaled


class LagTails:
    """The terms w_k of a gradient whose loss stands at step τ, by the steps k they cross.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
        With its targets at one step.
    edges : Edges, optional
        One row of them, on the way back; everything passes unless given.

    Raises
    ------
    InputError
        The loss stands at more than one step.
    """

    def __init__(
        self, trajectory: Trajectory, objective: Objective, edges: Edges | None = None
    ) -> None:
        targets = np.flatnonzero((objective.weights > 0).any(axis=1))
        if len(targets) != 1:
            raise InputError("must stand at one step", key="loss.at")
        self._trajectory = trajectory
        self.lags = int(targets[0]) + 1
        self._parts: dict[str, list[tuple[Scaled, Input]]] = {}
        self._measured: dict[str, Tail] = {}
        self._states: list[Scaled] = []
        # Biases that were fed the same: one measurement does for both.
        self._twins: dict[str, str] = {}
        self._sweep(objective, edges)

    @property
    def names(self) -> list[str]:
        """The parameters that have tails: all but the readout's."""
        return list(self._parts)

    @property
    def states(self) -> Scaled:
        """‖∂ℓ/∂(all states)‖ by lag, the mean over the batch: (τ,)."""
        parts = [part.mean(axis=1) for part in self._states]
        mantissa = np.concatenate([part.mantissa[::-1] for part in parts])
        return Scaled(mantissa, np.concatenate([part.exponent[::-1] for part in parts]))

    def of(self, name: str) -> Tail:
        """Measure the tails of one parameter."""
        name = self._twins.get(name, name)
        if name not in self._measured:
            # A state that has overflowed makes tails that are no numbers, and no noise.
            with np.errstate(all="ignore"):
                self._measured[name] = self._measure(name)
        return self._measured[name]

    def along(self, name: str, direction: Scaled) -> Scaled:
        """⟨R_j, d⟩ of one parameter, j = 0 … τ − 1.

        Parameters
        ----------
        name : str
        direction : Scaled
            d, of the parameter's shape.
        """
        along, at = _blank(self.lags), 0
        total, level = 0.0, 0
        for rows, unit, new in self._chunks(name):
            d = direction.mantissa.reshape(rows.shape[2], unit.shape[2])
            top = max(level, new) if total else new
            with np.errstate(all="ignore"):
                each = np.einsum("tnd,tnd->t", rows, np.dot(unit, d.T))
                inner = np.cumsum(shift(each, new - top))
                inner += float(shift(np.array(total), level - top))
            exponent = top + direction.exponent.reshape(-1)[0]
            _put(along, slice(at, at + len(rows)), Scaled.of(inner), exponent)
            total, level, at = float(inner[-1]), top, at + len(rows)
        return self._by_lag(along)

    def _measure(self, name: str) -> Tail:
        """Add the terms up from step 1 on, so that small tails keep their digits."""
        norm, term = _blank(self.lags), _blank(self.lags)
        level, total, at = 0, None, 0
        for unit_rows, unit, new in self._chunks(name):
            if total is None:
                total = np.zeros((unit_rows.shape[2], unit.shape[2]))
            top = max(level, new) if total.any() else new
            rows, total = shift(unit_rows, new - top), shift(total, level - top)
            those = slice(at, at + len(rows))
            sizes = _by_gram(rows, unit, total) if self._trajectory.batch == 1 else None
            if sizes is None:
                sizes = _by_matrix(rows, unit, total)
            _put(norm, those, sizes[0], top)
            _put(term, those, sizes[1], top)
            total = total + np.tensordot(rows, unit, ([0, 1], [0, 1]))
            level, at = top, at + len(rows)
        return Tail(self._by_lag(norm), self._by_lag(term))

    def _chunks(self, name: str) -> Iterator[tuple[Array, Array, int]]:
        """Yield δ and u of a few steps after the other, near 1, with their exponent."""
        for delta, fed in self._parts[name]:
            for first in range(0, len(fed), _CHUNK):
                chunk = slice(first, first + _CHUNK)
                yield _unit(Scaled(delta.mantissa[chunk], delta.exponent[chunk]), fed[chunk])

    def _by_lag(self, by_step: Scaled) -> Scaled:
        """Turn sums over a batch, step by step, into means by lag."""
        order = slice(None, None, -1)
        mantissa = by_step.mantissa[order] / self._trajectory.batch
        return Scaled(mantissa, by_step.exponent[order])

    def _sweep(self, objective: Objective, edges: Edges | None) -> None:
        """Run the sweep, and keep δ and what was fed, from step 1 to τ."""
        trajectory = self._trajectory
        sweep = Sweep(trajectory.network, trajectory.batch)
        kept: list[dict[str, tuple[Scaled, Input]]] = []
        for whole in trajectory.windows():
            if whole.start >= self.lags:
                continue
            window = whole.part(0, min(whole.stop, self.lags) - whole.start)
            top = window.tapes[-1].states[0][1:]
            with np.errstate(all="ignore"):
                source = objective.source(trajectory.network, top, window.start, window.stop)
            entering = None if source.hidden is None else source.hidden[:, None]
            passing = None if edges is None else edges.passing(window.start, window.stop)
            layers = sweep.through(window, entering, passing)
            self._states.append(state_adjoint(layers)[:, 0])
            found: dict[str, tuple[Scaled, Input]] = {}
            for k, swept in enumerate(layers):
                delta, own = swept.deltas(trajectory.network.cell, window.tapes[k])
                found |= self._fed(window, k, delta, own)
                if own is delta and f"bias_ih_l{k}" in found:
                    self._twins[f"bias_hh_l{k}"] = f"bias_ih_l{k}"
            kept.append(found)
        for name in kept[0]:
            self._parts[name] = [found[name] for found in reversed(kept)]

    def _fed(
        self, window: Window, k: int, delta: Scaled, own: Scaled
    ) -> dict[str, tuple[Scaled, Input]]:
        """What a layer's parameters were fed."""
        layer = self._trajectory.network.layers[k]
        before = window.tapes[k].states[0][:-1]
        ones = np.ones((*before.shape[:2], 1))
        fed = self._trajectory.layer_input(window, k)
        if fed.ndim == 2:
            fed = np.eye(layer.A.shape[1])[fed]
        found: dict[str, tuple[Scaled, Input]] = {
            f"weight_ih_l{k}": (delta, fed),
            f"weight_hh_l{k}": (own, before),
        }
        if layer.bias_ih is not None:
            found[f"bias_ih_l{k}"] = (delta, ones)
        if layer.bias_hh is not None:
            found[f"bias_hh_l{k}"] = (own, ones)
        return found


def _unit(delta: Scaled, fed: Array) -> tuple[Array, Array, int]:
    """Bring δ (n, N, D) and u (n, N, I) of a few steps near 1, under one exponent for all."""
    with np.errstate(all="ignore"):
        found = norms(fed)
        size = (found.exponent + exponent_of(found.mantissa))[..., None]
        exponent = np.broadcast_to(delta.exponent, size.shape) + size
        aligned = Scaled(delta.mantissa * (found.mantissa != 0)[..., None], exponent).aligned()
        level = int(aligned.exponent.reshape(-1)[0])
        return aligned.mantissa, shift(fed, -size), level


def _by_matrix(rows: Array, unit: Array, total: Array) -> tuple[Scaled, Scaled]:
    """‖total + Σ_{i≤t} w_i‖ and ‖w_t‖ of each step, from the matrices themselves."""
    terms = np.matmul(rows.transpose(0, 2, 1), unit)
    sums = np.cumsum(terms, axis=0)
    sums += total
    return norms(sums.reshape(len(sums), -1)), norms(terms.reshape(len(sums), -1))


def _by_gram(rows: Array, unit: Array, total: Array) -> tuple[Scaled, Scaled] | None:
    """The same of a single sequence without the matrices; None where the terms cancel."""
    d, u = rows[:, 0], unit[:, 0]
    inner = np.dot(d, d.T) * np.dot(u, u.T)
    own = inner.diagonal()
    # Each step adds its square, and twice its product with all that was there before.
    before = np.tril(inner, -1).sum(axis=1) + np.einsum("td,td->t", d, np.dot(u, total.T))
    squares = np.vdot(total, total) + np.cumsum(own + 2.0 * before)
    bound = np.vdot(total, total) + np.cumsum(own + 2.0 * np.abs(before))
    if not (squares > _CANCELLED * bound).all() or outside(squares).any():
        return None
    return Scaled.of(np.sqrt(squares)), Scaled.of(np.sqrt(own))


def _blank(size: int) -> Scaled:
    return Scaled(np.zeros(size), np.zeros(size, dtype=np.int64))


def _put(whole: Scaled, those: slice, part: Scaled, level: int | Exponents) -> None:
    whole.mantissa[those] = part.mantissa
    whole.exponent[those] = part.exponent + level
