"""Keras's layers under PyTorch's names and conventions.

Keras keeps its weights transposed, its gates in the order i, f, c, o of an LSTM (PyTorch's own,
i, f, g, o) and z, r, h of a GRU (r, z, n), and the two biases of a GRU as the rows of one array.
Its equations are PyTorch's, for a GRU those of reset_after=True.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from bpttcli.models.contents import Contents
from bpttcli.models.hdf5_file import Hdf5Contents, rows
from bpttcli.models.keras_config import LayerConfig, ModelConfig
from bpttcli.models.tensor import StackedTensor, Tensor
from bpttcli.models.tensor_storage import ITEM_SIZE, LazyTensor

_VARIABLE = re.compile(r"(?:(.*)/)?vars/(0|[1-9][0-9]{0,3})")
_CELL = re.compile(r"(.+?)/cell(?:/cells/(.+))?")
_DIRECTION = re.compile(r"(.+)/(forward|backward)_layer")
# Blocks of the file in the order that they have here, by the number of gates.
_GATES = {1: (0,), 3: (1, 0, 2), 4: (0, 1, 2, 3)}


@dataclass(slots=True)
class _Module:
    """The layers of one recurrent module, from the input upward."""

    cells: list[tuple[str, list[LazyTensor]]] = field(default_factory=list)
    backward: list[tuple[str, list[LazyTensor]]] = field(default_factory=list)


def layers_of(stored: Hdf5Contents, config: ModelConfig) -> Contents:
    """Take the recurrent layers, the dense ones and the embeddings.

    Parameters
    ----------
    stored : Hdf5Contents
        The weights. Each layer keeps its own as NAME/vars/0, NAME/vars/1, …
    config : ModelConfig
        What is known of the layers; perhaps nothing.

    Returns
    -------
    Contents
        Under the names that the layers have in Keras; ``lower+upper`` is a stack of two. Where
        the weights alone are known, any layers that fit could be a stack.
    """
    return _Reader(stored, config).contents()


class _Reader:
    """Turns the arrays of a file into layers."""

    def __init__(self, stored: Hdf5Contents, config: ModelConfig) -> None:
        self._config = config
        # Keras writes the name of a layer beside its variables.
        self._paths = {
            path.removesuffix("/vars"): name
            for path, name in stored.names.items()
            if path.endswith("/vars")
        }
        self._variables = _variables(stored)
        self._named = Counter(self._paths.get(path, "") for path in self._owners())
        self._tensors: dict[str, Tensor] = {}
        self._cells: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._notes: dict[str, str] = {}

    def contents(self) -> Contents:
        """Take all layers that are known."""
        modules: dict[str, _Module] = {}
        for path, variables in self._variables.items():
            if _is_cell(variables):
                owner, backward = _owner(path)
                module = modules.setdefault(owner, _Module())
                (module.backward if backward else module.cells).append((path, variables))
            elif _is_dense(variables):
                self._add_dense(path, variables)
        plain = {}
        for owner, module in modules.items():
            name = self._name(owner)
            if module.backward:
                self._add_bidirectional(name, module)
            else:
                plain[name] = sorted(module.cells, key=lambda cell: _natural(cell[0]))
        stacks = self._stacks(plain)
        stacked = {name for stack in stacks for name in stack}
        for name, cells in plain.items():
            # In a stack of which the file says that it is one, its layers do not stand alone.
            if name not in stacked or not self._config.layers:
                configs = self._cell_configs(name, len(cells))
                self._add(name, [variables for _, variables in cells], configs)
        for stack in stacks:
            every = [variables for name in stack for _, variables in plain[name]]
            configs = [c for name in stack for c in self._cell_configs(name, len(plain[name]))]
            self._add("+".join(stack), every, configs)
        return Contents(self._tensors, self._cells, self._refused, self._notes)

    def _owners(self) -> set[str]:
        """The layers, cells inside of them left out."""
        return {_owner(path)[0] for path in self._variables}

    def _name(self, path: str) -> str:
        """Call a layer as Keras does, unless two are called alike."""
        name = self._paths.get(path, "")
        if name and self._named[name] == 1:
            return name
        return path.removeprefix("layers/").replace("/", ".")

    def _stacks(self, plain: dict[str, list[tuple[str, list[LazyTensor]]]]) -> list[list[str]]:
        """Tell which recurrent layers are one network."""
        if self._config.layers:
            return [stack for stack in self._config.stacks() if all(n in plain for n in stack)]
        # The weights alone say only what fits: all of them, each on the one before.
        names = sorted(plain, key=lambda name: _natural(plain[name][0][0]))
        cells = [plain[name][0][1] for name in names]
        fits = all(
            _gates(upper) == _gates(lower) and upper[0].shape[0] == lower[1].shape[0]
            for lower, upper in pairwise(cells)
        )
        single = all(len(plain[name]) == 1 for name in names)
        return [names] if len(names) > 1 and fits and single else []

    def _cell_configs(self, name: str, count: int) -> list[LayerConfig | None]:
        """What is known of the cells of a layer."""
        layer = self._config.layers.get(name)
        cells = () if layer is None else layer.cells
        return list(cells) if len(cells) == count else [None] * count

    def _add_bidirectional(self, name: str, module: _Module) -> None:
        """Take both halves of a bidirectional layer."""
        layer = self._config.layers.get(name)
        forward = None if layer is None else layer.inner("layer")
        configs = [None if forward is None else forward.cells[0]]
        for cells, suffix in ((module.cells, ""), (module.backward, "_reverse")):
            self._add(name, [variables for _, variables in cells], configs * len(cells), suffix)

    def _add(
        self,
        name: str,
        cells: list[list[LazyTensor]],
        configs: list[LayerConfig | None],
        suffix: str = "",
    ) -> None:
        """Take a recurrent module, under PyTorch's names."""
        for k, (variables, config) in enumerate(zip(cells, configs, strict=True)):
            gates = _gates(variables)
            kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
            for kind, tensor in zip(kinds, _split_bias(variables), strict=False):
                blocks = rows(tensor, _GATES[gates])
                self._tensors[f"{name}.{kind}_l{k}{suffix}"] = StackedTensor(blocks)
            refusal = None if config is None else config.refusal
            if gates == 3 and len(variables) == 3 and len(variables[2].shape) == 1:
                refusal = "was made with reset_after=False: only reset_after=True is read"
            if refusal is not None:
                self._refused[name] = refusal
            elif config is not None and config.cell is not None:
                self._cells[name] = config.cell
            elif gates > 1:
                more = " and reset_after=True" if gates == 3 and len(variables) == 2 else ""
                self._notes[name] = (
                    f"the weights of {name!r} do not name its activations: tanh and sigmoid"
                    f"{more} are assumed, Keras's defaults"
                )

    def _add_dense(self, path: str, variables: list[LazyTensor]) -> None:
        """Take a dense layer as a linear one, or an embedding."""
        name = self._name(path)
        layer = self._config.layers.get(name)
        if layer is not None and layer.kind == "TimeDistributed":
            layer = layer.inner("layer")
        if layer is None:
            looks = "emb" in f"{path} {self._paths.get(path, '')}".lower()
            kind = "Embedding" if looks and len(variables) == 1 else "Dense"
        else:
            kind = layer.kind
        if kind == "Embedding":
            self._tensors[f"{name}.weight"] = variables[0]
        elif kind == "Dense":
            activation = "linear" if layer is None else layer.config.get("activation", "linear")
            if activation not in ("linear", "softmax"):
                self._refused[name] = (
                    "ends in an activation: a readout here is linear (or a softmax, which "
                    "cross_entropy contains)"
                )
                return
            if activation == "softmax":
                self._notes[name] = (
                    f"{name!r} ends in a softmax, which cross_entropy contains: its outputs are "
                    "taken before it"
                )
            for part, tensor in zip(("weight", "bias"), variables, strict=False):
                self._tensors[f"{name}.{part}"] = rows(tensor)[0]


