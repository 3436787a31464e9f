"""Keras 3's files: .keras, an archive with a description of the model, and .weights.h5."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import BinaryIO

from bpttcli.errors import InputError
from bpttcli.models.contents import Contents
from bpttcli.models.hdf5_file import read_hdf5
from bpttcli.models.keras_config import ModelConfig, read_config
from bpttcli.models.keras_layers import layers_of
from bpttcli.models.model_file import reading
from bpttcli.models.zip_member import BROKEN, CUT, place

_WEIGHTS, _CONFIG = "model.weights.h5", "config.json"
_LARGEST_CONFIG = 32 << 20
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_keras(path: str | Path) -> Contents:
    """Read the names, shapes and places of the layers of a file that Keras 3 wrote.

    Parameters
    ----------
    path : str or Path
        A .keras archive, whose config.json names activations and tells which layers feed each
        other, or a .weights.h5 file, which does not.

    Returns
    -------
    Contents
        Recurrent layers, dense ones (as linear layers) and embeddings, under the names that
        they have in Keras; ``lower+upper`` is a stack of two.

    Raises
    ------
    InputError
        h5py is not installed; a file that is cut off, damaged or not Keras's.
    """
    path = Path(path)
    with reading(path), path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        start, size, config = _locate(file, end)
        file.seek(start)
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise InputError(CUT)
        stored = read_hdf5(path, start, size)
        if sum(tensor.extent for tensor in stored.tensors.values()) > size:
            raise InputError("is damaged: its arrays claim more bytes than there are")
        if any(name.endswith(":0") for name in stored.tensors):
            raise InputError(
                "is in Keras's older h5 format: load it in Keras 3 and save it as .keras"
            )
        return layers_of(stored, config)


def _locate(file: BinaryIO, end: int) -> tuple[int, int, ModelConfig]:
    """Find the weights in the file, and read what stands beside them."""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        return 0, end, ModelConfig({}, {})
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
    except BROKEN as error:
        raise InputError(f"{CUT}: it has no readable zip directory") from error
    if _WEIGHTS not in members or _CONFIG not in members:
        raise InputError(f"is a zip archive without the {_WEIGHTS} and {_CONFIG} of Keras")
    start, size = place(file, members[_CONFIG], end, writer="Keras")
    if size > _LARGEST_CONFIG:
        raise InputError(f"holds a {_CONFIG} of {size} bytes, too many")
    file.seek(start)
    config = read_config(file.read(size))
    return *place(file, members[_WEIGHTS], end, writer="Keras"), config
