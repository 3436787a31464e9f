"""Pictures as files: the same picture gives the same bytes, and matplotlib is optional."""

import sys

import numpy as np
import pytest

from bpttcli.diagnostics.network_spectrum import Block, NetworkSpectrum
from bpttcli.diagnostics.spectrum import spectrum_of
from bpttcli.errors import InputError
from bpttcli.report.plot import SUFFIXES, check_plot, save_figure
from bpttcli.report.spectrum import SpectrumReport

BEGINS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def document(B=((0.9, 10.0), (0.0, 0.9))):
    block = Block(0, None, spectrum_of(np.array(B)))
    return SpectrumReport(NetworkSpectrum((block,)), None, matrix="B.npy").document()


@pytest.mark.parametrize("path", ["B.gif", "B", "png", "B.png.txt"])
def test_the_ending_is_one_of_three(path):
    with pytest.raises(InputError, match=r"must end in \.png, \.svg, \.pdf") as error:
        check_plot(path)
    assert error.value.key == "plot"


def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'bptt\[plot\]'"):
        check_plot("B.png")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_is_written_with_the_same_bytes_every_time(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    from bpttcli.report.spectrum_picture import spectrum_picture

    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        check_plot(str(path))
        save_figure(spectrum_picture(document()), str(path))
    content = paths[0].read_bytes()
    assert content.startswith(BEGINS[suffix])
    assert content == paths[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_the_picture_shows_what_the_document_says():
    pytest.importorskip("matplotlib")
    from bpttcli.report.spectrum_picture import spectrum_picture

    plane, growth = spectrum_picture(document()).axes
    np.testing.assert_allclose(plane.lines[1].get_xydata(), [[0.9, 0.0], [0.9, 0.0]])
    curves = {line.get_label(): line.get_xydata() for line in growth.lines}
    np.testing.assert_allclose(curves["‖B^k‖"][3], [10, np.log10(38.7451867518)])
    np.testing.assert_allclose(curves["ρ^k"][-1], [1000, 1000 * np.log10(0.9)])


@pytest.mark.parametrize("B", [[[0.0]], [[1.7e308, 1.7e308], [1.7e308, 1.7e308]]])
def test_a_picture_of_extremes_is_drawn_without_a_warning(B, tmp_path):
    pytest.importorskip("matplotlib")
    from bpttcli.report.spectrum_picture import spectrum_picture

    save_figure(spectrum_picture(document(B)), str(tmp_path / "B.png"))
