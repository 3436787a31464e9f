"""Valid files with bytes flipped, cut out or put in."""

from hypothesis import strategies as st

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=9),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content, edits):
    """Carry out edits, each at a share of the content."""
    data = bytearray(content)
    for kind, where, what in edits:
        at = int(where * len(data))
        end = at if kind == "insert" else at + len(what)
        data[at:end] = b"" if kind == "cut" else what
    return bytes(data)
