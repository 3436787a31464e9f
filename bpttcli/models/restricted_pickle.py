"""Pickles as plain data: an interpreter of its own that calls nothing a file asks for.

Python's unpickler cannot be tamed by a list of names alone: APPENDS, SETITEMS, BUILD and their
like reach into whatever object lies on the stack. Here an object is a number, a text, a list, a
tuple, `Pairs`, or what an allowed `Builder` of ours returns, and every instruction checks which.

A small file must not grow: no instruction copies or hashes what an earlier one has built, so that
time and memory stay proportional to the number of instructions, which is bounded.
"""

from __future__ import annotations

import io
import pickletools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from bpttcli.errors import InputError
from bpttcli.models.model_file import quoted

#: The largest pickle that is read: a million names would fit, tensors lie outside.
MOST_BYTES = 32 << 20
#: Instructions, at most about 100 bytes of memory each.
MOST_STEPS = 2_000_000
#: A function of an allowed name takes fewer; unpacking a long shared tuple is a loop for free.
_MOST_ARGUMENTS = 16
#: A memo is filled in the order 0, 1, …; larger keys could be chosen to collide when hashed.
_MEMO_END = 1 << 32

#: Instructions whose argument is the value itself.
_VALUES = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING "
    "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 "
    "BYTEARRAY8".split()
)


_T = TypeVar("_T")


class Pairs(list[tuple[object, object]]):
    """A dictionary as the pairs that were put in, in order: no key is ever hashed."""


@dataclass(frozen=True, slots=True)
class Builder:
    """What stands in for a function that a pickle may call.

    Parameters
    ----------
    build : callable
        Takes the arguments from the file, of any type and number, and returns plain data.
        It raises a TypeError or a ValueError for those that it cannot use, and must not copy
        a container: the file may call it again and again with the same one.
    """

    build: Callable[..., object]


def load(
    stream: io.BytesIO,
    allowed: Mapping[str, object],
    persistent: Callable[[object], object],
) -> object:
    """Read one pickle, from the present position to just behind its end.

    Parameters
    ----------
    stream : BytesIO
        At most `MOST_BYTES`: a pickle that goes on behind them is refused as cut off.
    allowed : mapping of str to object
        What each dotted name stands for; only a `Builder` can be called.
    persistent : callable
        Takes a persistent id as it stands in the file and returns what it stands for.

    Returns
    -------
    object
        Numbers, texts, bytes, lists (also for sets), tuples, `Pairs`, what `allowed` and
        `persistent` gave. A container may contain itself.

    Raises
    ------
    InputError
        A name that is not allowed, an instruction that builds objects, a damaged or an
        excessively long pickle.
    """
    machine = _Machine(allowed, persistent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escape sequences in a text from a file
            return machine.run(stream)
    except (IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        # A damaged file can fail at any instruction; for the user these are all the same.
        raise InputError(
            f"holds a pickle that is cut off, damaged or longer than {MOST_BYTES >> 20} MB"
        ) from error


class _Machine:
    """The stack, the stacks that wait below a MARK, and the memo."""

    def __init__(
        self, allowed: Mapping[str, object], persistent: Callable[[object], object]
    ) -> None:
        self.allowed = allowed
        self.persistent = persistent
        self.stack: list[object] = []
        self.waiting: list[list[object]] = []
        self.memo: dict[int, object] = {}

    def run(self, stream: io.BytesIO) -> object:
        """Carry out the instructions up to STOP and return what lies on top."""
        for count, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
            if count > MOST_STEPS:
                raise InputError("holds too much beside its tensors: save the state_dict alone")
            if instruction.name in _VALUES:
                self.stack.append(argument)
            else:
                self.step(instruction.name, argument)
        return self.stack.pop()

    def step(self, name: str, argument: object) -> None:
        """Carry out one instruction that is more than a value."""
        stack = self.stack
        match name:
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[_memo_key(argument)] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[_memo_key(argument)])
            case "MARK":
                self.waiting.append(stack)
                self.stack = []
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
            case "EMPTY_TUPLE":
                stack.append(())
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "EMPTY_DICT":
                stack.append(Pairs())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                last = [stack.pop() for _ in range(int(name[-1]))]
                stack.append(tuple(reversed(last)))
            case "TUPLE":
                self.close(tuple(stack))
            case "LIST" | "FROZENSET":
                self.close(stack)
            case "DICT":
                self.close(_pairs(stack))
            case "APPEND":
                item = stack.pop()
                _the(list, stack[-1]).append(item)
            case "APPENDS" | "ADDITEMS":
                self.stack = self.waiting.pop()
                _the(list, self.stack[-1]).extend(stack)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _the(Pairs, stack[-1]).append((key, value))
            case "SETITEMS":
                self.stack = self.waiting.pop()
                _the(Pairs, self.stack[-1]).extend(_pairs(stack))
            case "GLOBAL":
                stack.append(self.find(str(argument).replace(" ", ".")))
            case "STACK_GLOBAL":
                last_name, module = _the(str, stack.pop()), _the(str, stack.pop())
                stack.append(self.find(f"{module}.{last_name}"))
            case "BINPERSID":
                stack.append(self.persistent(stack.pop()))
            case "REDUCE":
                arguments = _the(tuple, stack.pop())
                if len(arguments) > _MOST_ARGUMENTS:
                    raise ValueError("more arguments than any builder takes")
                stack.append(_the(Builder, stack.pop()).build(*arguments))
            case "BUILD":
                # The attributes of a dictionary (a state_dict has _metadata), or of a value that
                # is passed by as None, are nobody's weights.
                stack.pop()
                if stack[-1] is not None:
                    _the(Pairs, stack[-1])
            case "POP":
                if stack:
                    stack.pop()
                else:
                    self.stack = self.waiting.pop()
            case "POP_MARK":
                self.stack = self.waiting.pop()
            case "DUP":
                stack.append(stack[-1])
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "INST":
                _refuse(str(argument).replace(" ", "."))
            case _:
                raise InputError(
                    f"builds objects (pickle instruction {name}), and only tensors and plain "
                    "containers are read: save model.state_dict() instead"
                )

    def close(self, container: object) -> None:
        """Put what was gathered since the last MARK on the stack below it."""
        self.stack = self.waiting.pop()
        self.stack.append(container)

    def find(self, name: str) -> object:
        """Look up what a name from the file stands for."""
        return self.allowed[name] if name in self.allowed else _refuse(name)


def _refuse(name: str) -> NoReturn:
    """Say which function or class a file asks for."""
    raise InputError(
        f"needs {quoted(name)}, and only tensors and plain containers are read: "
        "save model.state_dict() instead"
    )


def _the(kind: type[_T], value: object) -> _T:
    """Take a value of exactly this type: what `Pairs` can do, a list must not."""
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


def _memo_key(argument: object) -> int:
    """Take the key of a memo."""
    key = _the(int, argument)
    if not 0 <= key < _MEMO_END:
        raise ValueError("a key that no pickler writes")
    return key


def _pairs(flat: list[object]) -> Pairs:
    """Turn key, value, key, value, … into pairs."""
    return Pairs(zip(flat[::2], flat[1::2], strict=True))
