"""One update after the other: a batch, its gradient, a clip, the optimiser."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from bpttcli.engine.scaled import Array, Scaled, norms
from bpttcli.engine.unroll import States, Trajectory, unroll
from bpttcli.errors import RunError
from bpttcli.record import Record
from bpttcli.training import trouble
from bpttcli.training.feed import Batch, Feed, generator
from bpttcli.training.optimisers import Optimiser
from bpttcli.training.parameters import Parameters
from bpttcli.training.plain_gradient import gradient as plain_gradient
from bpttcli.training.schedules import Schedule
from bpttcli.training.trouble import Trouble
from bpttcli.truncation.clipping import Limits, clip
from bpttcli.truncation.estimator import Estimator

#: Spawn key of the estimator's cuts.
CUTS = 7
# A loss this many times the one to compare with has exploded, though it is finite.
_EXPLODED = 1e10

# The name of all trained parameters together.
_ALL = ""

Policy = Literal["stop", "skip", "backoff"]


class Done(NamedTuple):
    """What one update did.

    Attributes
    ----------
    loss : float
        L of its batch, before it.
    norm, clipped_norm : float
        ‖g‖ before and after clipping.
    clip_factor, clip_cosine : float
    fired : bool
        Whether a clip changed anything.
    """

    loss: float
    norm: float
    clipped_norm: float
    clip_factor: float
    clip_cosine: float
    fired: bool


class Good(Record, frozen=True):
    """A state that the run can go back to."""

    theta: Array
    optimiser: dict[str, Array]
    states: States | None


class Updates:
    """Carries out updates, and undoes those that diverge.

    Parameters
    ----------
    parameters : Parameters
    optimiser : Optimiser
    schedule : Schedule
    feed : Feed
    estimator : Estimator
        Of the gradient.
    limits : Limits
        Of the gradient, over the trained parameters.
    seed : int
        The experiment's.
    policy : {'stop', 'skip', 'backoff'}
        What an update that diverges leads to; but for ``stop`` it is as if it had not been.
    baseline : float or None
        The loss of a guess; the first loss takes its place where there is none.
    """

    def __init__(
        self,
        parameters: Parameters,
        optimiser: Optimiser,
        schedule: Schedule,
        feed: Feed,
        estimator: Estimator,
        limits: Limits,
        *,
        seed: int,
        policy: Policy = "stop",
        baseline: float | None = None,
    ) -> None:
        self.parameters, self.optimiser, self.feed = parameters, optimiser, feed
        self.policy = policy
        self._schedule, self._estimator, self._limits = schedule, estimator, limits
        self._seed, self._baseline = seed, baseline
        self._g = np.empty(parameters.size)
        self._before = np.empty(parameters.size)
        #: What backing off goes back to: the state before the last update that was carried out.
        self.good: Good | None = None
        self._is_exact = estimator.label == "full"

    def rate(self, update: int, factor: float = 1.0) -> float:
        """The learning rate of an update."""
        return factor * self._schedule.rate(update)

    def carry_out(
        self,
        update: int,
        *,
        factor: float = 1.0,
        first_loss: float | None = None,
        norm_before: float | None = None,
    ) -> Done | Trouble:
        """Carry out one update, or find where it diverges and undo it.

        Parameters
        ----------
        update : int
            From 1.
        factor : float
            On the learning rate.
        first_loss : float, optional
            Of update 1.
        norm_before : float, optional
            Of the gradient of the update before.
        """
        with np.errstate(all="ignore"):
            batch = self.feed.batch(update)
            network, theta, g = self.parameters.network, self.parameters.theta, self._g
            try:
                trajectory = unroll(network, batch.x, batch.start)
                loss, done = self._gradient(trajectory, batch, update)
            except RunError:
                return self._refuse(trouble.in_forward_pass(network, batch, update, self.policy))
            if self._has_exploded(loss, first_loss):
                return self._refuse(trouble.in_forward_pass(network, batch, update, self.policy))
            if done is None:
                found = trouble.in_gradient(
                    self.parameters, g, trajectory, batch, norm_before, update, self.policy
                )
                return self._refuse(found)
            kept = self._snapshot() if self.policy != "stop" else None
            np.copyto(self._before, theta)
            self.optimiser.step(theta, g, self.rate(update, factor))
            if not np.isfinite(theta.sum()) and not np.isfinite(theta).all():
                found = trouble.in_parameters(self.parameters, self._before, update, self.policy)
                np.copyto(theta, self._before)
                if kept is not None:
                    self.optimiser.load(kept.optimiser)
                return self._refuse(found, restored=True)
            self.good = kept
            self.feed.passed(trajectory)
            return done

    def _gradient(
        self, trajectory: Trajectory, batch: Batch, update: int
    ) -> tuple[float, Done | None]:
        """Leave the clipped gradient in `_g`; None where it is not finite."""
        edges = None
        if not self._is_exact:
            targets = np.asarray((batch.objective.weights > 0).any(axis=1))
            edges = self._estimator.edges(targets, generator(self._seed, CUTS, update))
        found = plain_gradient(trajectory, batch.objective, edges)
        loss, g = float(found.loss.mean()), self._g
        self.parameters.gather(found.gradient, g)
        if batch.factor != 1.0:
            g *= batch.factor
        norm = float(norms(g).value)
        if np.isfinite(norm) or np.isfinite(g).all():
            if not self._limits.active:
                return loss, Done(loss, norm, norm, 1.0, 1.0, False)
            # As one row of numbers a clip takes a fraction of the time.
            return loss, self._clipped({_ALL: Scaled.of(g)}, loss)
        if not self._limits.active:
            return loss, None
        # What leaves float64's range may still be finite, and shorter once it is clipped.
        gradient = {
            name: Scaled(
                found.gradient[name].mantissa * batch.factor, found.gradient[name].exponent
            )
            for name in self.parameters.trained
        }
        try:
            return loss, self._clipped(gradient, loss)
        except RunError:
            return loss, None

    def _clipped(self, gradient: dict[str, Scaled], loss: float) -> Done:
        """Clip a gradient, of all parameters by name or all as one, and leave it in `_g`."""
        clipped = clip(gradient, self._limits)
        if _ALL in gradient:
            np.copyto(self._g, clipped.gradient[_ALL].value)
        else:
            self.parameters.gather(clipped.gradient, self._g)
        sizes = float(clipped.norm.value), float(clipped.clipped_norm.value)
        return Done(loss, *sizes, clipped.factor, clipped.cosine, clipped.fired)

    def _has_exploded(self, loss: float, first_loss: float | None) -> bool:
        """Whether a loss is not finite, or far above the baseline."""
        if not np.isfinite(loss):
            return True
        reference = abs(self._baseline or first_loss or 0.0)
        return reference > 0 and loss > _EXPLODED * reference

    def _snapshot(self) -> Good:
        """Copy all that an update changes."""
        state = {name: value.copy() for name, value in self.optimiser.state.items()}
        return Good(self.parameters.theta.copy(), state, self.feed.states)

    def _refuse(self, found: Trouble, *, restored: bool = False) -> Trouble:
        """Undo what led to the trouble, as far as the policy asks for it."""
        if self.policy == "backoff" and not restored and self.good is not None:
            np.copyto(self.parameters.theta, self.good.theta)
            self.optimiser.load(self.good.optimiser)
            self.feed.states = self.good.states
        elif self.policy != "stop":
            # A state that was carried here may be what exploded.
            self.feed.reset()
        return found
