"""Parameters out again, under the names that they have here: PyTorch's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.files import atomic, check_target

_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
#: Cells that parameters of their shapes are not taken for, unless somebody says so.
UNTOLD = ("relu", "linear")
_READOUT = ("readout.weight", "readout.bias")


def check_parameters_target(path: str | Path, *, key: str | None = None) -> None:
    """Refuse a path that parameters cannot be written to, before any are computed.

    Parameters
    ----------
    path : str or Path
        Where the parameters are to go.
    key : str, optional
        The key or option that named it.

    Raises
    ------
    InputError
        A suffix other than .npz and .safetensors, a missing safetensors library, or a path
        that `bpttcli.files.check_target` refuses.
    """
    suffix = Path(path).suffix
    if suffix not in (".npz", ".safetensors"):
        raise InputError(f"must end in .npz or .safetensors, got {str(path)!r}", key=key)
    if suffix == ".safetensors":
        try:
            import safetensors  # noqa: F401
        except ImportError as error:
            message = "ends in .safetensors and needs that library: pip install 'bptt[safetensors]'"
            raise InputError(message, key=key) from error
    check_target(path, key=key)


def torch_parameters(network: Network) -> dict[str, Array]:
    """Give a network's parameters as PyTorch's modules have them.

    A module has both biases or none: where one is missing beside another, it is zeros, which
    change no state. Without ``readout.…``, the linear layer, they are what
    ``torch.nn.RNN(…).load_state_dict`` takes (or GRU, or LSTM).

    Parameters
    ----------
    network : Network

    Returns
    -------
    dict of str to array
    """
    parameters = network.parameters
    if any(layer.bias is not None for layer in network.layers):
        for k, layer in enumerate(network.layers):
            for kind in ("bias_ih", "bias_hh"):
                parameters.setdefault(f"{kind}_l{k}", np.zeros(len(layer.B)))
    order = [f"{kind}_l{k}" for k in range(len(network.layers)) for kind in _KINDS]
    return {name: parameters[name] for name in (*order, *_READOUT) if name in parameters}


def save_parameters(path: str | Path, parameters: Mapping[str, Array]) -> None:
    """Write parameters whole or not at all: a file that was there before stays until the end.

    Parameters
    ----------
    path : str or Path
        Ends in .npz or .safetensors.
    parameters : mapping of str to array
        By name, written as float64.

    Raises
    ------
    InputError
        A path that `check_parameters_target` refuses.
    RunError
        The file cannot be written.
    """
    check_parameters_target(path)
    # safetensors reads an array as one piece of memory.
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(value, dtype=np.float64) for name, value in parameters.items()
    }
    with atomic(path) as file:
        if Path(path).suffix == ".npz":
            np.savez(file, **arrays)
        else:
            from safetensors.numpy import save

            file.write(save(arrays))
