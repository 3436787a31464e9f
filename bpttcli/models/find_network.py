"""Which tensors of a file are the recurrent network, told by their names and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError, nearest
from bpttcli.models.find_layers import find_layers
from bpttcli.models.model_file import KEY, listed, quoted
from bpttcli.models.tensor import Tensor
from bpttcli.models.tensor_storage import expect_shape, read_weights, shown_shape

Family = Literal["elman", "gru", "lstm"]
Direction = Literal["forward", "reverse"]

_FAMILIES: dict[int, Family] = {1: "elman", 3: "gru", 4: "lstm"}
_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
#: nn.RNN and its kind number their layers; nn.RNNCell and its kind have one, without a number.
_PART = re.compile(
    r"(?:(.*)\.)?((?:weight|bias)_(?:ih|hh|hr))(?:_l(0|[1-9][0-9]{0,3})(_reverse)?)?"
)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A recurrent network, and what was taken for what.

    Parameters
    ----------
    family : str
        ``elman``, ``gru`` or ``lstm``, by the number of gates; tanh and relu look the same.
    parameters : dict of str to float64 array
        Under PyTorch's names without a prefix: ``weight_ih_l0``, …, ``readout.weight``,
        ``readout.bias``.
    taken : dict of str to str
        For each parameter, and for ``embedding.weight``, the name of its tensor in the file.
    recurrent : str
        The module that was taken.
    modules : tuple of str
        The recurrent modules of the file, the one that was taken among them; "" is a module
        that stands alone in its file.
    readouts : tuple of str
        The linear layers that could follow the top layer; one is taken if it is the only one
        or was asked for.
    embedding : Tensor or None
        (symbols, I) vectors of an nn.Embedding before the network, not yet read.
    embeddings : tuple of str
        The embeddings that could be meant, likewise.
    """

    family: Family
    parameters: dict[str, Array]
    taken: dict[str, str]
    recurrent: str
    modules: tuple[str, ...]
    readouts: tuple[str, ...]
    embedding: Tensor | None
    embeddings: tuple[str, ...]

    def read_embedding(self) -> Array | None:
        """Read the vectors of the symbols, if there are any.

        Returns
        -------
        (symbols, I) array or None

        Raises
        ------
        InputError
            Numbers that are not finite.
        """
        if self.embedding is None:
            return None
        return read_weights(self.taken["embedding.weight"], self.embedding)


def find_network(
    tensors: Mapping[str, Tensor],
    *,
    recurrent: str | None = None,
    readout: str | None = None,
    direction: Direction | None = None,
    embedding: str | None = None,
) -> Found:
    """Find the recurrent network among the tensors of a file, and read it.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        By dotted name; only those of the network are read.
    recurrent : str, optional
        The module to take (``model.encoder``), needed where there are several.
    readout : str, optional
        The linear layer to take, needed where several fit.
    direction : {"forward", "reverse"}, optional
        Which half of a bidirectional layer to take.
    embedding : str, optional
        The embedding to take, needed where several fit.

    Returns
    -------
    Found

    Raises
    ------
    InputError
        No recurrent network, several, one that is bidirectional or projects its state, a name
        that is not in the file, shapes that contradict each other, numbers that are not finite.
    """
    modules = _modules(tensors)
    module = _choose(modules, recurrent, tensors)
    names = _one_direction(module, modules[module], direction)
    gates, n_inputs, hidden = _check_shapes(module, names, tensors)
    layers = find_layers(tensors, n_inputs, hidden, readout, embedding)
    names |= layers.readout
    parameters = {part: read_weights(name, tensors[name]) for part, name in names.items()}
    taken = dict(names)
    if layers.embedding is not None:
        taken["embedding.weight"] = layers.embedding
    return Found(
        family=_FAMILIES[gates],
        parameters=parameters,
        taken=taken,
        recurrent=module,
        modules=tuple(modules),
        readouts=layers.readouts,
        embedding=None if layers.embedding is None else tensors[layers.embedding],
        embeddings=layers.embeddings,
    )