def _variables(stored: Hdf5Contents) -> dict[str, list[LazyTensor]]:
    """Group the arrays by the layer that owns them, in order; a training state is left out."""
    found: dict[str, dict[int, LazyTensor]] = {}
    for path, tensor in stored.tensors.items():
        match = _VARIABLE.fullmatch(path)
        if match and match[1] is not None and match[1].split("/")[0] != "optimizer":
            found.setdefault(match[1], {})[int(match[2])] = tensor
    return {
        path: [numbered[k] for k in range(len(numbered))]
        for path, numbered in sorted(found.items(), key=lambda item: _natural(item[0]))
        if numbered.keys() == set(range(len(numbered)))
    }


def _owner(path: str) -> tuple[str, bool]:
    """Name the layer that a cell, or a half of a bidirectional layer, belongs to."""
    inside = _CELL.fullmatch(path)
    layer = inside[1] if inside else path
    half = _DIRECTION.fullmatch(layer)
    return (half[1], half[2] == "backward") if half else (layer, False)


def _natural(path: str) -> list[tuple[str, int]]:
    """Sort lstm_2 before lstm_10, and lstm before both."""
    return [
        (match[1], int(match[2] or 0))
        for match in (re.fullmatch(r"(.*?)(?:_([0-9]{1,9}))?", part) for part in path.split("/"))
        if match
    ]


def _is_cell(variables: list[LazyTensor]) -> bool:
    """Tell a recurrent cell: two matrices of one width, and perhaps a bias."""
    shapes = [tensor.shape for tensor in variables]
    if len(shapes) not in (2, 3) or [len(shape) for shape in shapes[:2]] != [2, 2]:
        return False
    (_, width), (hidden, again) = shapes[:2]
    if hidden == 0 or width != again or width % hidden or width // hidden not in _GATES:
        return False
    return len(shapes) == 2 or shapes[2] in ((width,), (2, width))


def _is_dense(variables: list[LazyTensor]) -> bool:
    """Tell a dense layer or an embedding: one matrix, and perhaps a bias."""
    shapes = [tensor.shape for tensor in variables]
    return len(shapes[0]) == 2 and shapes[1:] in ([], [shapes[0][1:]])


def _gates(variables: list[LazyTensor]) -> int:
    """Count the gates of a cell."""
    hidden, width = variables[1].shape
    return width // hidden


def _split_bias(variables: list[LazyTensor]) -> list[LazyTensor]:
    """Give the matrices of a cell, and its one bias, or the two rows of it."""
    if len(variables) == 2 or len(variables[2].shape) == 1:
        return variables
    *matrices, bias = variables
    width = bias.shape[1]
    step = width * ITEM_SIZE[bias.dtype]
    two = [LazyTensor(bias.path, bias.start + k * step, bias.dtype, (width,), (1,)) for k in (0, 1)]
    return [*matrices, *two]
