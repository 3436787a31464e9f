"""The keys of ``train:``."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bpttcli.errors import InputError, nearest
from bpttcli.experiment.parameter_names import PARAMETERS, is_parameter

_ADAM = ("adam", "adamw")
# Which optimisers have which keys, beyond the weight decay of all.
_OWNERS = {
    "momentum": ("sgd", "momentum", "nesterov", "rmsprop"),
    "beta1": _ADAM,
    "beta2": _ADAM,
    "alpha": ("rmsprop",),
    "eps": ("rmsprop", *_ADAM),
}


class Schedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the learning rate changes from update to update."""

    name: Annotated[
        Literal["constant", "step", "cosine"], Meta(description="what follows the warm-up")
    ] = "constant"
    warmup: Annotated[int, Meta(ge=0, description="updates of a linear rise from 0")] = 0
    every: Annotated[int, Meta(ge=1, description="updates between two steps")] = 1000
    factor: Annotated[float, Meta(gt=0, description="what a step multiplies the rate by")] = 0.5
    floor: Annotated[float, Meta(ge=0, description="the rate at which the cosine ends")] = 0.0

    def __post_init__(self) -> None:
        """Check what one key alone cannot show.

        Raises
        ------
        InputError
            Keys of a schedule that is not the one named.
        """
        for key, owner in (("every", "step"), ("factor", "step"), ("floor", "cosine")):
            default = {"every": 1000, "factor": 0.5, "floor": 0.0}[key]
            if self.name != owner and getattr(self, key) != default:
                message = f"belongs to the schedule {owner}, got it beside {self.name}"
                raise InputError(message, key=f"train.schedule.{key}")


class Train(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the network is trained, and how the training is watched and kept."""

    optimizer: Annotated[
        Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"],
        Meta(description="the rule of an update, as PyTorch defines it"),
    ] = "adam"
    lr: Annotated[float, Meta(gt=0, description="the learning rate")] = 1e-3
    momentum: Annotated[
        Annotated[float, Meta(ge=0, lt=1)] | None,
        Meta(description="of sgd and rmsprop; null: 0.9 for momentum and nesterov, else 0"),
    ] = None
    beta1: Annotated[float, Meta(ge=0, lt=1, description="memory of adam's mean")] = 0.9
    beta2: Annotated[float, Meta(ge=0, lt=1, description="memory of adam's squares")] = 0.999
    alpha: Annotated[float, Meta(ge=0, lt=1, description="memory of rmsprop's squares")] = 0.99
    eps: Annotated[float, Meta(gt=0, description="what adam and rmsprop divide by at least")] = 1e-8
    weight_decay: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="pull of the parameters towards 0; null: 0.01 for adamw, else 0"),
    ] = None
    schedule: Annotated[Schedule, Meta(description="the course of the learning rate")] = Schedule()
    updates: Annotated[int, Meta(ge=1, description="updates after which it ends")] = 1000
    minutes: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="minutes after which it ends")
    ] = None
    target_loss: Annotated[
        float | None, Meta(description="end once the held-out loss is this small")
    ] = None
    patience: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="end after so many rows of the log without a smaller held-out loss"),
    ] = None
    only: Annotated[
        list[str] | None, Meta(description="the parameters that are trained; null: all")
    ] = None
    batch: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="sequences of an update, of those in the data; null: all of them"),
    ] = None
    carry_state: Annotated[
        bool, Meta(description="go through long sequences chunk by chunk, the state carried on")
    ] = False
    chunk: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="steps of a chunk; null: the K of fixed(K), else task.steps"),
    ] = None
    reduction: Annotated[
        Literal["mean", "sum"],
        Meta(description="whether the gradient is of the mean over the target steps or the sum"),
    ] = "mean"
    held_out: Annotated[
        float, Meta(ge=0, lt=1, description="share of a text or data set that is kept aside")
    ] = 0.1
    held_out_batch: Annotated[
        int, Meta(ge=0, description="sequences of the held-out loss; 0: none")
    ] = 100
    log_every: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="updates between two rows of the log; null: a twentieth of all"),
    ] = None
    checkpoint_every: Annotated[int, Meta(ge=1, description="updates between two checkpoints")] = (
        100
    )
    # Two at least: the newest may be what a diverging run has to go back before.
    keep: Annotated[int, Meta(ge=2, description="checkpoints that are kept, the newest")] = 3
    on_divergence: Annotated[
        Literal["stop", "skip", "backoff"],
        Meta(description="stop, skip the update, or go back one and halve the learning rate"),
    ] = "stop"

    def __post_init__(self) -> None:
        """Check what one key alone cannot show.

        Raises
        ------
        InputError
            No or unknown parameters to train, or keys that stand only beside another.
        """
        defaults = dict(zip(self.__struct_fields__, self.__struct_defaults__, strict=True))
        for key, owners in _OWNERS.items():
            if self.optimizer not in owners and getattr(self, key) != defaults[key]:
                message = f"belongs to {', '.join(owners)}; got it beside {self.optimizer}"
                raise InputError(message, key=f"train.{key}")
        if self.only is not None and not self.only:
            raise InputError("must name at least one parameter", key="train.only")
        for name in self.only or ():
            if not is_parameter(name):
                message = f"must be parameters, got '{name}': {nearest(name, PARAMETERS)}"
                raise InputError(message, key="train.only")
        if self.chunk is not None and not self.carry_state:
            message = "must stand with train.carry_state: true, which goes chunk by chunk"
            raise InputError(message, key="train.chunk")
