"""The experiments that ship with the package are found by name, and they run as they are."""

import pytest

from bpttcli.errors import InputError
from bpttcli.experiment import bundled
from bpttcli.experiment.build import build
from bpttcli.experiment.bundled import bundled_names, bundled_path
from bpttcli.experiment.load import load
from bpttcli.experiment.schema import Experiment


def test_the_names_are_sorted():
    names = bundled_names()
    assert names == sorted(names)
    assert {"adding", "scalar-linear", "text"} <= set(names)


@pytest.mark.parametrize("name", bundled_names())
def test_every_bundled_experiment_is_valid_and_says_what_to_look_at(name):
    build(load(name).experiment)
    lines = bundled_path(name).read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("#") for line in lines) >= 3


def test_adding_spells_the_default_experiment_out():
    assert load("adding").experiment == build(Experiment()).experiment


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(InputError) as caught:
        bundled_path("ading")
    assert str(caught.value) == (
        "there is neither a file nor a bundled experiment named 'ading', did you mean 'adding'? "
        f"(known: {', '.join(bundled_names())})"
    )


@pytest.mark.parametrize("place", ["package/configs", "configs"])
def test_they_are_found_inside_a_wheel_and_beside_a_checkout(place, tmp_path, monkeypatch):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "mine.yaml").write_text("seed: 1")
    monkeypatch.setattr(bundled, "__file__", str(tmp_path / "package/experiment/bundled.py"))
    bundled._folder.cache_clear()
    try:
        assert bundled_names() == ["mine"]
    finally:
        monkeypatch.undo()
        bundled._folder.cache_clear()
