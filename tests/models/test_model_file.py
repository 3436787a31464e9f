"""How a file of parameters is spoken of when something is wrong with it."""

import pytest

from bpttcli.errors import InputError
from bpttcli.models.model_file import KEY, listed, quoted, reading


def test_a_clause_about_a_file_becomes_a_sentence_with_its_name():
    with pytest.raises(InputError, match=r"^'a\.pt' is empty$") as raised, reading("a.pt"):
        raise InputError("is empty")
    assert raised.value.key == KEY


def test_what_the_system_refuses_is_said_with_its_reason(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read: is a directory$"), reading(tmp_path):
        tmp_path.open("rb")


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(InputError, match=r"'a\\x00b' is not the name of a file"), reading("a\0b"):
        pass


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[1mb", "a\u202eb", "\ud800"])
def test_a_name_from_a_file_cannot_reach_the_terminal(name):
    assert quoted(name).isprintable()


def test_a_long_name_is_cut():
    assert len(quoted("x" * 10_000)) < 80


def test_a_long_list_is_cut_and_counted():
    assert listed(map(str, range(12))).endswith("'9' and 2 more")
