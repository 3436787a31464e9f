"""Parameters as the equations name them: A, B, C and what they are for."""

from __future__ import annotations

from bpttcli.engine.network import Network
from bpttcli.record import Record


class Symbol(Record, frozen=True):
    """A parameter in the words of the equations.

    Parameters
    ----------
    letter : str
        A, B, b, C or c, with the layer where there are several.
    role : str
        What it leads from and to, and does.
    delta, fed : str
        The two factors of step t's term, δ and u in δ uᵀ, each with ``{t}`` or ``{before}``;
        `fed` is empty for a bias.
    used_in : str
        What it takes part in, with ``{t}``.
    """

    letter: str
    role: str
    delta: str
    fed: str
    used_in: str


def symbol_of(name: str, network: Network) -> Symbol:
    """Name a parameter.

    Parameters
    ----------
    name : str
        PyTorch's.
    network : Network
        That it belongs to.
    """
    kind, _, layer = name.partition("_l")
    if kind == "readout.weight":
        role = "hidden → output: reads the hidden state h_t"
        return Symbol("C", role, "∂L/∂o_{t}", "h_{t}", "o_{t}")
    if kind == "readout.bias":
        return Symbol("c", "bias of the output", "∂L/∂o_{t}", "", "o_{t}")
    several = len(network.layers) > 1
    where = f" of layer {layer}" if several else ""
    letter = {"weight_ih": "A", "weight_hh": "B"}.get(kind, "b")
    both = {f"bias_ih_l{layer}", f"bias_hh_l{layer}"} <= network.parameters.keys()
    if letter == "b" and both:
        letter += kind.removeprefix("bias")
    roles = {
        "weight_ih": "input → hidden: brings in what step t is fed",
        "weight_hh": "hidden → hidden: carries the state on, from step to step",
    }
    role = roles.get(kind, "bias of the hidden units")
    fed = {"weight_ih": "x_{t}" if layer == "0" else "u_{t}", "weight_hh": "h_{before}"}
    # The reset gate of a GRU acts on B's product alone, so B has a δ of its own.
    own = kind.endswith("hh") and network.cell.name == "gru"
    delta = "∂L/∂(B h)_{t}" if own else "∂L/∂a_{t}"
    return Symbol(letter + where, role, delta, fed.get(kind, ""), "a_{t}")
