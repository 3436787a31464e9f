"""The layers around a recurrent network: the linear one above, the embedding below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bpttcli.errors import InputError, nearest
from bpttcli.models.model_file import quoted
from bpttcli.models.tensor_storage import LazyTensor, expect_shape


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Names in the file.

    Parameters
    ----------
    readout : dict of str to str
        ``readout.weight`` and ``readout.bias``, as far as there are any.
    readouts : tuple of str
        The linear layers that would fit as a readout.
    embedding : str or None
        The tensor of the embedding.
    """

    readout: dict[str, str]
    readouts: tuple[str, ...]
    embedding: str | None


def find_layers(
    tensors: Mapping[str, LazyTensor], n_inputs: int, hidden: int, readout: str | None = None
) -> Layers:
    """Find the readout and the embedding of a recurrent network.

    A linear layer and an embedding are both called ``NAME.weight``, with two axes. A readout has
    one column a hidden unit, an embedding one a component of the input and never a bias. Where
    both fit, "emb" in its name or another layer that must be the readout make it an embedding.
    Of several that remain none is taken.

    Parameters
    ----------
    tensors : mapping of str to LazyTensor
        By dotted name.
    n_inputs, hidden : int
        Inputs I of the lowest layer and units H of the top one.
    readout : str, optional
        The linear layer to take.

    Returns
    -------
    Layers

    Raises
    ------
    InputError
        A readout that is not in the file or does not fit.
    """
    layers = {
        name.removesuffix("weight").removesuffix("."): name
        for name, tensor in tensors.items()
        if name.rpartition(".")[2] == "weight" and len(tensor.shape) == 2 and tensor.size
    }
    biases = {layer: name.removesuffix("weight") + "bias" for layer, name in layers.items()}
    bare = {layer for layer in layers if biases[layer] not in tensors}
    fitting = [layer for layer, name in layers.items() if tensors[name].shape[1] == hidden]
    if readout is None:
        settled = [layer for layer in fitting if layer not in bare]
    else:
        readout = readout.removesuffix(".weight")
        if readout not in layers:
            hint = nearest(readout, list(layers)[:10]) if layers else "it has none"
            raise InputError(
                f"must be a linear layer of the file, got {quoted(readout)}: {hint}",
                key="model.readout",
            )
        settled = [readout]
    embeddings = [
        layer
        for layer, name in layers.items()
        if layer in bare and layer not in settled and tensors[name].shape[1] == n_inputs
        if "emb" in layer.lower() or layer not in fitting or settled
    ]
    named = [layer for layer in embeddings if "emb" in layer.lower()]
    readouts = [layer for layer in fitting if layer not in embeddings]
    chosen = _only(readouts) if readout is None else readout
    found: dict[str, str] = {}
    if chosen is not None:
        found["readout.weight"] = layers[chosen]
        expect_shape(layers[chosen], tensors[layers[chosen]], (None, hidden))
        if chosen not in bare:
            found["readout.bias"] = biases[chosen]
            outputs = tensors[layers[chosen]].shape[0]
            expect_shape(biases[chosen], tensors[biases[chosen]], (outputs,))
    embedding = _only(named or embeddings)
    return Layers(found, tuple(readouts), None if embedding is None else layers[embedding])


def _only(names: list[str]) -> str | None:
    """Take a name if there is no other."""
    return names[0] if len(names) == 1 else None
