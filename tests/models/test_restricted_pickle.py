"""Pickles as plain data: nothing that a file asks for is called, copied or hashed.

Each hostile pickle here is first given to Python's own unpickler, which does what it asks: a
test of a harmless one would prove nothing.
"""

import collections
import copyreg
import io
import pickle
import pickletools
import struct
import sys
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.models import restricted_pickle
from bpttcli.models.restricted_pickle import Builder, Pairs, load


def read(data, allowed=None, persistent=None):
    """Read one pickle with nothing allowed but what the test says."""
    return load(io.BytesIO(data), allowed or {}, persistent or pytest.fail)


def plain(value):
    """What `load` makes of a value: dictionaries as pairs, sets as lists."""
    if isinstance(value, dict):
        return Pairs((plain(key), plain(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(value=values, protocol=st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_plain_values_of_every_protocol_are_read_as_they_are(value, protocol):
    encode = Builder(lambda text, _: text.encode("latin-1"))  # bytes before protocol 3
    empty = Builder(bytes)
    allowed = {"_codecs.encode": encode, "__builtin__.bytes": empty, "builtins.bytes": empty}
    assert read(pickle.dumps(value, protocol), allowed) == plain(value)


def test_sets_are_lists():
    assert sorted(read(pickle.dumps({1, 2}, 4))) == [1, 2]
    assert sorted(read(pickle.dumps(frozenset({1, 2}), 4))) == [1, 2]


def test_the_stream_is_left_behind_the_pickle():
    stream = io.BytesIO(pickle.dumps([1]) + b"rest")
    load(stream, {}, pytest.fail)
    assert stream.read() == b"rest"


def test_a_container_may_contain_itself():
    value = []
    value.append(value)
    got = read(pickle.dumps(value))
    assert got[0] is got


def test_an_allowed_name_stands_for_what_was_given():
    assert read(b"\x80\x02ca.b\nc\n.", {"a.b.c": 7}) == 7
    assert read(b"\x80\x02ca\nf\nK\x02\x85R.", {"a.f": Builder(lambda x: x + 1)}) == 3


def test_a_persistent_id_is_handed_over():
    assert read(b"\x80\x02K\x05Q.", persistent=lambda identity: [identity]) == [5]


@pytest.fixture
def canary():
    """A module that a pickle can name, in which whatever is called leaves a mark."""
    module = types.ModuleType("canary")
    module.sung = []

    class Bird:
        """Does something whenever an instruction touches it."""

        def __new__(cls, *_, **__):
            module.sung.append("new")
            return super().__new__(cls)

        def __setstate__(self, state):
            module.sung.append("setstate")

        def __setitem__(self, key, value):
            module.sung.append("setitem")

        def append(self, item):
            module.sung.append("append")

        def extend(self, items):
            module.sung.append("extend")

        def add(self, item):
            module.sung.append("add")

    class Slotted:
        """Takes its state by setattr."""

        def __setattr__(self, name, value):
            module.sung.append("setattr")

    module.Bird, module.bird, module.slotted = Bird, Bird(), Slotted()
    module.sing = lambda *_: module.sung.append("call")
    module.sung.clear()
    sys.modules["canary"] = module
    copyreg.add_extension("canary", "sing", 1)
    yield module
    copyreg.remove_extension("canary", "sing", 1)
    copyreg.clear_extension_cache()
    del sys.modules["canary"]


GLOBAL_SING, GLOBAL_BIRD = b"ccanary\nsing\n", b"ccanary\nBird\n"
ON_THE_BIRD = b"\x80\x04ccanary\nbird\n"
ON_THE_SLOTTED = b"\x80\x04ccanary\nslotted\n"
HOSTILE = {
    "GLOBAL, REDUCE": b"\x80\x02" + GLOBAL_SING + b")R.",
    "STACK_GLOBAL, REDUCE": b"\x80\x04\x8c\x06canary\x8c\x04sing\x93)R.",
    "a dotted name": b"\x80\x04\x8c\x06canary\x8c\x0bbird.append\x93K\x01\x85R.",
    "INST": b"(icanary\nsing\n.",
    "INST of a class": b"(K\x01icanary\nBird\n.",
    "OBJ": b"(" + GLOBAL_SING + b"o.",
    "OBJ of a class": b"(" + GLOBAL_BIRD + b"K\x01o.",
    "NEWOBJ": b"\x80\x02" + GLOBAL_BIRD + b")\x81.",
    "NEWOBJ_EX": b"\x80\x04" + GLOBAL_BIRD + b")}\x92.",
    "EXT1": b"\x80\x02\x82\x01)R.",
    "EXT2": b"\x80\x02\x83\x01\x00)R.",
    "EXT4": b"\x80\x02\x84\x01\x00\x00\x00)R.",
    "BUILD by __setstate__": ON_THE_BIRD + b"K\x01b.",
    "BUILD by slots": ON_THE_SLOTTED + b"N}\x8c\x01xK\x01s\x86b.",
    "APPEND": ON_THE_BIRD + b"K\x01a.",
    "APPENDS": ON_THE_BIRD + b"(K\x01e.",
    "ADDITEMS": ON_THE_BIRD + b"(K\x01\x90.",
    "SETITEM": ON_THE_BIRD + b"K\x01K\x02s.",
    "SETITEMS": ON_THE_BIRD + b"(K\x01K\x02u.",
    "called in an argument": b"\x80\x02]" + GLOBAL_SING + b")Ra.",
    "called and thrown away": b"\x80\x02" + GLOBAL_SING + b")R0N.",
    "called as a key": b"\x80\x02}" + GLOBAL_SING + b")RK\x01s.",
}


def test_no_instruction_that_can_call_something_is_left_out():
    """All that Python's pickle has are named here: a new one must be looked at."""
    calling = "REDUCE INST OBJ NEWOBJ NEWOBJ_EX EXT1 EXT2 EXT4 BUILD APPEND APPENDS ADDITEMS "
    calling += "SETITEM SETITEMS GLOBAL STACK_GLOBAL"
    assert set(calling.split()) <= {word.strip(",") for name in HOSTILE for word in name.split()}
    asking = "PERSID BINPERSID NEXT_BUFFER READONLY_BUFFER"  # what the reader of a file gives
    plain = "MARK STOP POP POP_MARK DUP PROTO FRAME GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT "
    plain += "MEMOIZE NONE NEWTRUE NEWFALSE EMPTY_DICT EMPTY_LIST EMPTY_SET EMPTY_TUPLE DICT LIST "
    plain += "TUPLE TUPLE1 TUPLE2 TUPLE3 FROZENSET"
    known = {*calling.split(), *asking.split(), *plain.split(), *restricted_pickle._VALUES}
    assert {code.name for code in pickletools.opcodes} == known


@pytest.mark.parametrize("name", HOSTILE)
def test_a_pickle_that_would_call_something_is_refused_and_calls_nothing(canary, name):
    pickle.loads(HOSTILE[name])
    assert canary.sung, "Python's unpickler does what this pickle asks"
    canary.sung.clear()
    with pytest.raises(InputError, match=r"needs 'canary\.|builds objects \(pickle instruction "):
        read(HOSTILE[name])
    assert not canary.sung


@pytest.mark.parametrize("name", HOSTILE)
def test_what_lies_on_the_stack_is_never_touched_even_if_its_name_is_allowed(canary, name):
    allowed = {f"canary.{thing}": getattr(canary, thing) for thing in ("sing", "Bird", "bird")}
    allowed |= {"canary.slotted": canary.slotted, "canary.bird.append": canary.bird.append}
    with pytest.raises(InputError):
        read(HOSTILE[name], allowed)
    assert not canary.sung


@pytest.mark.parametrize(
    "data",
    [b"Pcanary\n.", b"\x80\x05\x97.", b"\x80\x05\x96" + b"\0" * 8 + b"\x98."],
    ids=["PERSID", "NEXT_BUFFER", "READONLY_BUFFER"],
)
def test_instructions_that_no_plain_data_needs_are_refused(data):
    with pytest.raises(InputError, match="pickle instruction"):
        read(data)


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "builtins.getattr",
        "builtins.__import__",
        "os.system",
        "torch.load",
        "torch.storage._load_from_bytes",
        "__main__.Model",
    ],
)
def test_a_name_that_is_not_allowed_is_said(name):
    module, _, last = name.rpartition(".")
    expected = f"needs '{name}', and only tensors and plain containers are read"
    with pytest.raises(InputError, match=expected):
        read(f"c{module}\n{last}\n.".encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x02N",
        b"hello",
        b"0.",
        b"(.",
        b"K\x01\x86.",
        b"K\x01K\x02a.",
        b"]K\x01K\x02s.",
        b"}(K\x01u.",
        b"}K\x01a.",
        b"K\x01K\x02R.",
        b"h\x05.",
        b"X\x02\x00\x00\x00\xff\xff.",
        b"I" + b"9" * 5000 + b"\n.",
        b"Fx\n.",
        b"S'a\n.",
        b"S'\\z\\xzz'\n.",
        b"K\x01]b.",
        b"\x93.",
    ],
)
def test_a_damaged_pickle_is_one_plain_sentence(data):
    with pytest.raises(InputError, match=r"^holds a pickle that is cut off, damaged or longer"):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x02T\xff\xff\xff\x7fabc.",
        b"\x80\x04\x8e" + b"\xff" * 8 + b"abc.",
        b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fabc.",
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x7fabc.",
        b"\x80\x02Nr\xff\xff\xff\xff" + b"p99999999999999999999\n.",
    ],
    ids=["LONG4", "BINSTRING", "BINBYTES8", "BINUNICODE8", "BYTEARRAY8", "PUT"],
)
def test_a_length_that_the_file_does_not_have_costs_nothing(data):
    with pytest.raises(InputError, match="cut off"):
        read(data)


