"""The keys of an experiment: their types, bounds, defaults and meanings.

A new section is one struct and one field of `Experiment`.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct, field, to_builtins

from bpttcli.engine.cells import CELLS
from bpttcli.errors import InputError, nearest
from bpttcli.experiment.parameter_names import PARAMETERS, is_parameter
from bpttcli.experiment.train_keys import Train
from bpttcli.tasks.registry import task_class
from bpttcli.tasks.task import Task
from bpttcli.truncation.registry import TRUNCATIONS

if TYPE_CHECKING:
    CellName = str
    TruncationName = str
else:
    # A new cell or estimator is one line in its registry, and none here.
    CellName = Literal[tuple(CELLS)]
    TruncationName = Literal[tuple(TRUNCATIONS)]

#: The task that runs where none is named.
DEFAULT_TASK = "adding"

#: Keys that hold a path: relative to the file they stand in, absolute once resolved.
PATHS = frozenset({"task.file", "model.file"})

# Lists of numbers, or lists of such lists (msgspec cannot tell two kinds of list apart).
Numbers = list[float | list[float]]


class Init(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the parameters start."""

    name: Annotated[
        Literal["gaussian", "uniform", "orthogonal", "identity"],
        Meta(description="the distribution that B (hidden → hidden) starts from"),
    ] = "gaussian"
    gain: Annotated[float, Meta(gt=0, description="a factor on B")] = 1.0
    std: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="standard deviation of the weights drawn normal, instead of 1/√H"),
    ] = None
    spectral_radius: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="the spectral radius that B is scaled to"),
    ] = None
    forget_bias: Annotated[
        float | None,
        Meta(description="bias of the gate that carries a gated cell's state (lstm: f, gru: z)"),
    ] = None
    chrono: Annotated[
        Annotated[float, Meta(ge=2)] | None,
        Meta(description="biases of that gate for memories of up to so many steps"),
    ] = None

    def __post_init__(self) -> None:
        """Check what one key alone cannot show.

        Raises
        ------
        InputError
            Two rules for one bias.
        """
        if self.forget_bias is not None and self.chrono is not None:
            message = "must not stand beside model.init.forget_bias: both set one gate's bias"
            raise InputError(message, key="model.init.chrono")


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network: drawn from `init`, read from `file`, or written out in `parameters`.

    What is not given is the model's own, or tanh with one layer of 64 units.
    """

    cell: Annotated[CellName | None, Meta(description="the recurrent cell")] = None
    hidden: Annotated[
        Annotated[int, Meta(ge=1)] | None, Meta(description="hidden units of each layer, H")
    ] = None
    layers: Annotated[Annotated[int, Meta(ge=1)] | None, Meta(description="stacked layers")] = None
    file: Annotated[str | None, Meta(description="a file of parameters")] = None
    parameters: Annotated[
        dict[str, Numbers] | None,
        Meta(description="the parameters themselves, under PyTorch's names"),
    ] = None
    init: Annotated[Init, Meta(description="how the parameters start")] = Init()
    recurrent: Annotated[
        str | None, Meta(description="the recurrent network of the file, where it has several")
    ] = None
    readout: Annotated[
        str | None, Meta(description="the linear layer of the file that reads the hidden state")
    ] = None
    embedding: Annotated[
        str | None, Meta(description="the embedding of the file that integer x is read through")
    ] = None
    direction: Annotated[
        Literal["forward", "reverse"] | None,
        Meta(description="the half to read of a network that is bidirectional"),
    ] = None

    def __post_init__(self) -> None:
        """Check what one key alone cannot show.

        Raises
        ------
        InputError
            A part of a file without a file, parameters besides one, an unknown parameter, or
            one of the wrong rank.
        """
        for name in ("recurrent", "readout", "embedding", "direction"):
            if self.file is None and getattr(self, name) is not None:
                message = "must stand with model.file, of which it chooses a part"
                raise InputError(message, key=f"model.{name}")
        if self.parameters is None:
            return
        if self.file is not None:
            message = "must not stand beside model.file: the network has one set of parameters"
            raise InputError(message, key="model.parameters")
        for name, values in self.parameters.items():
            key = f"model.parameters.{name}"
            if not is_parameter(name):
                raise InputError(f"is not a parameter, {nearest(name, PARAMETERS)}", key=key)
            rank = 2 if "weight" in name else 1
            if _rank(values) != rank:
                kinds = {1: "a list of numbers", 2: "a list of rows of one length"}
                raise InputError(f"must be {kinds[rank]}, none of them empty", key=key)


class Loss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of the network; the task's own where nothing is said."""

    name: Annotated[
        Literal["cross_entropy", "mse", "probe"] | None,
        Meta(description="the loss of one step"),
    ] = None
    at: Annotated[
        Literal["every", "last"] | None, Meta(description="the steps that carry a target")
    ] = None
    vector: Annotated[
        Numbers | None, Meta(description="the probe's vector, (H,) or (N, H); else drawn")
    ] = None

    def __post_init__(self) -> None:
        """Check what one key alone cannot show.

        Raises
        ------
        InputError
            A vector that no probe uses, or that is neither a vector nor a matrix.
        """
        if self.vector is None:
            return
        if self.name not in (None, "probe"):
            message = f"must stand with loss.name: probe, not with {self.name}"
            raise InputError(message, key="loss.vector")
        if _rank(self.vector) is None:
            message = "must be a list of numbers, or of rows of one length, none of them empty"
            raise InputError(message, key="loss.vector")