def _modules(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, str]]:
    """Group the recurrent tensors by module: {module: {PyTorch's name: name in the file}}."""
    modules: dict[str, dict[str, str]] = {}
    for name in tensors:
        match = _PART.fullmatch(name)
        if match:
            module, kind, layer, reverse = match.groups(default="")
            parts = modules.setdefault(module, {})
            part = f"{kind}_l{layer or 0}{reverse}"
            if part in parts:
                raise InputError(f"holds {quoted(parts[part])} beside {quoted(name)}", key=KEY)
            parts[part] = name
    return {
        module: parts
        for module, parts in modules.items()
        if any(part.startswith("weight") for part in parts)
    }


def _choose(
    modules: Mapping[str, object], wanted: str | None, tensors: Mapping[str, object]
) -> str:
    """Take the module that was asked for, or the only one."""
    if not modules:
        there = f"its tensors: {listed(tensors)}" if tensors else "it holds no tensor"
        raise InputError(
            f"holds no recurrent network: nothing is called weight_hh_l0 or weight_hh ({there})",
            key=KEY,
        )
    if wanted is not None:
        if wanted not in modules:
            hint = nearest(wanted, list(modules)[:10])
            raise InputError(
                f"must be a recurrent network of the file, got {quoted(wanted)}: {hint}",
                key="model.recurrent",
            )
        return wanted
    if len(modules) > 1:
        raise InputError(
            f"holds several recurrent networks ({listed(modules)}): "
            "choose one with --recurrent NAME",
            key=KEY,
        )
    return next(iter(modules))


def _called(module: str) -> str:
    """Add the name of a module, if it has one: a network saved alone has none."""
    return f" ({quoted(module)})" if module else ""


def _one_direction(
    module: str, parts: dict[str, str], direction: Direction | None
) -> dict[str, str]:
    """Take one half of a bidirectional layer, or all of any other network."""
    if direction not in (None, "forward", "reverse"):
        raise InputError(
            f"must be forward or reverse, got {quoted(direction)}", key="model.direction"
        )
    backward = {part: name for part, name in parts.items() if part.endswith("_reverse")}
    if not backward:
        if direction == "reverse":
            raise InputError(
                "must be forward: the network of the file is not bidirectional",
                key="model.direction",
            )
        return dict(parts)
    if any("_l0" not in part for part in parts):
        raise InputError(
            f"holds a bidirectional stack{_called(module)} of which no direction can be read "
            "alone: its layers read both directions of the one below",
            key=KEY,
        )
    if direction is None:
        raise InputError(
            f"holds a bidirectional network{_called(module)}: read one of its directions with "
            "--direction forward or --direction reverse",
            key=KEY,
        )
    if direction == "reverse":
        return {part.removesuffix("_reverse"): name for part, name in backward.items()}
    return {part: name for part, name in parts.items() if part not in backward}


def _check_shapes(
    module: str, names: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> tuple[int, int, int]:
    """Compare the shapes of all layers; return the gates, the inputs and the top's units."""
    for part, name in names.items():
        if "_hr_" in part:
            raise InputError(
                f"holds {quoted(name)}: an LSTM that projects its state (proj_size) is not read",
                key=KEY,
            )
    depth = 1 + max((int(part.rpartition("_l")[2]) for part in names), default=0)
    gates = 0
    below: int | None = None
    for k in range(depth):
        A, B, *biases = (names.get(f"{kind}_l{k}") for kind in _KINDS)
        if A is None or B is None:
            missing = f"weight_{'ih' if A is None else 'hh'}_l{k}"
            raise InputError(
                f"holds a recurrent network{_called(module)} without {missing}", key=KEY
            )
        rows, hidden = tensors[B].shape if len(tensors[B].shape) == 2 else (0, 0)
        gates = gates or rows // max(hidden, 1)
        if gates not in _FAMILIES or rows != gates * hidden:
            raise InputError(
                f"holds {quoted(B)} of shape {shown_shape(tensors[B].shape)}, expected (G·H, H) "
                "with G = 1 (tanh, relu), 3 (gru) or 4 (lstm), the same in all layers",
                key=KEY,
            )
        expect_shape(A, tensors[A], (rows, below))
        for bias in biases:
            if bias is not None:
                expect_shape(bias, tensors[bias], (rows,))
        below = hidden
    return gates, tensors[names["weight_ih_l0"]].shape[1], hidden