def test_deep_nesting_is_no_recursion():
    depth = 100_000
    for nest in (
        b"]" * depth + b"a" * (depth - 1),
        b")" + b"\x85" * depth,
        b"}K\x00" * depth + b"}" + b"s" * depth,
        b"}" + b"]" * depth + b"a" * (depth - 1) + b"K\x00s",  # as a key: hashing would recurse
    ):
        assert read(b"\x80\x02" + nest + b".") is not None


def test_keys_that_all_hash_alike_cost_no_more_than_others():
    same = b"".join(
        b"\x8a\x0a" + (k * (2**61 - 1)).to_bytes(10, "little") + b"N" for k in range(50_000)
    )
    assert len(read(b"\x80\x02}(" + same + b"u.")) == 50_000


def test_a_shared_list_is_shared_and_not_copied():
    twice = read(b"\x80\x02]](K\x01K\x01eq\x00ah\x00a.")
    assert twice[0] is twice[1]


def test_more_arguments_than_any_builder_takes_are_refused():
    many = b"\x80\x02cf\nf\n(" + b"N" * 17 + b"tR."
    with pytest.raises(InputError):
        read(many, {"f.f": Builder(lambda *_: None)})


def test_the_number_of_instructions_is_bounded(monkeypatch):
    monkeypatch.setattr(restricted_pickle, "MOST_STEPS", 100)
    assert read(b"\x80\x02" + b"N0" * 40 + b"N.") is None
    with pytest.raises(InputError, match="holds too much beside its tensors"):
        read(b"\x80\x02" + b"N0" * 60 + b"N.")


def test_the_attributes_of_a_dictionary_are_passed_by():
    """A state_dict carries the versions of its modules as the attribute _metadata."""
    value = collections.OrderedDict(a=1)
    value._metadata = {"version": 1}
    allowed = {"collections.OrderedDict": Builder(Pairs)}
    assert read(pickle.dumps(value, 2), allowed) == [("a", 1)]


@given(
    data=st.binary(max_size=60),
    start=st.sampled_from([b"", b"\x80\x02", b"\x80\x04}(", b"](", b"\x80\x02)"]),
)
@settings(max_examples=50, deadline=None)
def test_any_bytes_give_a_value_or_one_line(data, start):
    refusal = ""
    try:
        load(io.BytesIO(start + data), {}, lambda identity: None)
    except InputError as error:
        refusal = str(error)
    assert refusal.isprintable()


def test_a_long_integer_is_read_without_being_printed():
    digits = 1_000_000
    data = b"\x80\x02\x8b" + struct.pack("<i", digits) + b"\x7f" * digits + b"."
    assert read(data).bit_length() == 8 * digits - 1
