"""Files that a user named."""

import os
import re

import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.files import InputFile


def file(path):
    return InputFile(str(path), "task.file")


def test_the_bytes_are_those_of_the_file(tmp_path):
    (tmp_path / "f").write_bytes(b"\x00\xff")
    assert file(tmp_path / "f").read() == b"\x00\xff"


def test_a_pipe_is_read_to_its_end():
    reading, writing = os.pipe()
    os.write(writing, b"piped")
    os.close(writing)
    assert file(f"/dev/fd/{reading}").read() == b"piped"
    os.close(reading)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "cannot be read: no such file or directory"),
        (".", "cannot be read: is a directory"),
        ("empty", "is empty"),
        ("empty/below", "cannot be read: not a directory"),
        ("x" * 5000, "cannot be read: file name too long"),
        ("a\0b", "is not the name of a file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, name, reason):
    (tmp_path / "empty").touch()
    path = f"{tmp_path}/{name}"
    with pytest.raises(InputError, match=f"^{re.escape(repr(path))} {reason}$") as error:
        file(path).read()
    assert error.value.key == "task.file"


def test_a_device_is_not_read_for_it_may_never_end():
    with pytest.raises(InputError, match="is a device"):
        file("/dev/zero").read()


def test_a_name_is_printed_without_control_characters():
    with pytest.raises(InputError, match=r"^'\[bold\]\\x1b\[1m\.txt' cannot be read"):
        file("[bold]\x1b[1m.txt").read()


@pytest.mark.parametrize("content", ["\ufeffa\r\nb", "a\nb", "a\r\nb"])
def test_text_has_no_byte_order_mark_and_no_carriage_returns(content):
    assert file("f").decode(content.encode()) == "a\nb"


@pytest.mark.parametrize(
    ("content", "byte", "position"),
    [
        ("时间".encode()[:-1], "0xe9", 3),
        (b"\xef\xbb\xbfabc\x80", "0x80", 6),
        ("é".encode("latin-1"), "0xe9", 0),
        (b"a\xed\xa0\x80", "0xed", 1),
        ("ab".encode("utf-16-le"), "0x00", 1),
    ],
)
def test_another_encoding_is_refused_with_the_position_of_the_byte(content, byte, position):
    with pytest.raises(InputError, match=f"UTF-8, got the byte {byte} at position {position}$"):
        file("f").decode(content)
