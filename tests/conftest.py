"""Golden files: what a renderer printed when somebody last looked at it."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run: a check that fails on some days tells nobody what broke. More
# are tried with --hypothesis-profile=explore.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("same")


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-golden", action="store_true", help="write the golden files anew; read the diff"
    )


@pytest.fixture
def golden(request):
    """Compare a text with the file of that name in the folder ``golden`` beside the test."""

    def compare(name, text):
        path = Path(request.path).parent / "golden" / name
        if request.config.getoption("--rewrite-golden"):
            path.write_text(text, encoding="utf-8", newline="\n")
        assert text == path.read_text(encoding="utf-8")

    return compare
