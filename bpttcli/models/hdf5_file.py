"""What an HDF5 file holds, found out by a program that may crash."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bpttcli.errors import InputError
from bpttcli.models import hdf5_listing
from bpttcli.models.tensor_storage import ITEM_SIZE, LazyTensor

_SECONDS = 30  # a hundredth of it is much
_DTYPES = {"<f8": "float64", "<f4": "float32", "<f2": "float16", "bfloat16": "bfloat16"}


@dataclass(frozen=True, slots=True, eq=False)
class Hdf5Contents:
    """The arrays of an HDF5 file.

    Parameters
    ----------
    tensors : dict of str to LazyTensor
        Those of real numbers, by path.
    names : dict of str to str
        By path of a group, the attribute ``name`` that it has.
    """

    tensors: dict[str, LazyTensor]
    names: dict[str, str]


class _Listing(msgspec.Struct):
    """What the program writes."""

    datasets: dict[str, tuple[str, list[int], int | None]]
    names: dict[str, str]


def read_hdf5(path: Path, start: int, size: int) -> Hdf5Contents:
    """Find the arrays of an HDF5 file, which may be a part of another file.

    Parameters
    ----------
    path : Path
    start, size : int
        Where it begins, and its number of bytes.

    Returns
    -------
    Hdf5Contents
        Arrays that lie in the file in one piece, uncompressed; others are passed by.

    Raises
    ------
    InputError
        h5py is not installed, or the file is damaged.
    """
    listing = _run(path, start, size)
    tensors = {}
    for name, (kind, shape, offset) in listing.datasets.items():
        dtype = _DTYPES.get(kind)
        if dtype is None or offset is None or not name.isprintable() or min(shape, default=1) < 0:
            continue
        strides = [1] * len(shape)
        for axis in reversed(range(len(shape) - 1)):
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        tensor = LazyTensor(path, start + offset, dtype, tuple(shape), tuple(strides))
        if offset < 0 or offset + tensor.extent > size:
            raise InputError(f"is damaged: {name!r} reaches beyond the end")
        tensors[name] = tensor
    return Hdf5Contents(tensors, listing.names)


def _run(path: Path, start: int, size: int) -> _Listing:
    """Run the program, and tell how it ended."""
    command = [sys.executable, "-P", hdf5_listing.__file__, str(path), str(start), str(size)]
    # One thread: its memory is bounded, and each thread of a matrix library takes some.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, env=environment, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"is damaged: it cannot be listed in {_SECONDS} seconds") from error
    if done.returncode == hdf5_listing.MISSING:
        raise InputError("needs the h5py library: pip install 'bptt[keras]'")
    if done.returncode != 0:
        raise InputError("is no HDF5 file that Keras writes, or cut off or damaged")
    try:
        return msgspec.json.decode(done.stdout, type=_Listing)
    except msgspec.DecodeError as error:
        raise InputError("is damaged: its names are not text") from error


def rows(tensor: LazyTensor, order: tuple[int, ...] = (0,)) -> tuple[LazyTensor, ...]:
    """Transpose a matrix, or leave a vector, and cut it into blocks of rows in another order.

    Parameters
    ----------
    tensor : LazyTensor
        (I, G·H) or (G·H,), contiguous.
    order : tuple of int
        The G blocks of the file, as they are to follow each other.

    Returns
    -------
    tuple of LazyTensor
        (H, I) or (H,) each.
    """
    count = tensor.shape[-1] // len(order)
    shape: tuple[Any, ...] = (count, *tensor.shape[:-1])
    strides = (1, *tensor.strides[:-1])
    size = ITEM_SIZE[tensor.dtype]
    return tuple(
        LazyTensor(tensor.path, tensor.start + k * count * size, tensor.dtype, shape, strides)
        for k in order
    )
