"""Ctrl-C is taken note of once, and obeyed at once the second time."""

import os
import signal
import threading

import pytest

from bpttcli.cli.interruption import Interruption


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_is_a_wish_and_the_second_an_order():
    with Interruption() as interruption:
        assert not interruption.wanted
        press()
        assert interruption.wanted
        with pytest.raises(KeyboardInterrupt):
            press()


def test_afterwards_it_is_as_before():
    with Interruption():
        pass
    with pytest.raises(KeyboardInterrupt):
        press()


def test_in_another_thread_nobody_listens():
    seen = []

    def listen():
        with Interruption() as interruption:
            seen.append(interruption.wanted)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [False]
