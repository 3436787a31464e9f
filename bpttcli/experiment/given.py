"""The network that stands in a file or in the experiment itself, and what was taken for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.experiment.schema import Init, Model
from bpttcli.record import Record
from bpttcli.tasks.sequences import Sequences

_DEFAULT_CELL = "tanh"


class Given(Record, frozen=True):
    """A network that is not drawn.

    Parameters
    ----------
    network : Network
    model : Model
        Resolved: with the names of what was taken.
    readouts : tuple of str
        Where no readout was taken, the linear layers that would fit.
    embeddings : tuple of str
        Where none was taken, the embeddings that would fit.
    unfit : tuple of str
        The layers that are called embeddings and do not fit.
    vectors : callable
        Reads the (symbols, I) vectors of the embedding; None if none was taken.
    """

    network: Network
    model: Model
    readouts: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    vectors: Callable[[], Array | None] = lambda: None


def given_network(model: Model, warnings: list[str]) -> Given | None:
    """Read the network of an experiment, if it has one.

    Parameters
    ----------
    model : Model
    warnings : list of str
        Gains what had to be assumed.

    Returns
    -------
    Given or None
        None where the parameters are to be drawn.

    Raises
    ------
    InputError
        The parameters are none, or contradict each other or the other keys of `model`.
    """
    if model.file is not None:
        given = _from_file(model.file, model, warnings)
    elif model.parameters is not None:
        parameters = {name: np.asarray(values) for name, values in model.parameters.items()}
        if model.cell is None:
            warnings.append(_assumed("the parameters do not say which cell they belong to"))
        given = Given(_network(model.cell or _DEFAULT_CELL, parameters, "model.parameters"), model)
    else:
        return None
    _check_agreement(model, given.network)
    return given


def fed(
    given: Given, asked: Model, sequences: Sequences, warnings: list[str]
) -> tuple[Model, Sequences]:
    """Turn sequences into what the network itself is fed.

    Integer x becomes the vectors of the embedding, where there is one; for the backward
    direction of a bidirectional network the sequences are turned round.

    Parameters
    ----------
    given : Given
    asked : Model
        As it was before it was resolved.
    sequences : Sequences
    warnings : list of str
        Gains what a reader must know of it.

    Returns
    -------
    Model
        With the name of the embedding only if it is used.
    Sequences

    Raises
    ------
    InputError
        Several embeddings could be meant, a token has no vector, or an embedding was asked for
        where x is real.
    """
    model = given.model
    if sequences.x.ndim == 2:
        sequences = _embedded(given, sequences, warnings)
    elif asked.embedding is not None:
        raise InputError(
            "must stand beside integer x, which it turns into vectors; x is real already",
            key="model.embedding",
        )
    else:
        model = msgspec.structs.replace(model, embedding=None)
    if model.direction == "reverse":
        sequences = sequences.backward()
        warnings.append(
            "the reverse direction reads each sequence from its end: "
            "step 1 is the last one of the data"
        )
    return model, sequences


def _embedded(given: Given, sequences: Sequences, warnings: list[str]) -> Sequences:
    """Look up the vectors of tokens, if there are any; else they stay one-hot."""
    name, vectors = given.model.embedding, given.vectors()
    if vectors is None:
        if given.embeddings:
            raise InputError(
                "must name the embedding that integer x is read through: "
                f"{_named(given.embeddings)}",
                key="model.embedding",
            )
        if given.unfit:
            warnings.append(
                f"integer x is fed as one-hot vectors: {_named(given.unfit)} of the file does not "
                f"fit the {given.network.n_inputs} inputs of the network"
            )
        return sequences
    top = int(sequences.x.max())
    if top >= len(vectors):
        raise InputError(
            f"must hold tokens from 0 to {len(vectors) - 1} (the embedding {name!r} has "
            f"{len(vectors)} vectors), got {top}",
            key="task.x",
        )
    return msgspec.structs.replace(
        sequences, x=vectors[sequences.x], n_inputs=given.network.n_inputs
    )


def _from_file(path: str, model: Model, warnings: list[str]) -> Given:
    """Read the network of a file, and say what was taken for what."""
    from bpttcli.models.find_layers import layer_of
    from bpttcli.models.find_network import find_network
    from bpttcli.models.model_file import naming
    from bpttcli.models.read import read_model

    contents = read_model(path)
    for key in ("recurrent", "readout"):
        asked = getattr(model, key)
        if asked in contents.refused:
            raise InputError(
                f"must be another one: {asked!r} {contents.refused[asked]}", key=f"model.{key}"
            )
    with naming(path):
        found = find_network(
            contents.tensors,
            recurrent=model.recurrent,
            readout=model.readout,
            direction=model.direction,
            embedding=model.embedding,
        )
    layers = {
        part: layer_of(found.taken[f"{part}.weight"])
        for part in ("readout", "embedding")
        if f"{part}.weight" in found.taken
    }
    if found.recurrent in contents.refused:
        reason = contents.refused[found.recurrent]
        raise InputError(f"{path!r} holds {found.recurrent!r}, which {reason}", key="model.file")
    taken = (found.recurrent, *layers.values())
    warnings += [contents.notes[name] for name in taken if name in contents.notes]
    if "readout" not in layers:
        warnings += [
            f"{name!r} is not taken as the readout: it {reason}"
            for name, reason in contents.refused.items()
            if name not in found.modules
        ]
    cell = contents.cells.get(found.recurrent)
    if cell is None and found.family != "elman":
        cell = found.family
    possible = ["tanh", "relu", "linear"] if cell is None else [cell]
    if model.cell is None and cell is None:
        warnings.append(_assumed("tanh and relu cannot be told apart by their parameters"))
    elif model.cell not in (None, *possible):
        raise InputError(
            f"must be {_either(possible)}, as in model.file, got {model.cell}", key="model.cell"
        )
    chosen = model.cell or cell or _DEFAULT_CELL
    resolved = msgspec.structs.replace(
        model,
        recurrent=found.recurrent,
        readout=layers.get("readout"),
        embedding=layers.get("embedding"),
    )
    return Given(
        network=_network(chosen, found.parameters, "model.file"),
        model=resolved,
        readouts=() if "readout" in layers else found.readouts,
        embeddings=() if "embedding" in layers else found.embeddings,
        unfit=tuple(
            layer_of(name)
            for name, tensor in contents.tensors.items()
            if name.endswith("weight") and len(tensor.shape) == 2 and "emb" in name.lower()
        ),
        vectors=found.read_embedding,
    )


def _network(cell: str, parameters: dict[str, Array], key: str) -> Network:
    """Build the network, and name the key in whatever is wrong with it."""
    try:
        return Network.from_parameters(cell_named(cell), parameters)
    except InputError as error:
        raise InputError(str(error), key=error.key or key) from error


def _check_agreement(model: Model, network: Network) -> None:
    """Compare what was asked for with what was given."""
    key = "model.parameters" if model.file is None else "model.file"
    for name in Init.__struct_fields__:
        asked = getattr(model.init, name)
        if asked != getattr(Init(), name):
            raise InputError(
                f"must not stand beside {key}, which leaves nothing to draw, got {asked}",
                key=f"model.init.{name}",
            )
    found = {"hidden": network.layers[-1].hidden, "layers": len(network.layers)}
    for name, value in found.items():
        asked = getattr(model, name)
        if asked is not None and asked != value:
            raise InputError(f"must be {value}, as in {key}, got {asked}", key=f"model.{name}")


def _assumed(reason: str) -> str:
    """Say that the default cell was taken, and why."""
    return f"{reason}: {_DEFAULT_CELL} is assumed; name it with --cell"


def _either(names: Iterable[str]) -> str:
    """Write alternatives."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _named(names: Iterable[str]) -> str:
    """Write a list of names of layers."""
    return ", ".join(repr(name) for name in names)
