"""Where a member of a zip archive lies."""

import zipfile

import pytest

from bpttcli.errors import InputError
from bpttcli.models.zip_member import place


@pytest.fixture
def archive(tmp_path):
    """Write an archive of two members, and give its bytes and the second one's description."""

    def write(compression=zipfile.ZIP_STORED):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", compression) as file:
            file.writestr("first", b"x" * 50)
            file.writestr("folder/second", b"hello, hello, hello")
        return path, zipfile.ZipFile(path).getinfo("folder/second")

    return write


def test_a_member_is_read_in_place(archive):
    path, info = archive()
    end = path.stat().st_size
    with path.open("rb") as file:
        start, size = place(file, info, end, writer="x")
    assert path.read_bytes()[start : start + size] == b"hello, hello, hello"


def test_a_compressed_member_is_refused(archive):
    path, info = archive(zipfile.ZIP_DEFLATED)
    with path.open("rb") as file, pytest.raises(InputError, match="archive; Keras writes an unc"):
        place(file, info, path.stat().st_size, writer="Keras")


@pytest.mark.parametrize(
    "change", [{"header_offset": -1}, {"header_offset": 3}, {"file_size": 999}]
)
def test_a_place_outside_the_file_or_without_its_header_is_refused(archive, change):
    path, info = archive()
    for name, value in change.items():
        setattr(info, name, value)
    with path.open("rb") as file, pytest.raises(InputError, match="is cut off or damaged"):
        place(file, info, path.stat().st_size, writer="x")
