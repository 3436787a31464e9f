"""One checkpoint as the bytes of a file: arrays, plain values, and a checksum over both."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.errors import InputError
from bpttcli.record import Record

_VERSION = 1
_VALUES, _CHECKSUM = "values", "checksum"


class Checkpoint(Record, frozen=True):
    """What a run can go on from.

    Parameters
    ----------
    arrays : dict of str to array
    values : dict
        Plain values, as JSON has them.
    """

    arrays: dict[str, NDArray[Any]]
    values: dict[str, Any]

    def group(self, name: str) -> dict[str, NDArray[Any]]:
        """Give the arrays whose names begin with ``name/``, without that."""
        start = f"{name}/"
        return {
            key.removeprefix(start): value
            for key, value in self.arrays.items()
            if key.startswith(start)
        }


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Write a checkpoint as an npz file, which NumPy alone can read.

    Parameters
    ----------
    checkpoint : Checkpoint
    """
    text = msgspec.json.encode({"version": _VERSION, **checkpoint.values})
    held = {**checkpoint.arrays, _VALUES: np.frombuffer(text, dtype=np.uint8)}
    stream = io.BytesIO()
    np.savez(stream, **held, **{_CHECKSUM: _checksum(held)})  # type: ignore[arg-type]
    return stream.getvalue()


def from_bytes(content: bytes) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        It is damaged, or none.
    """
    import zipfile
    import zlib

    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
        checksum = held.pop(_CHECKSUM)
        if not np.array_equal(checksum, _checksum(held)):
            raise InputError("does not have the content that was written")
        values = msgspec.json.decode(held.pop(_VALUES).tobytes())
    # A file that was cut or changed may fail anywhere on the way.
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError("is damaged or no checkpoint") from error
    except (NotImplementedError, MemoryError, RuntimeError) as error:
        raise InputError("is damaged or no checkpoint") from error
    if values.pop("version", None) != _VERSION:
        raise InputError("was written by another version of bptt")
    return Checkpoint(held, values)


def _checksum(held: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    """SHA-256 over names, types, shapes and content."""
    digest = hashlib.sha256()
    for name in sorted(held):
        array = np.ascontiguousarray(held[name])
        digest.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8)
