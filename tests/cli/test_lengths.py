"""Sequences of different lengths in one batch: padding changes nothing."""

import json

import numpy as np
import pytest

from bpttcli.cli.main import main

STEPS, LENGTHS = 6, np.array([4, 6, 1])
INSIDE = np.arange(STEPS)[:, None] < LENGTHS
RNG = np.random.default_rng(3)
X = RNG.normal(size=(STEPS, 3, 2))
TARGETS = {
    "classes at every step": RNG.integers(3, size=(STEPS, 3)),
    "values at every step": RNG.normal(size=(STEPS, 3, 3)),
    "a class at the last step": RNG.integers(3, size=3),
    "values at the last step": RNG.normal(size=(3, 3)),
}


@pytest.fixture
def run(tmp_path, capsys):
    """Run a batch through one network, and give its result and its arrays."""
    rng = np.random.default_rng(4)
    shapes = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,)}
    shapes |= {"readout.weight": (3, 4)}
    np.savez(tmp_path / "model.npz", **{name: rng.normal(size=s) for name, s in shapes.items()})

    def grad_norms(*options, **arrays):
        np.savez(tmp_path / "batch.npz", **arrays)
        paths = {"model": "model.npz", "data": "batch.npz", "save-arrays": "arrays.npz"}
        command = ["grad-norms", "--format", "json", "--quiet", *options]
        for option, name in paths.items():
            command += [f"--{option}", str(tmp_path / name)]
        assert main(command) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out), dict(np.load(tmp_path / "arrays.npz"))

    return grad_norms


def padded(array, filling):
    """Put something into the steps beyond each sequence, where it has an entry a step."""
    if array.shape[:2] != INSIDE.shape:
        return array
    inside = INSIDE.reshape(INSIDE.shape + (1,) * (array.ndim - 2))
    return np.where(inside, array, filling)


@pytest.mark.parametrize(
    ("kind", "at"),
    [(kind, at) for kind in TARGETS for at in ("every", "last") if at in kind or "every" in kind],
)
def test_a_padded_batch_is_the_mean_of_its_sequences(kind, at, run):
    y = TARGETS[kind]
    every = y.shape[:2] == X.shape[:2]
    junk = -100 if y.dtype.kind == "i" else np.nan
    arrays = {"x": padded(X, np.nan), "y": padded(y, junk), "lengths": LENGTHS}
    whole, gradients = run("--loss-at", at, **arrays)
    alone = []
    for n, length in enumerate(LENGTHS):
        targets = y[:length, n : n + 1] if every else y[n : n + 1]
        alone.append(run("--loss-at", at, x=X[:length, n : n + 1], y=targets))
        adjoint = gradients["adjoint/h_l0"][:, n]
        np.testing.assert_allclose(
            3 * adjoint[:length], alone[n][1]["adjoint/h_l0"][:, 0], rtol=1e-12, atol=1e-15
        )
        assert not adjoint[length:].any()
    assert whole["loss"] == pytest.approx(np.mean([one["loss"] for one, _ in alone]), rel=1e-13)
    for name in whole["parameters"]:
        mean = np.mean([found[f"grad/{name}"] for _, found in alone], axis=0)
        np.testing.assert_allclose(gradients[f"grad/{name}"], mean, rtol=1e-12, atol=1e-14)


def test_the_probe_stands_at_the_last_step_of_each_sequence(run):
    _, gradients = run("--loss", "probe", "--set", "loss.vector=[1, 0, 0, 0]", x=X, lengths=LENGTHS)
    adjoint = gradients["adjoint/h_l0"]
    for n, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(3 * adjoint[length - 1, n], [1, 0, 0, 0])
        assert not adjoint[length:, n].any()


def test_what_stands_in_the_padding_changes_no_bit(run):
    y = TARGETS["classes at every step"]
    results = [
        run(x=padded(X, filling), y=padded(y, junk), lengths=LENGTHS)
        for filling, junk in ((0.0, 0), (np.inf, -100), (1e300, 7))
    ]
    assert results[0][0] == results[1][0] == results[2][0]


