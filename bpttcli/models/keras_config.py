"""What the config.json of a Keras model says of its layers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bpttcli.errors import InputError

RECURRENT = {"SimpleRNN": "simple", "LSTM": "lstm", "GRU": "gru"}
#: Layers that a trained network's hidden states pass unchanged.
_PASSIVE = frozenset(
    "Dropout SpatialDropout1D GaussianDropout GaussianNoise AlphaDropout Masking Identity "
    "ActivityRegularization".split()
)
_MOST_OBJECTS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class LayerConfig:
    """A layer, or a cell inside of one.

    Parameters
    ----------
    kind : str
        Its class: ``LSTM``, ``Dense``.
    config : dict
        Its arguments.
    """

    kind: str
    config: dict[str, Any] = field(default_factory=dict)

    def inner(self, key: str) -> LayerConfig | None:
        """Give the layer or the cell that is an argument."""
        return _layer(self.config.get(key))

    @property
    def cells(self) -> tuple[LayerConfig | None, ...]:
        """The cells that it runs, from the input upward: itself, or what RNN(…) was given."""
        if self.kind != "RNN":
            return (self,)
        cell = self.inner("cell")
        if cell is None or cell.kind != "StackedRNNCells":
            return (cell,)
        stacked = cell.config.get("cells")
        return tuple(map(_layer, stacked)) if isinstance(stacked, list) else (None,)

    @property
    def refusal(self) -> str | None:
        """Why a recurrent layer or cell is none of those that are known here, if it is not."""
        kind, get = self.kind.removesuffix("Cell"), self.config.get
        if kind not in RECURRENT:
            return f"is a {self.kind}: SimpleRNN, LSTM and GRU are read"
        activation = get("activation", "tanh")
        if kind == "SimpleRNN" and activation not in ("tanh", "relu", "linear"):
            return f"has the activation {_shown(activation)}, expected tanh, relu or linear"
        if kind != "SimpleRNN" and activation != "tanh":
            return f"has the activation {_shown(activation)}, expected tanh"
        gate = get("recurrent_activation", "sigmoid")
        if kind != "SimpleRNN" and gate != "sigmoid":
            return f"has the recurrent activation {_shown(gate)}, expected sigmoid"
        if kind == "GRU" and get("reset_after", True) is not True:
            return (
                "was made with reset_after=False: only reset_after=True, Keras's default, is read"
            )
        if get("go_backwards", False) is not False:
            return "reads its sequences backwards (go_backwards)"
        return None

    @property
    def cell(self) -> str | None:
        """The cell's name here."""
        kind = RECURRENT.get(self.kind.removesuffix("Cell"))
        return str(self.config.get("activation", "tanh")) if kind == "simple" else kind


@dataclass(frozen=True, slots=True, eq=False)
class ModelConfig:
    """The layers of a model by name.

    Parameters
    ----------
    layers : dict of str to LayerConfig
        Those inside of others too.
    below : dict of str to str
        For each layer that has a single one below it, that one.
    """

    layers: dict[str, LayerConfig]
    below: dict[str, str]

    def stacks(self) -> Iterator[list[str]]:
        """Yield the names of recurrent layers that feed each other directly, from the input up."""
        kinds = {name: layer for name, layer in self.layers.items() if layer.kind in RECURRENT}
        under: dict[str, str] = {}
        for name, layer in kinds.items():
            lower = self.below.get(name)
            passed = 0
            while lower is not None and self._is_passive(lower) and passed < len(self.layers):
                lower, passed = self.below.get(lower), passed + 1
            if lower in kinds and _alike(layer, kinds[lower]):
                under[name] = lower
        tops = kinds.keys() - under.values()
        for top in (name for name in kinds if name in tops):
            stack = [top]
            while stack[-1] in under and len(stack) < len(kinds):
                stack.append(under[stack[-1]])
            if len(stack) > 1:
                yield stack[::-1]

    def _is_passive(self, name: str) -> bool:
        return name in self.layers and self.layers[name].kind in _PASSIVE


def read_config(content: bytes) -> ModelConfig:
    """Read the layers of a config.json.

    Parameters
    ----------
    content : bytes
        JSON. A model that is a class of somebody's own says nothing of its layers.

    Raises
    ------
    InputError
        It is not JSON.
    """
    try:
        root = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError("is damaged: its config.json is no JSON") from error
    layers: dict[str, LayerConfig] = {}
    for count, (name, layer) in enumerate(_layers(root)):
        if count > _MOST_OBJECTS:
            raise InputError("holds a config.json of more layers than any model has")
        layers.setdefault(name, layer)
    return ModelConfig(layers, _below(root))


def _layers(root: object) -> Iterator[tuple[str, LayerConfig]]:
    """Yield every layer with its name, however deep it stands."""
    pending = [root]
    while pending:
        thing = pending.pop()
        if isinstance(thing, list):
            pending.extend(reversed(thing))
        elif isinstance(thing, dict):
            layer = _layer(thing)
            name = None if layer is None else layer.config.get("name")
            if layer is not None and isinstance(name, str):
                yield name, layer
            pending.extend(reversed(thing.values()))


def _layer(thing: object) -> LayerConfig | None:
    """Take the description of a layer, {class_name: …, config: {…}}."""
    if not isinstance(thing, dict):
        return None
    kind, config = thing.get("class_name"), thing.get("config")
    return LayerConfig(kind, config) if isinstance(kind, str) and isinstance(config, dict) else None


def _below(root: object) -> dict[str, str]:
    """Tell which layer each one reads: in a Sequential the one before it."""
    model = _layer(root)
    listed = None if model is None else model.config.get("layers")
    if model is None or not isinstance(listed, list):
        return {}
    below: dict[str, str] = {}
    before: str | None = None
    for thing in listed:
        layer = _layer(thing)
        name = None if layer is None else layer.config.get("name")
        if not isinstance(name, str):
            before = None
            continue
        if model.kind == "Sequential":
            if before is not None:
                below[name] = before
        else:
            sources = set(_histories(thing.get("inbound_nodes")))
            if len(sources) == 1:
                below[name] = sources.pop()
        before = name
    return below


def _histories(nodes: object) -> Iterator[str]:
    """Yield the layers whose outputs a functional layer is called with."""
    pending = [nodes]
    while pending:
        thing = pending.pop()
        if isinstance(thing, list):
            pending.extend(thing)
        elif isinstance(thing, dict):
            history = thing.get("keras_history")
            if isinstance(history, list) and history and isinstance(history[0], str):
                yield history[0]
            pending.extend(thing.values())


def _alike(upper: LayerConfig, lower: LayerConfig) -> bool:
    """Whether two layers are layers of one network: of one cell, the states handed on whole."""
    return (
        upper.kind == lower.kind
        and upper.config.get("activation") == lower.config.get("activation")
        and lower.config.get("return_sequences") is True
    )


def _shown(value: object) -> str:
    """Write an argument; one that is no name is a function of somebody's own."""
    return value[:40] if isinstance(value, str) and value.isprintable() else "of somebody's own"
