"""The two containers of torch.save: a zip archive, and before that pickles and bytes in a row."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from bpttcli.errors import InputError
from bpttcli.models.restricted_pickle import MOST_BYTES, Pairs, load
from bpttcli.models.tensor_storage import ITEM_SIZE
from bpttcli.models.zip_member import BROKEN, CUT, place

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001

# Storage keys are small numbers in the zip format and addresses in the older one.
_LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class Storage:
    """Numbers in a row somewhere in the file.

    Parameters
    ----------
    dtype : str
        A name from `ITEM_SIZE`.
    key : str
        Which of the file's storages it is.
    first : int
        Element of that storage at which this one begins: the older format has storages that
        are parts of others.
    """

    dtype: str
    key: str
    first: int


@dataclass(frozen=True, slots=True)
class StorageType:
    """What a pickle's `torch.FloatStorage` stands for."""

    dtype: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file of torch.save holds.

    Parameters
    ----------
    root : object
        The saved object, as `restricted_pickle.load` gives it.
    places : dict of str to (int, int)
        By storage key, its first byte in the file and its number of bytes.
    """

    root: object
    places: dict[str, tuple[int, int]]


def open_contents(file: BinaryIO, allowed: Mapping[str, object]) -> Contents:
    """Read all of a file but its numbers.

    Parameters
    ----------
    file : binary file
        Seekable, at its start.
    allowed : mapping of str to object
        What the names in its pickles stand for.

    Raises
    ------
    InputError
        A file that torch.save has not written, a part of one, or a pickle that is refused.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if not start:
        raise InputError("is empty")
    if start == b"PK\x03\x04":
        return _open_zip(file, end, allowed)
    if start[0] == 0x80:
        return _open_legacy(file, end, allowed)
    raise InputError("is not a file of torch.save: it is neither a zip archive nor a pickle")


def _open_zip(file: BinaryIO, end: int, allowed: Mapping[str, object]) -> Contents:
    """Read the archive NAME/data.pkl, NAME/data/0, NAME/data/1, …."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist()}
    except BROKEN as error:
        raise InputError(f"{CUT}: it has no readable zip directory") from error
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise InputError("is a zip archive without the data.pkl that torch.save writes")
    folder = pickles[0].removesuffix("data.pkl")

    def content(name: str) -> bytes:
        start, size = place(file, members[name], end, writer="torch.save")
        if size > MOST_BYTES:
            raise InputError(f"holds a {name.removeprefix(folder)} of {size} bytes, too many")
        file.seek(start)
        return file.read(size)

    order = f"{folder}byteorder"
    if order in members and content(order) != b"little":
        raise InputError("was saved on a machine of another byte order")
    root = load(io.BytesIO(content(pickles[0])), allowed, _storage)
    data = f"{folder}data/"
    places = {
        name.removeprefix(data): place(file, info, end, writer="torch.save")
        for name, info in members.items()
        if name.startswith(data)
    }
    return Contents(root, places)


def _open_legacy(file: BinaryIO, end: int, allowed: Mapping[str, object]) -> Contents:
    """Read the pickles (magic number, protocol, machine, object, keys), then find the storages."""
    head = io.BytesIO(file.read(min(end, MOST_BYTES)))
    dtypes: dict[str, str] = {}

    def persistent(identity: object) -> Storage:
        storage = _storage(identity)
        if dtypes.setdefault(storage.key, storage.dtype) != storage.dtype:
            raise ValueError("one storage of two types")
        return storage

    first = load(head, allowed, persistent)
    if first != _MAGIC or load(head, allowed, persistent) != _PROTOCOL:
        raise InputError("is a pickle, but not one that torch.save has written")
    machine = load(head, allowed, persistent)
    if not isinstance(machine, Pairs) or ("little_endian", True) not in machine:
        raise InputError("was saved on a machine of another byte order")
    root = load(head, allowed, persistent)
    keys = load(head, allowed, persistent)

    places: dict[str, tuple[int, int]] = {}
    position = head.tell()
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or key not in dtypes:
            raise InputError(CUT)
        file.seek(position)
        size = int.from_bytes(file.read(8), "little") * ITEM_SIZE[dtypes[key]]
        places[key] = (position + 8, size)
        position += 8 + size
        if position > end:
            raise InputError(CUT)
    return Contents(root, places)


def _storage(identity: object) -> Storage:
    """Take a persistent id: ('storage', type, key, location, numel), in old files a view more."""
    if not isinstance(identity, tuple) or len(identity) not in (5, 6):
        raise ValueError("not a storage")
    word, kind, key, *_ = identity
    view = identity[5] if len(identity) == 6 else None
    first = 0 if view is None else index(view[1])
    if word != "storage" or not isinstance(kind, StorageType) or not isinstance(key, str):
        raise ValueError("not a storage")
    if len(key) > _LONGEST_KEY:
        raise ValueError("not a key that torch.save writes")
    return Storage(kind.dtype, key, first)


def index(value: object) -> int:
    """Take a size, a stride or an offset; within 64 bits, so that sums of them stay quick."""
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError("not a count of elements")
    return value
