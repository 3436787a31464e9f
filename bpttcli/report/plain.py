"""Notation for terminals that cannot print it."""

from __future__ import annotations

_SPELLED = str.maketrans(
    {
        "ρ": "rho", "σ": "sigma", "φ": "phi", "ε": "epsilon", "θ": "theta", "λ": "lambda",
        "δ": "delta", "τ": "tau", "ℓ": "l", "∂": "d", "‖": "||", "Σ": "sum", "∞": "inf",
        "₀": "0", "₁": "1", "₂": "2", "′": "'", "−": "-", "–": "-", "—": "-", "…": "...",
        "·": "*", "×": "x", "→": "->", "←": "<-", "≥": ">=", "≤": "<=", "≈": "~", "≠": "!=",
        "½": "1/2", "ᵀ": "^T", "∈": "in", "√": "sqrt", "█": "#", "°": " deg", "²": "^2",
        "├": "|", "└": "`", "│": "|", "─": "-", "✂": "x", "∘": "*", "⟨": "<", "⟩": ">",
        "±": "+/-", "ĝ": "ghat",
    }
)  # fmt: skip


def can_print(encoding: str | None) -> bool:
    """Whether an encoding has the notation of this tool."""
    try:
        "ρσ₁‖∂ℓ−→█─".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def spell(text: str, encoding: str | None) -> str:
    """Write a text in the characters of an encoding.

    Notation becomes words, and what else the encoding lacks a question mark.

    Parameters
    ----------
    text : str
    encoding : str or None
        Of the terminal; None counts as ASCII.

    Examples
    --------
    >>> spell("ρ(B) − 1", "ascii")
    'rho(B) - 1'
    """
    if can_print(encoding):
        return text
    known = encoding or "ascii"
    try:
        return text.translate(_SPELLED).encode(known, "replace").decode(known)
    except LookupError:
        return text.translate(_SPELLED).encode("ascii", "replace").decode("ascii")
