"""What the exit status of a command says."""

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses, the same for every command."""

    DONE = 0
    FAILED = 1
    """The run failed: it diverged, the disk is full."""
    USAGE = 2
    """Wrong usage or bad input."""
    INTERRUPTED = 130
    """Ctrl-C."""
