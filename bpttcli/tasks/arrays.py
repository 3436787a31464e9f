"""Arrays that NumPy saved, npz or npy, read without trusting the file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from bpttcli.tasks.files import InputFile

_MAGIC = (b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06")  # npy, npz, npz without an array


def is_saved_by_numpy(content: bytes, file: InputFile) -> bool:
    """Tell npz and npy from anything else, by the first bytes.

    Raises
    ------
    InputError
        The name says npz or npy, the bytes do not.
    """
    if content.startswith(_MAGIC):
        return True
    suffix = file.path.lower()[-4:]
    if suffix in (".npz", ".npy"):
        raise file.error(f"is not what it is called: it does not begin as {suffix[1:]} files do")
    return False


def read_arrays(content: bytes, file: InputFile, *, sole: str = "x") -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz or npy file.

    Parameters
    ----------
    content : bytes
        The whole file.
    file : InputFile
        Where it came from.
    sole : str
        The name to give to the array of an npy file, which has none.

    Returns
    -------
    dict of str to array
        Of any type but Python objects, which are never unpickled.

    Raises
    ------
    InputError
        The file is truncated or damaged, or holds something that is not an array of numbers.
    """
    load = partial(np.load, io.BytesIO(content), allow_pickle=False)
    saved = _attempt(load, sole, file)
    if not isinstance(saved, NpzFile):
        return {sole: saved}
    arrays = {name: _attempt(partial(saved.__getitem__, name), name, file) for name in saved.files}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise file.error(f"holds {name!r}, which is not an array")
    return arrays


def _attempt(read: Callable[[], Any], name: str, file: InputFile) -> Any:
    """Read something, and say in one sentence what is wrong with it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd header is no matter if it can be read
            return read()
    # A damaged file fails anywhere in zipfile, zlib, ast and NumPy, with any exception.
    except Exception as error:
        if "allow_pickle" in str(error):
            raise file.error(
                f"holds Python objects in the array {name!r}, which are never unpickled: "
                f"save it as numbers, numpy.asarray({name}, dtype=float); sequences of different "
                "lengths are padded, with their lengths in an array 'lengths'"
            ) from None
        raise file.error(f"is truncated or damaged: {name!r} cannot be read") from None
