"""The text of an experiment: from a file, from standard input, or from the package."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from bpttcli.errors import InputError
from bpttcli.experiment.bundled import bundled_path
from bpttcli.experiment.tree import Origin


def read(experiment: str, stdin: TextIO | None = None) -> tuple[str, Origin]:
    """Read the text of an experiment.

    Parameters
    ----------
    experiment : str
        A path, ``-``, or a bare name: then a file of that name in the current folder, or
        else a bundled experiment.
    stdin : text stream, optional
        What ``-`` reads, called by its name in errors; the standard input unless given.

    Returns
    -------
    str
        Not empty.
    Origin
        Its first line.

    Raises
    ------
    InputError
        There is no such file, it cannot be read, is empty or is not UTF-8.
    """
    if experiment == "-":
        stream = stdin or sys.stdin
        origin = Origin(getattr(stream, "name", "<stdin>"), 1)
        data = _read_stream(stream, origin)
    else:
        path, origin = _find(experiment)
        data = _read_file(path, origin)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        byte = f"byte 0x{data[error.start]:02x} at position {error.start}"
        raise _complaint(origin, f"must be a text in UTF-8, got {byte}") from None
    if not text.removeprefix("\ufeff").strip():
        raise _complaint(origin, "is empty, a single key such as 'seed: 0' would do")
    return text, origin


def _find(experiment: str) -> tuple[str, Origin]:
    """Tell the path of a file from the name of a bundled experiment."""
    is_path = os.path.basename(experiment) != experiment or experiment.endswith((".yaml", ".yml"))
    is_file = os.path.exists(experiment) and not os.path.isdir(experiment)
    if is_path or is_file:
        return experiment, Origin(experiment, 1, os.path.dirname(os.path.abspath(experiment)))
    path = bundled_path(experiment)
    return str(path), Origin(path.name, 1, str(path.parent))


def _read_file(path: str, origin: Origin) -> bytes:
    """Read a file, or say in a few words why not."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except IsADirectoryError:
        raise _complaint(origin, "is a folder, not a file") from None
    except FileNotFoundError:
        raise _complaint(origin, "there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _complaint(origin, f"cannot be read: {reason}") from None


def _read_stream(stream: TextIO | None, origin: Origin) -> bytes:
    """Read the bytes below a text stream, whose own encoding may not be UTF-8."""
    if stream is None:
        raise _complaint(origin, "is closed")
    try:
        buffer = getattr(stream, "buffer", None)
        return buffer.read() if buffer is not None else stream.read().encode()
    except (OSError, ValueError) as error:
        raise _complaint(origin, f"cannot be read: {error}") from None


def _complaint(origin: Origin, message: str) -> InputError:
    """Name the source without a line: the fault is the whole text's."""
    return InputError(f"{origin._replace(line=None)}: {message}")
