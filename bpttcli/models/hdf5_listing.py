"""A program of its own that lists what an HDF5 file holds: run it, never import it.

The HDF5 library is written in C, and a damaged file can crash it, exhaust the memory or keep it
busy without end. So it works in a process of its own, under limits, and reads no numbers: it
says only where they lie.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any

MISSING = 3  # the exit status that says that h5py is not installed

_DEEPEST = 20
_MOST_OBJECTS = 100_000
_LONGEST_NAME = 200
_MOST_MEMORY = 2 << 30


class Part(io.RawIOBase):
    """Some bytes of a file as a file."""

    def __init__(self, file: io.FileIO, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size = file, start, size
        self._at = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a byte."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Read from there on, not beyond the end of the part."""
        view = memoryview(buffer).cast("B")[: max(self._size - self._at, 0)]
        self._file.seek(self._start + self._at)
        count = self._file.readinto(view) or 0
        self._at += count
        return count


def listing(file: Any) -> dict[str, Any]:
    """List the datasets and the named groups of an open file.

    Only what the file itself holds is followed: no soft, no external link.

    Returns
    -------
    dict
        ``datasets``: {path: [type, shape, offset or null]}, of those in one piece;
        ``names``: {path of a group: its attribute ``name``}.
    """
    import h5py

    datasets: dict[str, Any] = {}
    names: dict[str, str] = {}
    pending = [("", file, 0)]
    seen = 0
    while pending:
        path, group, depth = pending.pop()
        name = group.attrs.get("name")
        if isinstance(name, str) and len(name) <= _LONGEST_NAME and name.isprintable():
            names[path] = name
        for key in group:
            seen += 1
            if seen > _MOST_OBJECTS or depth > _DEEPEST:
                raise ValueError("more objects than any model has")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                continue
            thing = group[key]
            inner = f"{path}/{key}" if path else key
            if isinstance(thing, h5py.Group):
                pending.append((inner, thing, depth + 1))
            elif isinstance(thing, h5py.Dataset) and thing.shape is not None:
                marked = thing.attrs.get("dtype") == "bfloat16"
                whole = not thing.is_virtual and not thing.external
                offset = thing.id.get_offset() if whole else None
                kind = "bfloat16" if marked else thing.dtype.str
                datasets[inner] = [kind, list(thing.shape), offset]
    return {"datasets": datasets, "names": names}


def _limit() -> None:
    """Bound the memory, and leave no core behind."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


def main(path: str, start: str, size: str) -> int:
    """Write the listing as JSON to standard output."""
    _limit()
    try:
        import h5py
    except ImportError:
        return MISSING
    with (
        open(path, "rb", buffering=0) as raw,
        h5py.File(Part(raw, int(start), int(size)), "r") as file,
    ):
        json.dump(listing(file), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
