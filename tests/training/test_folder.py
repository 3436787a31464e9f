"""The folder of a run: it appears whole, keeps the last, and survives damage."""

import resource
import signal

import numpy as np
import pytest

from bpttcli.errors import InputError, RunError
from bpttcli.training.checkpoint import Checkpoint
from bpttcli.training.folder import Folder


def checkpoint(n):
    return Checkpoint({"x": np.full(3, float(n))}, {"n": n})


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path / "run", keep=2)
    made.create(b"seed: 1\n", checkpoint(0))
    return made


def names(folder):
    return sorted(path.name for path in folder.path.iterdir())


def test_it_appears_with_its_experiment_and_update_0(folder, tmp_path):
    assert names(folder) == ["experiment.yaml", "update-000000000.npz"]
    assert folder.experiment.read_bytes() == b"seed: 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert folder.newest().checkpoint.values == {"n": 0}


def test_an_empty_folder_may_be_there_already(tmp_path):
    (tmp_path / "run").mkdir()
    made = Folder(tmp_path / "run")
    made.check_unused()
    made.create(b"seed: 1\n", checkpoint(0))
    assert len(names(made)) == 2


def test_the_last_few_are_kept(folder):
    for n in (5, 10, 15, 20):
        folder.save(n, checkpoint(n))
    assert [path.name for path in folder.checkpoints()] == [
        "update-000000020.npz",
        "update-000000015.npz",
    ]
    assert folder.newest().checkpoint.values == {"n": 20}


def test_damaged_ones_are_passed_over_named_and_set_aside(folder):
    """Else a whole one that follows would be the older of the two that are kept."""
    for n in (5, 10):
        folder.save(n, checkpoint(n))
    folder.checkpoints()[0].write_bytes(b"PK damaged")
    found = folder.newest()
    assert (found.checkpoint.values, found.path.name) == ({"n": 5}, "update-000000005.npz")
    assert [path.name for path in found.damaged] == ["update-000000010.npz"]
    folder.tidy(found)
    for n in (6, 7):
        folder.save(n, checkpoint(n))
    assert [path.name for path in folder.checkpoints()] == [
        "update-000000007.npz",
        "update-000000006.npz",
    ]
    assert "update-000000010.npz.damaged" in names(folder)


def test_a_run_that_diverged_goes_back_before_it(folder):
    for n in (5, 6):
        folder.save(n, checkpoint(n))
    assert folder.go_back(5).name == "update-000000005.npz"
    assert folder.newest().checkpoint.values == {"n": 5}
    assert "update-000000006.npz.diverged" in names(folder)
    assert folder.go_back(4) is None
    assert folder.newest().checkpoint.values == {"n": 5}


def test_what_cannot_be_read_as_a_file_is_damaged(folder):
    (folder.path / "update-000000010.npz").mkdir()
    found = folder.newest()
    assert (found.checkpoint.values, list(found.damaged.values())) == (
        {"n": 0},
        ["cannot be read: is a directory"],
    )


def test_it_knows_the_files_that_are_its_own(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.path)
    own = ["update-000000010.npz", "best.npz", "./experiment.yaml", folder.path / "best.npz"]
    assert all(folder.owns(path) for path in own)
    others = ["log.jsonl", "update-10.jsonl", tmp_path / "best.npz", "more/best.npz"]
    assert not any(folder.owns(path) for path in others)


def test_a_folder_of_damaged_ones_names_them_all(folder):
    for path in folder.checkpoints():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="must hold a checkpoint that is whole"):
        folder.newest()


def test_a_folder_without_checkpoints_is_none(tmp_path):
    with pytest.raises(InputError, match="there is no"):
        Folder(tmp_path / "nowhere").newest()
    with pytest.raises(InputError, match="holds none"):
        Folder(tmp_path).newest()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is no folder"):
        Folder(tmp_path / "file").newest()


def test_what_a_killed_run_left_is_removed_and_nothing_else(folder):
    (folder.path / ".bptt-abc").write_bytes(b"half")
    (folder.path / "notes.txt").write_text("mine")
    folder.tidy(folder.newest())
    assert names(folder) == ["experiment.yaml", "notes.txt", "update-000000000.npz"]


@pytest.mark.parametrize("place", ["run", "file", "no/where"])
def test_a_folder_that_is_used_or_cannot_be_made_is_refused(folder, tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(InputError):
        Folder(tmp_path / place).check_unused()


def test_a_folder_that_cannot_be_made_leaves_nothing_behind(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").touch()
    with pytest.raises(RunError, match="cannot make"):
        Folder(tmp_path / "run").create(b"", checkpoint(0))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_the_disk_has_no_room_for_is_named_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(RunError, match=r"^cannot make run: File too large$"):
            Folder("run").create(b"seed: 0\n", checkpoint(0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.iterdir())


def test_the_best_parameters_are_a_file_of_arrays(folder):
    folder.save_best({"weight_hh_l0": np.eye(2)})
    with np.load(folder.path / "best.npz") as file:
        np.testing.assert_array_equal(file["weight_hh_l0"], np.eye(2))
