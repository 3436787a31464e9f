"""What a network that has learnt to predict a text says next."""

from __future__ import annotations

import math

import numpy as np

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.engine.unroll import States, unroll, zero_states
from bpttcli.errors import InputError, RunError
from bpttcli.tasks.vocabulary import Symbols, Vocabulary


def sample(
    network: Network,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
    n: int,
    *,
    prompt: str = "",
    temperature: float = 1.0,
) -> str:
    """Let a network go on from a prompt, each symbol that it says being its next input.

    A symbol is drawn with probability ∝ exp(o/τ), o the outputs and τ the temperature; at
    τ = 0 it is the one with the largest output, the first among equals. Without a prompt, of
    a running text the first symbol is what the readout says of the state before it, h = 0.

    A text that was learnt by lines is continued by lines: the first begins with the prompt,
    and after each line end the next begins from h = 0, as in training.

    Parameters
    ----------
    network : Network
        As many inputs and outputs as there are symbols.
    vocabulary : Vocabulary
    rng : numpy.random.Generator
    n : int
        How many symbols it says, line ends included.
    prompt : str
        What it is told first.
    temperature : float
        τ ≥ 0.

    Returns
    -------
    str
        The prompt and what follows.

    Raises
    ------
    InputError
        The prompt holds a symbol that is not in the vocabulary, the temperature is negative
        or not finite, or the network has another number of inputs or outputs.
    RunError
        An output is not a finite number.
    """
    check_temperature(temperature)
    check_widths(network, vocabulary)
    end = vocabulary.names.index("\n") if vocabulary.by_line else None
    said = [int(symbol) for symbol in vocabulary.encode(prompt)]
    start = zero_states(network, 1)
    states, heard = start, said if end is None else [end, *_last_line(said, end)]
    for _ in range(n):
        if heard:
            states = _hear(network, heard, states)
        symbol = _choose(_outputs(network, states), temperature, rng)
        said.append(symbol)
        heard = [symbol]
        if symbol == end:
            states = start
    return vocabulary.decode(np.array(said, dtype=np.int64))


def check_widths(network: Network, vocabulary: Vocabulary) -> None:
    """Refuse a network that cannot hear or say each symbol.

    Raises
    ------
    InputError
        It has another number of inputs or outputs than there are symbols.
    """
    count = len(vocabulary)
    if (network.n_inputs, network.n_outputs) != (count, count):
        raise InputError(
            f"must have an input and an output for each of the {count} symbols, got "
            f"{network.n_inputs} inputs and {network.n_outputs or 'no'} outputs",
            key="model",
        )


def check_temperature(temperature: float) -> None:
    """Refuse a temperature that is none.

    Raises
    ------
    InputError
        It is negative or not finite.
    """
    if not (math.isfinite(temperature) and temperature >= 0):
        message = f"must be a number of at least 0, got {temperature:g}"
        raise InputError(message, key="temperature")


def _last_line(symbols: list[int], end: int) -> list[int]:
    """What stands after the last line end; all that came before it is forgotten."""
    for k in range(len(symbols), 0, -1):
        if symbols[k - 1] == end:
            return symbols[k:]
    return symbols


def _hear(network: Network, symbols: list[int], states: States) -> States:
    """The states after some symbols."""
    x: Symbols = np.array(symbols, dtype=np.int64)[:, None]
    return unroll(network, x, states).end()


def _outputs(network: Network, states: States) -> Array:
    """The outputs o (O,) for the states after a step."""
    assert network.C is not None
    with np.errstate(all="ignore"):
        o = np.dot(network.C, states[-1][0][0])
        return np.asarray(o if network.c is None else o + network.c)


def _choose(o: Array, temperature: float, rng: np.random.Generator) -> int:
    """Draw a symbol."""
    if not np.isfinite(o).all():
        unit = int(np.argmin(np.isfinite(o))) + 1
        raise RunError(f"nothing can be said: output {unit} is not a finite number")
    if temperature == 0:
        return int(o.argmax())
    with np.errstate(over="ignore", under="ignore"):
        # From the largest down, so that a temperature near 0 is its limit.
        p = np.exp((o - o.max()) / temperature)
    chances = np.cumsum(p)
    return int(np.searchsorted(chances, rng.random() * chances[-1], side="right"))
