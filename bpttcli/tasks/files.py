"""A file that a user named: its bytes and its text, or one sentence about why not."""

from __future__ import annotations

import os
import stat

from bpttcli.errors import InputError
from bpttcli.record import Record


class InputFile(Record, frozen=True):
    """A file to be read whole.

    Parameters
    ----------
    path : str
        As the user wrote it, or absolute.
    key : str
        The key of the experiment that names it.
    """

    path: str
    key: str

    def error(self, message: str) -> InputError:
        """Make the error that says so of this file."""
        return InputError(f"{self.path!r} {message}", key=self.key)

    def read(self) -> bytes:
        """Read its bytes, at least one.

        Raises
        ------
        InputError
            It is missing, a folder, a device, unreadable or empty.
        """
        try:
            with open(self.path, "rb") as handle:
                mode = os.fstat(handle.fileno()).st_mode
                if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):  # may never end
                    raise self.error("is a device, not a file")
                content = handle.read()
        except OSError as error:
            raise self.error(f"cannot be read: {(error.strerror or str(error)).lower()}") from None
        except ValueError:  # a NUL in the path
            raise self.error("is not the name of a file") from None
        if not content:
            raise self.error("is empty")
        return content

    def decode(self, content: bytes) -> str:
        r"""Take its bytes as UTF-8 text, without byte order mark, its lines ending in ``\n``.

        Raises
        ------
        InputError
            They are something else; the message has the first such byte and
            its position, counted from 0.
        """
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            wrong, at = content[error.start], error.start
            raise self.error(
                f"must be UTF-8, got the byte 0x{wrong:02x} at position {at}"
            ) from None
        if "\0" in text:
            at = content.index(b"\0")
            raise self.error(f"must be text in UTF-8, got the byte 0x00 at position {at}")
        return text.removeprefix("\ufeff").replace("\r\n", "\n")
