"""Gradients from float64 automatic differentiation, through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from bpttcli.cli.main import main

FILES = sorted((Path(__file__).parents[1] / "reference").glob("*.npz"))


def relative(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_loss_gradients_and_adjoints_are_those_of_automatic_differentiation(path, tmp_path, capsys):
    """The bar is 1e-11 relative; rounding alone leaves 1e-13."""
    reference = np.load(path)
    cell, _, loss, at = path.stem.split("-")
    names = [name for name in reference.files if name.startswith("param/")]
    np.savez(tmp_path / "model.npz", **{name[6:]: reference[name] for name in names})
    np.savez(tmp_path / "data.npz", **{name: reference[name] for name in ("x", "y", "h0")})
    arguments = f"grad-norms --cell {cell} --loss {loss} --loss-at {at} --format json".split()
    for option, file in (("model", "model"), ("data", "data"), ("save-arrays", "arrays")):
        arguments += [f"--{option}", str(tmp_path / f"{file}.npz")]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    assert relative(document["loss"], reference["loss"]) < 1e-13
    saved = np.load(tmp_path / "arrays.npz")
    compared = [name for name in reference.files if name.startswith(("grad/", "adjoint/"))]
    assert len(compared) > 5
    for name in compared:
        assert relative(saved[name], reference[name]) < 1e-13, name
    batch = reference["x"].shape[1]
    top = len(document["layers"]) - 1
    norms = np.linalg.norm(reference[f"adjoint/h_l{top}"] * batch, axis=2)
    for key, wanted in (
        ("hidden", norms.mean(axis=1)),
        ("hidden_min", norms.min(axis=1)),
        ("hidden_max", norms.max(axis=1)),
    ):
        found = np.array([step[key] for step in document["timesteps"]])
        # The squares of adjoints below 1e-154 are lost to NumPy's norm, not to the command.
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-150)
    for name in ("weight_hh_l0", "readout.weight"):
        wanted = np.linalg.norm(reference[f"grad/{name}"])
        assert document["parameters"][name]["norm"] == pytest.approx(wanted, rel=1e-12)