def test_a_mask_and_lengths_hold_together(run):
    """A mask that marks padding too marks no more than what the lengths leave."""
    y = TARGETS["classes at every step"]
    everywhere = np.ones_like(INSIDE)
    both = run(x=X, y=y, lengths=LENGTHS, mask=everywhere)[0]
    assert both["loss"] == run(x=X, y=y, mask=INSIDE)[0]["loss"]


def test_targets_outside_the_mask_may_be_anything(run):
    y = TARGETS["classes at every step"]
    losses = [
        run(x=X, y=np.where(INSIDE, y, junk), mask=INSIDE)[0]["loss"] for junk in (0, 2, -100)
    ]
    assert losses[0] == losses[1] == losses[2]


def test_batch_first_turns_x_and_y_alone(run):
    y = TARGETS["classes at every step"]
    time_major = run(x=X, y=y, lengths=LENGTHS)[0]
    arrays = {"x": X.swapaxes(0, 1), "y": y.T, "lengths": LENGTHS}
    batch_major = run("--batch-first", **arrays)[0]
    assert batch_major["timesteps"] == time_major["timesteps"]


def test_fewer_steps_cut_the_longer_sequences(run):
    y = TARGETS["classes at every step"]
    cut = run("--steps", "3", x=X, y=y, lengths=LENGTHS)[0]
    assert cut["timesteps"] == run(x=X[:3], y=y[:3], lengths=[3, 3, 1])[0]["timesteps"]


def test_lists_of_different_lengths_are_read_from_an_experiment(tmp_path, capsys, run):
    expected = run(x=X, y=TARGETS["classes at every step"], lengths=LENGTHS)[0]
    sequences = [X[:length, n].tolist() for n, length in enumerate(LENGTHS)]
    y = TARGETS["classes at every step"]
    targets = [y[:length, n].tolist() for n, length in enumerate(LENGTHS)]
    experiment = {
        "task": {"name": "data", "batch_first": True, "x": sequences, "y": targets},
        "model": {"file": "model.npz"},
    }
    (tmp_path / "lists.yaml").write_text(json.dumps(experiment))
    assert main(["grad-norms", str(tmp_path / "lists.yaml"), "--format", "json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["timesteps"] == expected["timesteps"]


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([4, 6], "holds lengths, which must have the shape (N,) = (3,), got (2,)"),
        ([4, 7, 1], "must hold lengths from 1 to 6 (T), got 7"),
        ([4, 0, 1], "must hold lengths from 1 to 6 (T), got 0"),
        ([4.0, 6.0, 1.0], "must hold integers, got float64"),
        ([[4, 6, 1]], "must have the shape (N,) = (3,), got (1, 3)"),
    ],
)
def test_lengths_that_cannot_be_are_refused(lengths, expected, tmp_path, capsys):
    np.savez(tmp_path / "batch.npz", x=X, lengths=lengths)
    assert main(["grad-norms", "--data", str(tmp_path / "batch.npz")]) == 2
    err = capsys.readouterr().err
    assert expected in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", [np.float32, np.float16, ">f8"])
def test_reals_of_any_width_are_read(kind, run):
    x = X.astype(kind)
    y = TARGETS["classes at every step"]
    assert run(x=x, y=y)[0]["loss"] == run(x=x.astype(float), y=y)[0]["loss"]


def test_an_npy_file_is_x_alone(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.float32(X))
    assert (
        main(["grad-norms", "--data", str(tmp_path / "x.npy"), "--quiet", "--format", "json"]) == 0
    )
    assert len(json.loads(capsys.readouterr().out)["timesteps"]) == STEPS


def test_a_list_saved_as_objects_is_refused_with_the_way_to_save_it(tmp_path, capsys):
    ragged = np.empty(2, dtype=object)
    ragged[:] = [X[:3, 0], X[:2, 1]]
    np.savez(tmp_path / "batch.npz", x=ragged)
    assert main(["grad-norms", "--data", str(tmp_path / "batch.npz")]) == 2
    assert "sequences of different lengths are padded, with their lengths in an array" in (
        capsys.readouterr().err
    )
