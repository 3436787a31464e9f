"""A file of parameters of any kind, told by its first bytes, not by its name."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

from bpttcli.errors import InputError
from bpttcli.models.contents import Contents
from bpttcli.models.model_file import reading
from bpttcli.models.zip_member import BROKEN

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_BY_SUFFIX = {".npz": "npz", ".keras": "keras"}


def read_model(path: str | Path) -> Contents:
    """Read the names, shapes and places of the tensors of a file.

    Parameters
    ----------
    path : str or Path
        What torch.save, safetensors, Keras 3 or numpy.savez wrote.

    Returns
    -------
    Contents

    Raises
    ------
    InputError
        Something else, or what the reader of that kind refuses.
    """
    path = Path(path)
    kind = _kind(path)
    # Each reader is loaded only for its own files.
    if kind == "npz":
        from bpttcli.models.npz import read_npz

        return Contents(read_npz(path))
    if kind == "safetensors":
        from bpttcli.models.safetensors_file import read_safetensors

        return Contents(read_safetensors(path))
    if kind == "keras":
        from bpttcli.models.keras_file import read_keras

        return read_keras(path)
    from bpttcli.models.torch_checkpoint import read_torch

    return Contents(read_torch(path))


def _kind(path: Path) -> str:
    """Tell which reader a file is for."""
    with reading(path):
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe would have to be waited for
            raise InputError("is a device or a pipe, not a file")
        with path.open("rb") as file:
            head = file.read(9)
        if not head:
            raise InputError("is empty")
        if head.startswith(_ZIP):
            return _kind_of_zip(path)
        if head.startswith(_HDF5):
            return "keras"
        if head[0] == 0x80:
            return "torch"
        suffix = path.suffix.lower()
        if suffix == ".safetensors" or head[8:] == b"{":
            return "safetensors"
        if suffix == ".npz" or head.startswith(b"\x93NUMPY"):
            return "npz"  # whose reader says what is wrong with it
        raise InputError(
            "is no file of parameters: expected one of torch.save, safetensors, Keras 3 "
            "(.keras, .weights.h5) or numpy.savez"
        )


def _kind_of_zip(path: Path) -> str:
    """Tell the three kinds that are zip archives from each other, by what is in them."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except BROKEN:
        return _BY_SUFFIX.get(path.suffix.lower(), "torch")
    if "model.weights.h5" in names:
        return "keras"
    if any(name.endswith(".npy") for name in names):
        return "npz"
    return "torch" if names else "npz"