class Truncation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is cut from the gradient; what is not given is the estimator's own."""

    name: Annotated[
        TruncationName, Meta(description="the estimator of the gradient; full is exact")
    ] = "full"
    length: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="steps that a fixed or sliding window keeps, K"),
    ] = None
    probability: Annotated[
        Annotated[float, Meta(ge=0, lt=1)] | None,
        Meta(description="probability of a randomized cut between two steps, p"),
    ] = None
    reweight: Annotated[
        bool | None,
        Meta(description="weigh what a randomized cut leaves by 1/(1 - p), without bias"),
    ] = None
    alpha: Annotated[
        Annotated[float, Meta(gt=1)] | None,
        Meta(description="how fast artbp's segments become rare with their length"),
    ] = None
    mean_length: Annotated[
        Annotated[float, Meta(gt=1)] | None,
        Meta(description="mean length of the segments of artbp or random-length"),
    ] = None
    std: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="standard deviation of random-length's segments"),
    ] = None
    short: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="probability of half the mean length in random-length"),
    ] = None
    shortest: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="least steps of a segment in random-length"),
    ] = None

    def __post_init__(self) -> None:
        """Check the keys together.

        Raises
        ------
        InputError
            A key that the estimator does not have.
        """
        own = TRUNCATIONS[self.name][1]
        for key in self.__struct_fields__[1:]:
            if key not in own and getattr(self, key) is not None:
                having = [name for name, (_, keys) in TRUNCATIONS.items() if key in keys]
                message = (
                    f"must stand with truncation.name: {' or '.join(having)}, not with {self.name}"
                )
                raise InputError(message, key=f"truncation.{key}")

    def keys(self) -> dict[str, Any]:
        """Give the estimator's own keys, each with what was given or its default."""
        defaults = TRUNCATIONS[self.name][1]
        given = {key: getattr(self, key) for key in defaults}
        return {key: defaults[key] if value is None else value for key, value in given.items()}


class Clip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gradient may not exceed."""

    norm: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="largest norm over all parameters together"),
    ] = None
    value: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="largest size of an entry")
    ] = None


class Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the lines of the diagnosis are drawn."""

    epsilon: Annotated[
        float, Meta(gt=0, lt=1, description="the share of the gradient that ends the horizon")
    ] = 0.01
    vanishing_below: Annotated[
        float, Meta(gt=0, description="the ratio ‖p_1‖/‖p_τ‖ below which the gradient vanishes")
    ] = 1e-3
    exploding_above: Annotated[
        float, Meta(gt=0, description="the ratio ‖p_1‖/‖p_τ‖ above which the gradient explodes")
    ] = 1e3

    def __post_init__(self) -> None:
        """Check what one key alone cannot show.

        Raises
        ------
        InputError
            A gradient could vanish and explode at once.
        """
        if not self.vanishing_below < self.exploding_above:
            message = (
                f"must be above report.vanishing_below = {self.vanishing_below}, "
                f"got {self.exploding_above}"
            )
            raise InputError(message, key="report.exploding_above")


class Compare(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which estimators stand side by side, and how they are measured."""

    lengths: Annotated[
        list[Annotated[int, Meta(ge=1)]],
        Meta(description="lengths K: fixed(K) and sliding(K) for each"),
    ] = field(default_factory=lambda: [10, 50])
    probabilities: Annotated[
        list[Annotated[float, Meta(ge=0, lt=1)]],
        Meta(description="probabilities p: randomized(p) and unreweighted(p) for each"),
    ] = field(default_factory=lambda: [0.5, 0.05])
    draws: Annotated[int, Meta(ge=2, description="draws of a spread that has no closed form")] = 100
    lags: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="lags of the profile; the largest length or 200 unless given"),
    ] = None
    target_bias: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="the relative error that an estimator may have"),
    ] = None
    exact_variance: Annotated[
        bool | None,
        Meta(description="variances without draws: always, never, or where affordable"),
    ] = None
    batches: Annotated[int, Meta(ge=1, description="batches over which clipping is watched")] = 20


def _default_task() -> Task:
    """Give the default task with its own defaults."""
    return task_class(DEFAULT_TASK)(name=DEFAULT_TASK)


class Experiment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides a run: the same experiment gives the same numbers.

    Examples
    --------
    >>> experiment = Experiment(seed=1, model=Model(hidden=8))
    >>> experiment.model.hidden, experiment.task.steps
    (8, 100)
    """

    seed: Annotated[int, Meta(ge=0, description="where all random numbers start")] = 0
    task: Annotated[Task, Meta(description="where the sequences come from")] = field(
        default_factory=_default_task
    )
    model: Annotated[Model, Meta(description="the network")] = Model()
    loss: Annotated[Loss, Meta(description="what is asked of it")] = Loss()
    truncation: Annotated[Truncation, Meta(description="what is cut from the gradient")] = (
        Truncation()
    )
    clip: Annotated[Clip, Meta(description="what the gradient may not exceed")] = Clip()
    compare: Annotated[Compare, Meta(description="which estimators stand side by side")] = Compare()
    train: Annotated[Train, Meta(description="how it is trained")] = Train()
    report: Annotated[Report, Meta(description="where the diagnosis draws its lines")] = Report()

    def to_dict(self) -> dict[str, Any]:
        """Give the whole experiment as plain values; loading them gives an equal one."""
        return dict(to_builtins(self))


def _rank(values: Numbers) -> int | None:
    """Count the axes of nested lists: 1, 2, or None where they are ragged or empty."""
    if values and not any(isinstance(value, list) for value in values):
        return 1
    widths = {len(row) if isinstance(row, list) else 0 for row in values}
    return 2 if len(widths) == 1 and widths != {0} else None
