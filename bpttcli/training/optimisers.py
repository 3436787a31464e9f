"""The optimisers, as PyTorch defines them, on all trained parameters as one row of numbers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError, nearest

# What PyTorch takes where nothing is said, but for the momentum of 0, which would be no momentum.
_MOMENTUM, _BETA1, _BETA2, _ALPHA, _EPS = 0.9, 0.9, 0.999, 0.99, 1e-8
_DECAY_OF_ADAMW = 0.01


class Optimiser(ABC):
    """Turns gradients into updates of P parameters θ, given as one array.

    Parameters
    ----------
    size : int
        P.

    Attributes
    ----------
    state : dict of str to array
        All that it remembers from update to update; a checkpoint holds copies of these.
    """

    #: What `state` holds, an array (P,) each.
    buffers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, size: int) -> None:
        self.state: dict[str, Array] = {name: np.zeros(size) for name in self.buffers}
        self.state["updates"] = np.zeros(1)
        self._work = np.empty(size)

    def step(self, theta: Array, g: Array, lr: float) -> None:
        """Carry out one update.

        Parameters
        ----------
        theta : (P,) array
            The parameters; overwritten.
        g : (P,) array
            The gradient; may be overwritten.
        lr : float
            The learning rate of this update.
        """
        self.state["updates"] += 1
        self._move(theta, g, lr)

    @abstractmethod
    def _move(self, theta: Array, g: Array, lr: float) -> None:
        """Change θ and the buffers."""

    def load(self, state: Mapping[str, Array]) -> None:
        """Take over a state, as `state` once held it; nothing of it where it does not fit.

        Raises
        ------
        InputError
            It is that of another optimiser, or of a network of another size.
        """
        for name, mine in self.state.items():
            if name not in state or state[name].shape != mine.shape:
                raise InputError("cannot go on from a state of another optimiser or network")
        for name, mine in self.state.items():
            mine[...] = state[name]


class SGD(Optimiser):
    """θ ← θ − lr·v with v ← μv + g, and for Nesterov's form θ ← θ − lr·(g + μv).

    Without momentum μ, v is g. Weight decay adds λθ to g first.

    Parameters
    ----------
    size : int
    momentum : float
        μ.
    nesterov : bool
    weight_decay : float
        λ.
    """

    buffers = ("velocity",)

    def __init__(
        self,
        size: int,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(size)
        self._momentum, self._nesterov, self._decay = momentum, nesterov, weight_decay

    def _move(self, theta: Array, g: Array, lr: float) -> None:
        work, v = self._work, self.state["velocity"]
        _decay(g, theta, self._decay, work)
        if self._momentum:
            v *= self._momentum
            v += g
            if self._nesterov:
                np.multiply(v, self._momentum, out=work)
                g += work
            else:
                g = v
        np.multiply(g, lr, out=work)
        theta -= work


class RMSProp(Optimiser):
    """θ ← θ − lr·g/(√s + ε) with s ← αs + (1−α)g² (Tieleman & Hinton 2012, lecture 6.5).

    With momentum μ, θ ← θ − lr·v with v ← μv + g/(√s + ε). Weight decay adds λθ to g first.

    Parameters
    ----------
    size : int
    alpha, eps, momentum, weight_decay : float
        α, ε, μ, λ.
    """

    buffers = ("square", "velocity")

    def __init__(
        self,
        size: int,
        *,
        alpha: float = _ALPHA,
        eps: float = _EPS,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(size)
        self._alpha, self._eps = alpha, eps
        self._momentum, self._decay = momentum, weight_decay

    def _move(self, theta: Array, g: Array, lr: float) -> None:
        work, s, v = self._work, self.state["square"], self.state["velocity"]
        _decay(g, theta, self._decay, work)
        _average_of_squares(s, g, self._alpha, work)
        np.sqrt(s, out=work)
        work += self._eps
        np.divide(g, work, out=work)
        if self._momentum:
            v *= self._momentum
            v += work
            np.copyto(work, v)
        work *= lr
        theta -= work


class Adam(Optimiser):
    """θ ← θ − lr·m̂/(√ŝ + ε) (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1).

    m ← β₁m + (1−β₁)g, s ← β₂s + (1−β₂)g²; at update n, m̂ = m/(1−β₁ⁿ) and ŝ = s/(1−β₂ⁿ).
    Weight decay adds λθ to g first; decoupled it takes lr·λθ from θ instead, which is AdamW
    (Loshchilov & Hutter 2019, arXiv:1711.05101).

    Parameters
    ----------
    size : int
    beta1, beta2, eps, weight_decay : float
        β₁, β₂, ε, λ.
    decoupled : bool
    """

    buffers = ("mean", "square")

    def __init__(
        self,
        size: int,
        *,
        beta1: float = _BETA1,
        beta2: float = _BETA2,
        eps: float = _EPS,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(size)
        self._beta1, self._beta2, self._eps = beta1, beta2, eps
        self._decay, self._decoupled = weight_decay, decoupled

    def _move(self, theta: Array, g: Array, lr: float) -> None:
        work, m, s = self._work, self.state["mean"], self.state["square"]
        n = float(self.state["updates"][0])
        if self._decoupled:
            theta *= 1.0 - lr * self._decay
        else:
            _decay(g, theta, self._decay, work)
        _average_of_squares(s, g, self._beta2, work)
        # m + (1 − β₁)(g − m), as PyTorch has it
        g -= m
        g *= 1.0 - self._beta1
        m += g
        np.sqrt(s, out=work)
        work /= math.sqrt(1.0 - self._beta2**n)
        work += self._eps
        np.divide(m, work, out=work)
        work *= lr / (1.0 - self._beta1**n)
        theta -= work


#: The names of the optimisers; momentum and Nesterov are forms of SGD, AdamW of Adam.
OPTIMISERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")


def optimiser_named(
    name: str,
    size: int,
    *,
    momentum: float | None = None,
    weight_decay: float | None = None,
    beta1: float = _BETA1,
    beta2: float = _BETA2,
    alpha: float = _ALPHA,
    eps: float = _EPS,
) -> Optimiser:
    """Make an optimiser.

    Parameters
    ----------
    name : str
        One of `OPTIMISERS`.
    size : int
        Number of trained parameters P.
    momentum : float, optional
        0.9 for ``momentum`` and ``nesterov``, else 0; ``sgd`` with one is ``momentum``.
    weight_decay : float, optional
        0.01 for ``adamw``, else 0.
    beta1, beta2, alpha, eps : float
        Of those that have them.

    Raises
    ------
    InputError
        There is none of that name.
    """
    if name in ("sgd", "momentum", "nesterov"):
        default = 0.0 if name == "sgd" else _MOMENTUM
        return SGD(
            size,
            momentum=default if momentum is None else momentum,
            nesterov=name == "nesterov",
            weight_decay=weight_decay or 0.0,
        )
    if name == "rmsprop":
        return RMSProp(
            size,
            alpha=alpha,
            eps=eps,
            momentum=momentum or 0.0,
            weight_decay=weight_decay or 0.0,
        )
    if name in ("adam", "adamw"):
        decoupled = name == "adamw"
        default = _DECAY_OF_ADAMW if decoupled else 0.0
        return Adam(
            size,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=default if weight_decay is None else weight_decay,
            decoupled=decoupled,
        )
    message = f"must be an optimiser, got '{name}': {nearest(name, OPTIMISERS)}"
    raise InputError(message, key="train.optimizer")


def _decay(g: Array, theta: Array, weight_decay: float, work: Array) -> None:
    """Add λθ to g."""
    if weight_decay:
        np.multiply(theta, weight_decay, out=work)
        g += work


def _average_of_squares(s: Array, g: Array, beta: float, work: Array) -> None:
    """Let s forget by β what it was, and take in g²."""
    s *= beta
    np.multiply(g, g, out=work)
    work *= 1.0 - beta
    s += work
