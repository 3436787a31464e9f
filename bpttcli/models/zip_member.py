"""Where a member of a zip archive lies, so that it can be read in place."""

from __future__ import annotations

import struct
import zipfile
from typing import BinaryIO

from bpttcli.errors import InputError

CUT = "is cut off or damaged"
#: What zipfile raises on an archive that is none or is damaged.
BROKEN = (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError)

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of the name and of the extra field


def place(file: BinaryIO, info: zipfile.ZipInfo, end: int, *, writer: str) -> tuple[int, int]:
    """Find the first byte of a member and their number.

    The checksum is left alone: torch.save can be told to leave it out, and testing it would
    mean to read every number of the file.

    Parameters
    ----------
    file : binary file
        The archive.
    info : zipfile.ZipInfo
        The member.
    end : int
        The size of the file.
    writer : str
        Who writes such archives without compression, for the message.

    Raises
    ------
    InputError
        A member that is compressed or encrypted, or that the file does not hold whole.
    """
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise InputError(f"is a compressed zip archive; {writer} writes an uncompressed one")
    if not 0 <= info.header_offset <= end - _LOCAL_HEADER.size:
        raise InputError(CUT)
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    signature, name, extra = _LOCAL_HEADER.unpack(header)
    start = info.header_offset + len(header) + name + extra
    if signature != b"PK\x03\x04" or start + info.file_size > end:
        raise InputError(CUT)
    return start, info.file_size
