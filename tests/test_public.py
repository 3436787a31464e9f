"""The Python interface: names that load on first use."""

import subprocess
import sys

import pytest

import bpttcli


@pytest.mark.parametrize("name", bpttcli.__all__)
def test_a_public_name_resolves_and_is_documented(name):
    value = getattr(bpttcli, name)
    assert name in dir(bpttcli)
    assert isinstance(value, str) or value.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'bpttcli' has no attribute 'gradnorms'"):
        _ = bpttcli.gradnorms


def test_importing_the_package_loads_nothing_heavy():
    program = (
        "import sys, bpttcli; print([m for m in ('numpy', 'yaml', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
