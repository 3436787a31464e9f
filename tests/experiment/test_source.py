"""The text of an experiment is read from a file, a name or standard input, or refused in a line."""

import io
import os

import pytest

from bpttcli.errors import InputError
from bpttcli.experiment.source import read


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name: str, data: bytes) -> str:
    with open(name, "wb") as file:
        file.write(data)
    return name


def test_a_file_is_named_as_the_user_named_it_and_knows_its_folder(tmp_path):
    os.makedirs("deep/[bold]x[")
    text, origin = read(write("deep/[bold]x[/].yaml", b"seed: 1"))
    assert text == "seed: 1"
    assert str(origin) == "deep/[bold]x[/].yaml:1"
    assert origin.folder == str(tmp_path / "deep/[bold]x[")


def test_a_bare_name_is_a_file_of_this_folder_first_and_a_bundled_experiment_else():
    assert read("adding")[1].name == "adding.yaml"
    write("adding", b"seed: 1")
    assert read("adding")[0] == "seed: 1"


def test_a_folder_does_not_hide_a_bundled_experiment():
    os.mkdir("adding")
    assert read("adding")[1].name == "adding.yaml"


@pytest.mark.parametrize(
    "stream", [io.StringIO("a: é"), io.TextIOWrapper(io.BytesIO(b"a: \xc3\xa9"), "ascii")]
)
def test_standard_input_is_utf8_whatever_its_own_encoding(stream):
    text, origin = read("-", stream)
    assert (text, str(origin)) == ("a: é", "<stdin>:1")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n\n", "is empty"),
        (b"a: \xff", "must be a text in UTF-8, got byte 0xff at position 3"),
        ("a: 1".encode("utf-16"), "must be a text in UTF-8, got byte 0xff at position 0"),
        ("a: 時".encode()[:-1], "must be a text in UTF-8, got byte 0xe6 at position 3"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(data, reason):
    write("deep.yaml", data)
    for experiment, name in [("deep.yaml", "deep.yaml"), ("-", "<stdin>")]:
        with pytest.raises(InputError) as caught:
            read(experiment, io.TextIOWrapper(io.BytesIO(data)))
        assert str(caught.value).startswith(f"{name}: {reason}")


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ("none.yaml", "none.yaml: there is no such file"),
        ("./none", "./none: there is no such file"),
        ("folder.yaml", "folder.yaml: is a folder, not a file"),
        ("deep.yaml/x.yaml", "deep.yaml/x.yaml: cannot be read: Not a directory"),
        ("a\0.yaml", "a\\x00.yaml: cannot be read: embedded null byte"),
        ("x" * 300 + ".yaml", "x" * 300 + ".yaml: cannot be read: File name too long"),
        ("ading", "there is neither a file nor a bundled experiment named 'ading'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(experiment, message):
    os.mkdir("folder.yaml")
    write("deep.yaml", b"seed: 1")
    with pytest.raises(InputError) as caught:
        read(experiment)
    assert str(caught.value).startswith(message)


def test_a_file_without_permission_is_refused(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match=r"^deep\.yaml: cannot be read: Permission denied$"):
        read("deep.yaml")


def test_a_closed_standard_input_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match=r"^<stdin>: is closed$"):
        read("-")
    stream = io.StringIO("seed: 1")
    stream.close()
    with pytest.raises(InputError, match=r"^<stdin>: cannot be read: "):
        read("-", stream)
