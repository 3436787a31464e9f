"""Whoever reads a file finds the old content or the new, whole."""

import errno
import os
import stat

import pytest

from bpttcli.errors import InputError, RunError
from bpttcli.files import atomic, check_target


def write(path, content=b"new"):
    with atomic(path) as stream:
        stream.write(content)


def names(folder):
    return sorted(os.listdir(folder))


def test_a_new_file_is_there_when_the_block_ends_and_nothing_else(tmp_path):
    target = tmp_path / "result.json"
    with atomic(target) as stream:
        stream.write(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["result.json"]


def test_a_path_may_be_a_string(tmp_path):
    write(str(tmp_path / "result.json"))
    assert names(tmp_path) == ["result.json"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_the_old_content_stays_whole_if_the_block_fails(tmp_path, failure):
    target = tmp_path / "result.json"
    target.write_bytes(b"old")

    def fail():
        with atomic(target) as stream:
            stream.write(b"half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["result.json"]


def test_a_full_disk_is_a_failed_run_and_leaves_the_old_content(tmp_path):
    target = tmp_path / "result.json"
    target.write_bytes(b"old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(RunError, match=r"cannot write .*: No space left"), atomic(target):
        raise full
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["result.json"]


def test_a_reader_that_stopped_is_no_failure(tmp_path):
    with pytest.raises(BrokenPipeError), atomic(tmp_path / "result.json"):
        raise BrokenPipeError


def test_a_folder_that_vanished_is_a_failed_run(tmp_path):
    with pytest.raises(RunError, match="cannot write"):
        write(tmp_path / "gone" / "result.json")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_the_permissions_of_what_is_replaced_stay(tmp_path, mode):
    target = tmp_path / "result.json"
    target.touch()
    target.chmod(mode)
    write(target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_new_file_has_the_permissions_that_any_would_have(tmp_path):
    (tmp_path / "other").touch()
    write(tmp_path / "result.json")
    assert (tmp_path / "result.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_stays_one_and_its_target_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "result.json", tmp_path / "link.json"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(tmp_path / "real") == ["result.json"]


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    target = tmp_path / ("n" * 255)
    check_target(target)
    write(target)
    assert target.read_bytes() == b"new"


def test_a_device_is_written_as_it_is():
    check_target(os.devnull)
    write(os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_pipe_is_written_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe)
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["new.json", "old.json", "ä ö [bold].json"])
def test_a_path_that_can_be_written_is_accepted_and_not_touched(tmp_path, name):
    (tmp_path / "old.json").write_bytes(b"old")
    before = names(tmp_path)
    check_target(tmp_path / name)
    assert names(tmp_path) == before
    assert (tmp_path / "old.json").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing/result.json", "must be in a folder that exists, got .*missing/result.json"),
        (".", "must be a file, got the folder"),
        ("file/result.json", "must be in a folder that exists"),
        ("link-to-nowhere/result.json", "must be in a folder that exists"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_the_run(tmp_path, path, message):
    (tmp_path / "file").touch()
    (tmp_path / "link-to-nowhere").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=message) as caught:
        check_target(tmp_path / path, key="--output")
    assert caught.value.key == "--output"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="must be in a folder that can be written"):
        check_target(tmp_path / "result.json")
    tmp_path.chmod(0o700)


def test_a_name_that_is_too_long_is_no_traceback(tmp_path):
    target = tmp_path / ("n" * 300)
    check_target(target)
    with pytest.raises(RunError, match="cannot write"):
        write(target)
    assert names(tmp_path) == []
