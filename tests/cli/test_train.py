"""``bptt train`` as its users run it: real files, real processes, real signals."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pexpect
import pytest

from bpttcli.cli.main import main

BPTT = [sys.executable, "-m", "bpttcli"]
GO_ON = "go on with bptt train --resume "
SMALL = ["--steps", "12", "--batch", "3", "--hidden", "5", "--set", "train.held_out_batch=7"]
WATCHED = ["update", "loss", "held_out", "baseline", "grad_norm", "grad_norm_clipped"]
WATCHED += ["clip_factor", "growth_per_step", "horizon", "spectral_radius", "spectral_norm"]
WATCHED += ["saturated", "seconds"]


def run(capsys, *arguments):
    status = main(["train", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def document(capsys, *arguments):
    status, out, _ = run(capsys, *arguments, "--format", "json")
    assert status == 0
    return json.loads(out, parse_constant=pytest.fail)


def without_seconds(value):
    """A document, or rows, without the one figure that may differ from run to run."""
    if isinstance(value, dict):
        return {key: without_seconds(entry) for key, entry in value.items() if key != "seconds"}
    return [without_seconds(entry) for entry in value] if isinstance(value, list) else value


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def start(*arguments, **options):
    return subprocess.Popen(
        [*BPTT, "train", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def finish(*arguments, **options):
    """Run to the end; the exit status, and what was said on standard error."""
    process = start(*arguments, **options)
    _, err = process.communicate()
    return process.returncode, err.decode()


def model(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def same_bits(first, second):
    assert first.keys() == second.keys()
    return all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_the_document_has_the_keys_that_scripts_depend_on(capsys):
    found = document(capsys, *SMALL, "--updates", "5")
    assert list(found) == [
        *("command", "version", "experiment", "baseline", "warnings", "stopped_by", "updates"),
        *("best", "troubles", "sample", "log", "first", "final"),
    ]
    assert found["stopped_by"] == "updates"
    assert [row["update"] for row in found["log"]] == [0, 1, 2, 3, 4, 5]
    assert set(WATCHED) <= set(found["log"][0])
    assert all(row["baseline"] == pytest.approx(1 / 6) for row in found["log"])


def test_before_and_after_are_what_grad_norms_says(capsys, tmp_path):
    """Of the network before, and of the one that was saved, on the same sequences."""
    saved = str(tmp_path / "m.npz")
    found = document(capsys, *SMALL, "--updates", "8", "--save-model", saved)
    main(["grad-norms", *SMALL, "--format", "json"])
    before = json.loads(capsys.readouterr().out)
    assert found["first"]["timesteps"] == before["timesteps"]
    arguments = [*SMALL, "--task", "adding", "--model", saved, "--cell", "tanh"]
    main(["grad-norms", *arguments, "--format", "json"])
    after = json.loads(capsys.readouterr().out)
    assert found["final"]["timesteps"] == after["timesteps"]
    assert found["final"]["spectral_radius"] == after["spectral_radius"]


def test_two_runs_agree_to_the_last_bit(capsys):
    first, second = (document(capsys, *SMALL, "--updates", "20") for _ in range(2))
    assert without_seconds(first) == without_seconds(second)


def test_the_experiment_of_a_result_gives_the_result_again(capsys, tmp_path):
    options = ["--optimizer", "nesterov", "--schedule", "cosine", "--clip-norm", "0.5"]
    first = document(capsys, *SMALL, *options, "--updates", "10", "--truncation", "randomized")
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(first["experiment"]))
    assert without_seconds(document(capsys, str(again))) == without_seconds(first)


def test_the_log_is_the_rows_of_the_document(capsys, tmp_path):
    log = tmp_path / "log.jsonl"
    found = document(capsys, *SMALL, "--updates", "30", "--log-every", "7", "--log", str(log))
    assert rows(log) == found["log"]
    assert [row["update"] for row in rows(log)] == [0, 7, 14, 21, 28, 30]


def test_the_machine_formats_are_the_log(capsys):
    _, out, _ = run(capsys, *SMALL, "--updates", "6", "--format", "jsonl")
    listed = [json.loads(line) for line in out.splitlines()]
    assert [row["update"] for row in listed] == list(range(7))
    _, out, _ = run(capsys, *SMALL, "--updates", "6", "--format", "csv")
    assert out.splitlines()[0].split(",") == list(listed[0])


def test_a_text_is_measured_in_bits_and_in_characters_that_are_right(capsys):
    found = document(capsys, "--task", "text", *SMALL, "--updates", "2")
    last = found["log"][-1]
    assert last["bits"] == pytest.approx(last["held_out"] / np.log(2), rel=1e-12)
    assert 0 <= last["accuracy"] <= 1


@pytest.mark.parametrize("cell", ["tanh", "relu", "linear", "gru"])
def test_a_model_that_was_saved_is_examined_as_the_one_that_was_trained(capsys, tmp_path, cell):
    saved = str(tmp_path / "m.npz")
    options = [*SMALL, "--cell", cell, "--updates", "9", "--format", "json"]
    _, out, err = run(capsys, *options, "--save-model", saved)
    said = re.findall(r"--cell \w+", err)
    assert said == ([f"--cell {cell}"] if cell in ("relu", "linear") else [])
    more = [word for option in said for word in option.split()]
    task = ["--task", "adding", "--steps", "12", "--batch", "3"]
    assert main(["grad-norms", "--model", saved, *task, *more, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["timesteps"] == json.loads(out)["final"]["timesteps"]


def test_parameters_can_be_trained_alone(capsys, tmp_path):
    saved = [str(tmp_path / f"{n}.npz") for n in (1, 9)]
    for path, updates in zip(saved, ("1", "9"), strict=True):
        only = ["--set", "train.only=[weight_hh_l0]"]
        run(capsys, *SMALL, "--updates", updates, *only, "--save-model", path)
    first, last = model(saved[0]), model(saved[1])
    changed = {name for name in first if not np.array_equal(first[name], last[name])}
    assert changed == {"weight_hh_l0"}


@pytest.mark.parametrize(
    ("arguments", "stopped_by"),
    [
        (["--target-loss", "1e9"], "target_loss"),
        (["--patience", "1", "--lr", "1e-300"], "patience"),
        (["--minutes", "1e-6"], "minutes"),
        (["--updates", "3"], "updates"),
    ],
)
def test_a_run_ends_for_the_reason_that_it_names(capsys, arguments, stopped_by):
    found = document(capsys, *SMALL, *arguments)
    assert found["stopped_by"] == stopped_by
    assert found["updates"] < 1000


def test_clipping_keeps_a_run_alive_that_diverges_without_it(capsys):
    """The same seed and start, relu with ρ(B) above 1: only the clip makes the difference."""
    doomed = ["--steps", "60", "--batch", "3", "--hidden", "20", "--cell", "relu", "--gain", "1.5"]
    doomed += ["--optimizer", "sgd", "--lr", "0.1", "--updates", "200"]
    status, out, err = run(capsys, *doomed, "--format", "json")
    assert status == 1
    found = json.loads(out)
    assert found["stopped_by"] == "diverged"
    trouble = found["troubles"][0]
    assert err.startswith(f"bptt: diverged at update {trouble['update']}: ")
    assert f"step {trouble['step']}, unit {trouble['unit']}" in err
    assert "--checkpoint DIR would have kept" in err
    alive = document(capsys, *doomed, "--clip-norm", "1")
    assert alive["updates"] == 200
    assert alive["first"]["spectral_radius"][0] > 1
    assert alive["log"][0]["clip_factor"] < 1e-3
    assert alive["log"][-1]["loss"] < 1e-3 * alive["log"][0]["loss"]


def test_a_diverged_run_names_its_last_good_checkpoint_which_goes_on(capsys, tmp_path):
    """What update n finds to be infinite is what update n − 1 made, and that was saved too."""
    folder = tmp_path / "run"
    doomed = ["--steps", "60", "--batch", "3", "--hidden", "20", "--cell", "relu", "--gain", "1.3"]
    doomed += ["--optimizer", "sgd", "--lr", "0.1", "--checkpoint-every", "1"]
    status, _, err = run(capsys, *doomed, "--updates", "50", "--checkpoint", str(folder))
    assert status == 1
    update = int(err.split("diverged at update ")[1].split(":")[0])
    assert update > 2
    good = folder / f"update-{update - 2:09d}.npz"
    assert err.endswith(f"the last good checkpoint is {good}\n")
    assert (folder / f"update-{update - 1:09d}.npz.diverged").exists()
    changed = ["--clip-norm", "1", "--updates", "50", "--allow-changed"]
    found = document(capsys, "--resume", str(folder), *changed)
    assert found["updates"] == 50
    assert len([row for row in found["log"] if row["update"] < update]) >= 1


@pytest.mark.parametrize("policy", ["skip", "backoff"])
def test_a_run_can_go_on_after_a_divergence(capsys, policy):
    doomed = [*SMALL, "--cell", "relu", "--steps", "60", "--gain", "1.2", "--optimizer", "sgd"]
    doomed += ["--lr", "3", "--updates", "60", "--on-divergence", policy]
    _, out, _ = run(capsys, *doomed, "--format", "json")
    found = json.loads(out)
    assert found["troubles"]
    assert {trouble["action"] for trouble in found["troubles"]} == {policy}
    if policy == "backoff":
        assert found["stopped_by"] == "updates"
        assert found["log"][-1]["learning_rate"] < 3


def test_a_run_that_is_resumed_ends_in_the_same_bits(capsys, tmp_path):
    """Left after 13 of 40 updates, by way of an experiment that stops there."""
    whole, parted = tmp_path / "whole.npz", tmp_path / "parted.npz"
    first = document(capsys, *SMALL, "--updates", "40", "--save-model", str(whole))
    folder = str(tmp_path / "run")
    document(capsys, *SMALL, "--updates", "13", "--log-every", "2", "--checkpoint", folder)
    more = ["--updates", "40", "--log-every", "2", "--allow-changed"]
    second = document(capsys, "--resume", folder, *more, "--save-model", str(parted))
    assert same_bits(model(whole), model(parted))
    last = [without_seconds(found["log"][-1]) for found in (first, second)]
    assert last[0]["held_out"] == last[1]["held_out"]


def test_a_finished_run_says_so_and_gives_its_result_again(capsys, tmp_path):
    folder, log = str(tmp_path / "run"), tmp_path / "log.jsonl"
    saved = [tmp_path / "a.npz", tmp_path / "b.npz"]
    options = ["--format", "json", "--save-model"]
    _, first, _ = run(
        capsys, *SMALL, "--updates", "9", "--checkpoint", folder, *options, str(saved[0])
    )
    status, again, err = run(capsys, "--resume", folder, *options, str(saved[1]), "--log", str(log))
    assert (status, again) == (0, first)
    assert "was finished already" in err
    assert rows(log) == json.loads(first)["log"]
    assert same_bits(model(saved[0]), model(saved[1]))


def test_the_best_parameters_are_kept_beside_the_last(capsys, tmp_path):
    folder = tmp_path / "run"
    options = ["--updates", "30", "--log-every", "5", "--lr", "0.3", "--optimizer", "sgd"]
    found = document(capsys, *SMALL, *options, "--checkpoint", str(folder))
    losses = {row["update"]: row["held_out"] for row in found["log"]}
    best = min(losses, key=losses.get)
    assert found["best"] == {"update": best, "loss": losses[best]}
    assert best != 30
    wanted = [*SMALL, "--updates", str(best), "--lr", "0.3", "--optimizer", "sgd"]
    run(capsys, *wanted, "--save-model", str(tmp_path / "m.npz"))
    assert same_bits(model(tmp_path / "m.npz"), model(folder / "best.npz"))


@pytest.fixture
def kept(capsys, tmp_path):
    """The folder of a finished run of six updates."""
    folder = tmp_path / "run"
    options = ["--updates", "6", "--checkpoint-every", "2", "--checkpoint", str(folder)]
    run(capsys, *SMALL, *options)
    return folder


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lr", "0.1"], "train.lr was 0.001 and is 0.1; --allow-changed"),
        (["--seed", "1", "--gain", "2"], "seed was 0 and is 1, model.init.gain was 1"),
        (["scalar-linear"], "and"),
    ],
)
def test_a_changed_experiment_is_refused_by_its_keys(capsys, kept, arguments, says):
    status, out, err = run(capsys, *arguments, "--resume", str(kept))
    assert (status, out) == (2, "")
    assert "is the run of another experiment" in err
    assert says in err


def test_other_sequences_under_the_same_name_are_refused(capsys, tmp_path):
    text, folder = tmp_path / "text.txt", str(tmp_path / "run")
    text.write_text("to be or not to be " * 20)
    arguments = ["--text", str(text), *SMALL, "--updates", "3"]
    run(capsys, *arguments, "--checkpoint", folder)
    text.write_text("or to be not to be " * 20)
    status, _, err = run(capsys, "--resume", folder)
    assert status == 2
    assert "other sequences" in err


def test_a_text_that_changed_where_none_of_the_first_sequences_stands_is_refused(capsys, tmp_path):
    text, folder = tmp_path / "text.txt", str(tmp_path / "run")
    text.write_text("to be or not to be " * 200)
    run(capsys, "--text", str(text), *SMALL, "--updates", "3", "--checkpoint", folder)
    content = text.read_text()
    changed = content[:-5] + "be to"
    assert len(changed) == len(content)
    text.write_text(changed)
    status, _, err = run(capsys, "--resume", folder)
    assert status == 2
    assert "other sequences" in err


def test_a_run_resumed_under_another_experiment_is_a_run_of_that_one(capsys, kept):
    more = ["--updates", "9", "--allow-changed"]
    assert document(capsys, "--resume", str(kept), *more)["updates"] == 9
    status, out, err = run(capsys, "--resume", str(kept), "--format", "json")
    assert (status, json.loads(out)["updates"]) == (0, 9)
    assert "was finished already" in err
    assert json.loads((kept / "experiment.yaml").read_text())["train"]["updates"] == 9


def test_the_experiment_in_the_folder_can_be_run_by_itself(capsys, kept):
    again = document(capsys, str(kept / "experiment.yaml"))
    _, out, _ = run(capsys, "--resume", str(kept), "--format", "json")
    assert without_seconds(again) == without_seconds(json.loads(out))


def test_keys_that_change_no_number_may_change(capsys, kept):
    assert run(capsys, "--resume", str(kept), "--checkpoint-every", "50")[0] == 0


def test_what_cannot_be_taken_over_into_a_changed_run_begins_afresh_and_is_named(capsys, tmp_path):
    folder = str(tmp_path / "run")
    run(capsys, *SMALL, "--task", "sine", "--carry-state", "--updates", "5", "--checkpoint", folder)
    more = ["--batch", "2", "--optimizer", "sgd", "--updates", "9", "--allow-changed"]
    status, _, err = run(capsys, "--resume", folder, *more)
    assert status == 0
    assert "the optimiser and the state that was carried cannot be gone on with" in err


def test_an_error_of_the_experiment_that_is_resumed_names_where_it_was_kept(capsys, tmp_path):
    text, folder = tmp_path / "text.txt", tmp_path / "run"
    text.write_text("to be or not to be " * 20)
    run(capsys, "--text", str(text), *SMALL, "--updates", "3", "--checkpoint", str(folder))
    text.unlink()
    status, _, err = run(capsys, "--resume", str(folder))
    assert status == 2
    assert f"the experiment in {folder}/update-000000003.npz:" in err
    assert "cannot be read" in err


def test_results_may_go_into_the_folder_but_not_over_what_the_run_keeps(capsys, tmp_path):
    folder = tmp_path / "run"
    log, saved = folder / "log.jsonl", folder / "last.npz"
    options = ["--updates", "3", "--log", str(log), "--save-model", str(saved)]
    assert run(capsys, *SMALL, *options, "--checkpoint", str(folder))[0] == 0
    assert len(rows(log)) == 4
    assert model(saved)
    for flag in ("--log", "--output", "--save-model"):
        own = folder / "update-000000003.npz"
        before = own.read_bytes()
        status, _, err = run(capsys, "--resume", str(folder), flag, str(own))
        assert (status, own.read_bytes()) == (2, before)
        assert f"{flag} must be another file than those the run keeps" in err


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(capsys, kept, damage):
    newest = kept / "update-000000006.npz"
    before = newest.read_bytes()
    half = len(before) // 2
    flipped = before[:half] + bytes([before[half] ^ 1]) + before[half + 1 :]
    newest.write_bytes({"cut": before[:half], "flip": flipped, "empty": b""}[damage])
    status, _, err = run(capsys, "--resume", str(kept))
    assert status == 0
    assert f"{newest} is damaged" in err
    assert "the one before it is taken" in err
    assert without_time(newest.read_bytes(), before)


def without_time(first, second):
    """Whether two checkpoints hold the same arrays."""
    from bpttcli.training.checkpoint import from_bytes

    one, other = from_bytes(first).arrays, from_bytes(second).arrays
    return same_bits(one, other)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--checkpoint", "a", "--resume", "a"], "--checkpoint must not stand with --resume"),
        (["--allow-changed"], "--allow-changed must stand with --resume"),
        (["--checkpoint", "a", "--log", "a/best.npz"], "another file than those the run keeps"),
        (["--checkpoint", "a", "--log", "b/log"], "--log: must be in a folder that exists"),
        (["--resume", "nowhere"], "must be a folder with checkpoints, there is no nowhere"),
        (["--checkpoint", "no/where"], "must be in a folder that exists"),
        (["--save-model", "m.txt"], "--save-model: must end in .npz"),
        (["--log", "no/where"], "--log: must be in a folder that exists"),
        (["--loss", "probe"], "a probe has no target"),
        (["--carry-state"], "without a target at every step"),
        (["--set", "train.only=[weight_hh_l7]"], "mean 'weight_hh_l0'"),
        (["--set", "train.batch=9"], "must be at most 1"),
        (["--optimizer", "adamm"], "did you mean 'adam'?"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(capsys, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments, "--updates", "1", "--steps", "4")
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_interval_of_checkpoints_without_a_folder_for_them_is_pointed_out(capsys):
    status, _, err = run(capsys, *SMALL, "--updates", "2", "--checkpoint-every", "5")
    assert (status, err) == (
        0,
        "bptt: note: nothing is kept: --checkpoint-every without --checkpoint DIR\n",
    )


def test_a_pipe_is_refused_that_would_be_empty_when_the_test_is_drawn_from_it():
    process = start(*SMALL, "--text", "/dev/stdin", stdin=subprocess.PIPE)
    _, err = process.communicate(b"to be or not to be " * 20)
    assert process.returncode == 2
    assert b"must be a file to train on, which is read more than once, got a pipe" in err


def test_a_used_folder_is_refused_without_resume(capsys, kept, tmp_path):
    status, _, err = run(capsys, "--checkpoint", str(kept))
    assert status == 2
    assert f"go on with it by --resume {kept}" in err
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    status, _, err = run(capsys, "--checkpoint", str(tmp_path / "other"))
    assert (status, "is there already" in err) == (2, True)


LONG = ["--steps", "10", "--hidden", "6", "--set", "train.held_out_batch=4", "--log-every", "50"]
LONG += ["--checkpoint-every", "7"]


def newest(folder):
    """The update of the newest checkpoint in a folder, if there is any yet."""
    names = os.listdir(folder) if folder.exists() else []
    return max((int(name[7:16]) for name in names if name.startswith("update-")), default=-1)


def test_a_run_killed_at_any_moment_ends_in_the_bits_of_an_undisturbed_one(tmp_path):
    """SIGKILL at 20 random moments: while it starts, makes its folder, trains, and saves."""
    rng = np.random.default_rng(0)
    folder, saved = tmp_path / "run", tmp_path / "killed.npz"
    log, updates = tmp_path / "log.jsonl", ["--updates", "5000"]
    for kill in range(20):
        begin = ["--resume", str(folder)] if folder.exists() else None
        process = start(*(begin or [*LONG, *updates, "--checkpoint", str(folder)]))
        if kill % 4 == 0:
            time.sleep(rng.uniform(0.0, 0.4))
        else:
            # So far, and a moment more: a fast machine shall not be done before the last kill.
            wanted = newest(folder) + 7 * rng.integers(1, 25)
            while newest(folder) < wanted and process.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.uniform(0.0, 0.01))
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    status, err = finish("--resume", str(folder), "--save-model", str(saved), "--log", str(log))
    assert status == 0, err
    whole = tmp_path / "whole.npz"
    finish(*LONG, *updates, "--save-model", str(whole), "--log", f"{log}2")
    assert same_bits(model(saved), model(whole))
    assert without_seconds(rows(log)) == without_seconds(rows(tmp_path / "log.jsonl2"))
    assert not list(folder.glob(".bptt-*"))


def test_a_full_disk_leaves_the_older_checkpoint_whole(tmp_path):
    folder = tmp_path / "run"
    finish(*LONG, "--updates", "40", "--checkpoint", str(folder))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    more = ["--resume", str(folder), "--updates", "90", "--allow-changed"]
    status, err = finish(*more, preexec_fn=limit)
    assert status == 1
    assert err.startswith(f"bptt: cannot write {folder}/")
    assert err.rstrip().endswith(f"File too large; what was kept before is whole: {GO_ON}{folder}")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert finish("--resume", str(folder))[0] == 0


def test_ctrl_c_finishes_the_update_saves_and_says_how_to_go_on(tmp_path):
    folder, saved = tmp_path / "run", tmp_path / "m.npz"
    process = start(*LONG, "--updates", "1000000", "--checkpoint", str(folder))
    while not list(folder.glob("update-00000[1-9]*")) and not (folder / "best.npz").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, b"")
    message = err.decode()
    assert message.endswith(f"go on with: bptt train --resume {folder}\n")
    update = int(message.split("after update ")[1].split(";")[0])
    assert (folder / f"update-{update:09d}.npz").exists()
    changed = ["--updates", str(update + 3), "--allow-changed", "--save-model", str(saved)]
    assert finish("--resume", str(folder), *changed)[0] == 0
    whole = tmp_path / "whole.npz"
    finish(*LONG, "--updates", str(update + 3), "--save-model", str(whole))
    assert same_bits(model(saved), model(whole))


def test_ctrl_c_without_a_folder_says_that_nothing_is_kept(tmp_path):
    log = tmp_path / "log"
    process = start(*LONG, "--updates", "1000000", "--log", str(log))
    while not log.exists() or not log.read_text():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert b"nothing is kept without --checkpoint" in err


def test_a_row_is_in_the_log_as_soon_as_it_is_measured(tmp_path):
    log = tmp_path / "log"
    process = start(*LONG, "--updates", "1000000", "--log", str(log))
    try:
        while not log.exists() or log.read_text().count("\n") < 3:
            time.sleep(0.02)
        assert [row["update"] for row in rows(log)][:3] == [0, 50, 100]
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_a_terminal_shows_rows_and_a_bar_that_are_gone_at_the_end():
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    command = [*BPTT, "train", *LONG, "--updates", "4000"]
    child = pexpect.spawn(
        command[0], command[1:], env=environ, encoding="utf-8", dimensions=(40, 100), timeout=60
    )
    child.expect("horizon")
    child.expect("/4000")
    child.expect("The run from first to last")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_pipe_sees_nothing_but_the_result():
    process = start(*SMALL, "--updates", "3000", "--log-every", "50", "--format", "csv")
    out, err = process.communicate()
    assert err == b""
    assert len(out.splitlines()) == 62
