"""Parameters from an npz file, under PyTorch's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.tasks.arrays import is_saved_by_numpy, read_arrays
from bpttcli.tasks.files import InputFile
from bpttcli.tasks.numeric import numbers


def read_parameters(path: str | Path) -> dict[str, Array]:
    """Read the parameters of a network.

    Parameters
    ----------
    path : str or Path
        An npz file; each array is one parameter (`Network.from_parameters` checks names and
        shapes).

    Raises
    ------
    InputError
        No such file, not an npz file, or an array of something else than finite numbers.
    """
    file = InputFile(str(path), "model.file")
    content = file.read()
    if not is_saved_by_numpy(content, file) or content.startswith(b"\x93"):
        raise file.error("must be an npz file of parameters under PyTorch's names")
    parameters = {}
    for name, array in read_arrays(content, file).items():
        try:
            parameters[name] = numbers(array, "model.file").astype(np.float64)
        except InputError as error:
            raise file.error(f"holds {name!r}, which {error}") from None
    return parameters
