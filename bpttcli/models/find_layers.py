"""The layers around a recurrent network: the linear one above, the embedding below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bpttcli.errors import InputError, nearest
from bpttcli.models.model_file import quoted
from bpttcli.models.tensor import Tensor
from bpttcli.models.tensor_storage import expect_shape


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
    embeddings : tuple of str
        The embeddings that would fit.
    """

    readout: dict[str, str]
    readouts: tuple[str, ...]
    embedding: str | None
    embeddings: tuple[str, ...]


def find_layers(
    tensors: Mapping[str, Tensor],
    n_inputs: int,
    hidden: int,
    readout: str | None = None,
    embedding: str | None = None,
) -> Layers:
    """Find the readout and the embedding of a recurrent network.

    A linear layer and an embedding are both called ``NAME.weight``, with two axes. A readout has
    one column a hidden unit, an embedding one a component of the input and never a bias. Where
    both fit, "emb" in its name or another layer that must be the readout make it an embedding.
    Of several that remain none is taken, but for one called ``readout``, as this tool writes it.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        By dotted name.
    n_inputs, hidden : int
        Inputs I of the lowest layer and units H of the top one.
    readout, embedding : str, optional
        The linear layer and the embedding to take.

    Returns
    -------
    Layers

    Raises
    ------
    InputError
        A readout or an embedding that is not in the file or does not fit.
    """
    layers = {
        layer_of(name): name
        for name, tensor in tensors.items()
        if name.rpartition(".")[2] == "weight" and len(tensor.shape) == 2 and tensor.size
    }
    biases = {layer: name.removesuffix("weight") + "bias" for layer, name in layers.items()}
    bare = {layer for layer in layers if biases[layer] not in tensors}
    fitting = [layer for layer, name in layers.items() if tensors[name].shape[1] == hidden]
    if readout is None and "readout" in layers:
        readout = "readout"
    if readout is None:
        settled = [layer for layer in fitting if layer not in bare]
    else:
        readout = _asked(readout, layers, "readout", "a linear layer")
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
    embeddings = named or embeddings
    if embedding is None:
        taken = _only(embeddings)
    else:
        taken = _asked(embedding, layers, "embedding", "an embedding")
        expect_shape(layers[taken], tensors[layers[taken]], (None, n_inputs))
    below = None if taken is None else layers[taken]
    return Layers(found, tuple(readouts), below, tuple(embeddings))


def layer_of(tensor: str) -> str:
    """Name the layer that a weight belongs to.

    Examples
    --------
    >>> layer_of("model.fc.weight"), layer_of("weight")
    ('model.fc', '')
    """
    return tensor.removesuffix("weight").removesuffix(".")


def _asked(name: str, layers: Mapping[str, str], key: str, kind: str) -> str:
    """Take a layer by its name, or by that of its weight."""
    name = name.removesuffix(".weight")
    if name not in layers:
        hint = nearest(name, list(layers)[:10]) if layers else "it has none"
        raise InputError(
            f"must be {kind} of the file, got {quoted(name)}: {hint}", key=f"model.{key}"
        )
    return name


def _only(names: list[str]) -> str | None:
    """Take a name if there is no other."""
    return names[0] if len(names) == 1 else None
