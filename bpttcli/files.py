"""Writing files so that a reader finds the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from bpttcli.errors import InputError, RunError


def check_target(path: str | Path, *, key: str | None = None) -> None:
    """Refuse a path that nothing can be written to, before a run is spent on it.

    Parameters
    ----------
    path : str or Path
        Where a result is to go.
    key : str, optional
        The key or option that named it.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written, or the path is a folder.
    """
    target = Path(path)
    folder = Path(os.path.realpath(target)).parent
    if os.path.isdir(target):
        raise InputError(f"must be a file, got the folder {target}", key=key)
    if not os.path.isdir(folder):
        raise InputError(f"must be in a folder that exists, got {target}", key=key)
    if not os.access(target if _is_special(target) else folder, os.W_OK):
        raise InputError(f"must be in a folder that can be written, got {target}", key=key)


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` when the block ends, and vanishes if it fails.

    Devices and pipes (``/dev/stdout``) are written as they are.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    binary file

    Raises
    ------
    RunError
        The disk is full, or the system refuses for another reason.
    """
    import tempfile  # most results go to standard output

    target = Path(path)
    temporary: str | None = None
    try:
        if _is_special(target):
            with target.open("wb") as stream:
                yield stream
            return
        target = Path(os.path.realpath(target))
        handle, temporary = tempfile.mkstemp(prefix=".bptt-", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            yield cast("BinaryIO", stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
        temporary = None
    except BrokenPipeError:
        raise  # whoever read has stopped: no failure
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _is_special(target: Path) -> bool:
    """Whether something stands there that is no ordinary file."""
    return os.path.exists(target) and not os.path.isfile(target)


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, or those that a new one would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
