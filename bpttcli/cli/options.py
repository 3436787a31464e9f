"""One table of options, of which every command takes its own."""

from __future__ import annotations

from collections.abc import Iterable

from bpttcli.cli.flags import Flag
from bpttcli.engine.cells import CELLS
from bpttcli.tasks.registry import TASKS
from bpttcli.truncation.registry import TRUNCATIONS

FORMATS = ("table", "json", "jsonl", "csv", "markdown")


def _listed(names: Iterable[str]) -> str:
    """Name what there is to choose from."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


_INITS = ("gaussian", "uniform", "orthogonal", "identity")
_DIRECTIONS = ("forward", "reverse")
_LOSSES = ("cross_entropy", "mse", "probe")
_PLACES = ("every", "last")
_S, _N, _L, _R, _O = "Sequences", "Network", "Loss", "Run", "Result"
_B, _T, _E = "Matrix", "Trajectory", "Estimator"
_U, _K = "Training", "Keeping"
_OPTIMISERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
_COURSES = ("constant", "step", "cosine")
_POLICIES = ("stop", "skip", "backoff")

SHARED = (
    Flag("--steps", "Number of time steps T.", _S, "task.steps", "T", number=True),
    Flag("--batch", "Number of sequences N.", _S, "task.batch", "N", number=True),
    Flag(
        "--task",
        f"Where the sequences come from: {_listed(TASKS)}.",
        _S,
        "task.name",
        "NAME",
        choices=tuple(TASKS),
    ),
    Flag(
        "--text",
        "Predict the next symbol of this UTF-8 text.",
        _S,
        "task.file",
        "FILE",
        also=("task.name", "text"),
    ),
    Flag(
        "--data",
        "Arrays x, y, h0, mask, lengths from an npz, npy or csv file.",
        _S,
        "task.file",
        "FILE",
        also=("task.name", "data"),
    ),
    Flag("--batch-first", "x, y and mask of --data are (N, T, ...).", _S, "task.batch_first"),
    Flag(
        "--cell",
        f"The recurrent cell: {_listed(CELLS)}.",
        _N,
        "model.cell",
        "NAME",
        choices=tuple(CELLS),
    ),
    Flag("--hidden", "Hidden units H of each layer.", _N, "model.hidden", "H", number=True),
    Flag("--layers", "Number of stacked layers L.", _N, "model.layers", "L", number=True),
    Flag(
        "--init",
        f"How B (hidden to hidden) starts: {_listed(_INITS)}.",
        _N,
        "model.init.name",
        "NAME",
        choices=_INITS,
    ),
    Flag("--gain", "Factor on the start of B.", _N, "model.init.gain", "G", number=True),
    Flag(
        "--model",
        "A trained network: PyTorch (.pt), safetensors, Keras 3 or npz.",
        _N,
        "model.file",
        "FILE",
    ),
    Flag("--recurrent", "Which recurrent network of --model.", _N, "model.recurrent", "NAME"),
    Flag("--readout", "Which linear layer of --model is the readout.", _N, "model.readout", "NAME"),
    Flag(
        "--direction",
        f"Which half of a bidirectional --model: {_listed(_DIRECTIONS)}.",
        _N,
        "model.direction",
        "NAME",
        choices=_DIRECTIONS,
    ),
    Flag(
        "--loss",
        f"The loss of a step: {_listed(_LOSSES)}.",
        _L,
        "loss.name",
        "NAME",
        choices=_LOSSES,
    ),
    Flag(
        "--loss-at",
        f"Steps that carry a target: {_listed(_PLACES)}.",
        _L,
        "loss.at",
        "WHERE",
        choices=_PLACES,
    ),
    Flag(
        "--truncation",
        f"What is cut from the gradient: {_listed(TRUNCATIONS)}.",
        _E,
        "truncation.name",
        "NAME",
        choices=tuple(TRUNCATIONS),
    ),
    Flag(
        "--length",
        "Steps that a fixed or sliding window keeps.",
        _E,
        "truncation.length",
        "K",
        number=True,
    ),
    Flag(
        "--probability",
        "Probability of a randomized cut between two steps.",
        _E,
        "truncation.probability",
        "p",
        number=True,
    ),
    Flag(
        "--clip-norm",
        "Largest norm of the gradient, over all parameters.",
        _E,
        "clip.norm",
        "c",
        number=True,
    ),
    Flag(
        "--clip-value",
        "Largest size of an entry of the gradient.",
        _E,
        "clip.value",
        "c",
        number=True,
    ),
    Flag("--seed", "Where all random numbers start.", _R, "seed", "S", number=True),
    Flag(
        "--set",
        "Set any key of the experiment (task.steps=50); may be repeated.",
        _R,
        metavar="KEY=VALUE",
        many=True,
    ),
    Flag("--quiet", "No progress and no notes on standard error.", _R),
    Flag("--debug", "Show the traceback of an error.", _R),
    Flag(
        "--format",
        f"How the result is written: {_listed(FORMATS)}.",
        _O,
        metavar="NAME",
        choices=FORMATS,
    ),
    Flag("--output", "Write the result to this file, whole or not at all.", _O, metavar="FILE"),
)

STEPS = (
    Flag("--every", "Show each n-th step back in the table.", _O, metavar="n", number=True),
    Flag("--all", "Show all steps in the table.", _O),
)

SWEEP = (
    Flag(
        "--sweep",
        "Run every value of a key side by side (model.cell=tanh,lstm).",
        _R,
        metavar="KEY=V1,V2",
        many=True,
    ),
)

EXPLAIN = (Flag("--explain", "Show the chain rule term by term (also with --format html).", _O),)

ARRAYS = (
    Flag("--save-arrays", "Write gradients and adjoints to an npz file.", _O, metavar="FILE"),
)

SAVE_MODEL = (
    Flag(
        "--save-model",
        "Write the parameters under PyTorch's names: npz or safetensors.",
        _O,
        metavar="FILE",
    ),
)

SPECTRUM = (
    Flag("--matrix", "Examine a bare B, from an npy or csv file.", _B, metavar="FILE"),
    Flag("--leak", "Examine (1-a)I + aB, which counts for leaky units.", _B, metavar="a"),
    Flag("--powers", "The k of rho^k and ||B^k||: 1,10,100.", _B, metavar="K1,K2"),
    Flag("--top", "Only the n largest eigenvalues, and sigma_1.", _B, metavar="n"),
    Flag("--full", "Above 500 units, also what takes long.", _B),
    Flag(
        "--autonomous",
        "Iterate without input, from a random state.",
        _T,
        also=("task.name", "autonomous"),
    ),
    Flag("--lyapunov", "Number of Lyapunov exponents, all or 0.", _T, metavar="n"),
    Flag("--transient", "Steps they leave out: a quarter unless said.", _T, metavar="n"),
    Flag("--all", "Every lag, and every row in the table.", _O),
    Flag("--plot", "Draw a picture: png, svg or pdf.", _O, metavar="FILE"),
)

TRAIN = (
    Flag("--updates", "Updates after which it ends.", _U, "train.updates", "n", number=True),
    Flag(
        "--optimizer",
        f"The rule of an update: {_listed(_OPTIMISERS)}.",
        _U,
        "train.optimizer",
        "NAME",
        choices=_OPTIMISERS,
    ),
    Flag("--lr", "The learning rate.", _U, "train.lr", "lr", number=True),
    Flag(
        "--schedule",
        f"The course of the learning rate: {_listed(_COURSES)}.",
        _U,
        "train.schedule.name",
        "NAME",
        choices=_COURSES,
    ),
    Flag(
        "--carry-state",
        "One update a chunk of long sequences, the state carried on.",
        _U,
        "train.carry_state",
    ),
    Flag("--minutes", "Minutes after which it ends.", _U, "train.minutes", "m", number=True),
    Flag(
        "--target-loss",
        "End once the held-out loss is this small.",
        _U,
        "train.target_loss",
        "L",
        number=True,
    ),
    Flag(
        "--patience",
        "End after n rows of the log without a better loss.",
        _U,
        "train.patience",
        "n",
        number=True,
    ),
    Flag(
        "--on-divergence",
        f"What a diverging update leads to: {_listed(_POLICIES)}.",
        _U,
        "train.on_divergence",
        "NAME",
        choices=_POLICIES,
    ),
    Flag("--log-every", "Updates between two rows.", _U, "train.log_every", "n", number=True),
    Flag("--log", "Write each row at once to this file, a line of JSON.", _K, metavar="FILE"),
    Flag("--checkpoint", "Keep the run in this new folder.", _K, metavar="DIR"),
    Flag(
        "--checkpoint-every",
        "Updates between two checkpoints.",
        _K,
        "train.checkpoint_every",
        "n",
        number=True,
    ),
    Flag("--resume", "Go on with the run in this folder.", _K, metavar="DIR"),
    Flag("--allow-changed", "Resume although the experiment has changed.", _K),
    Flag("--save-model", "Write the last parameters: npz or safetensors.", _K, metavar="FILE"),
    Flag("--sample", "Let the trained network say n symbols of its text.", _O, metavar="n"),
    Flag("--prompt", "What it is told first.", _O, metavar="TEXT"),
    Flag("--temperature", "How freely it speaks: 1, or 0 for no chance.", _O, metavar="t"),
)


COMPARE = (
    Flag(
        "--lengths",
        "fixed(K) and sliding(K) for each of these K.",
        _E,
        "compare.lengths",
        "K1,K2",
        listed=True,
    ),
    Flag(
        "--probabilities",
        "randomized(p) and unreweighted(p) for each of these p.",
        _E,
        "compare.probabilities",
        "p1,p2",
        listed=True,
    ),
    Flag(
        "--draws",
        "Draws of a spread that has no closed form.",
        _E,
        "compare.draws",
        "R",
        number=True,
    ),
    Flag(
        "--target-bias",
        "Find the cheapest estimator within this relative error.",
        _E,
        "compare.target_bias",
        "d",
        number=True,
    ),
    Flag(
        "--exact-variance",
        "Compute every variance that has a closed form, however long it takes.",
        _E,
        "compare.exact_variance",
    ),
    Flag("--workers", "Threads for the draws; no number depends on them.", _R, metavar="W"),
    Flag("--per-layer", "Also each parameter by itself.", _O),
)
