"""The gradients as sums over the steps, each term shown, and what repeats in them."""

from __future__ import annotations

import math
from collections.abc import Callable

from bpttcli.diagnostics.contribution_terms import Terms, lost_of
from bpttcli.diagnostics.explanation import Explanation, ParameterSum
from bpttcli.diagnostics.repeated_factor import RepeatedFactor
from bpttcli.engine.scaled import Scaled
from bpttcli.report.explanation_steps import Fold
from bpttcli.report.symbols import Symbol, symbol_of
from bpttcli.report.vectors import column, is_small, magnitude, matrix, norm, number, vector
from bpttcli.report.view import Cell, Grid, fits
from bpttcli.truncation.clipping import Clipped

_ROUNDING = 1e-12

# A header, and what stands under it, by step or by place in a list.
_Column = tuple[str, Callable[[int], str]]


def sum_grid(explanation: Explanation, part: ParameterSum, fold: Fold) -> Grid:
    """Tabulate the gradient of one parameter as the sum of what each step adds.

    Parameters
    ----------
    explanation : Explanation
    part : ParameterSum
    fold : Fold
    """
    symbol = symbol_of(part.name, explanation.network)
    factors = _factors(explanation, part.terms, symbol)
    # What has no room goes: first the factors, then of what is lost all but its norm.
    for columns, write_lost in ((factors, matrix), ([], matrix), ([], norm)):
        headers, rows = _sum_rows(explanation.clipped, part, fold, columns, write_lost)
        if fits(headers, rows):
            break
    at_sum = next(i for i, row in enumerate(rows) if row[0] == "sum")
    groups = range(1, len(rows)) if _is_tall(rows) else [at_sum]
    note = f"{_checked(part)} {fold.note}".rstrip()
    return _grid(_title(explanation, symbol), note, headers, rows, frozenset(groups))


def repeated_grid(explanation: Explanation) -> Grid:
    """Tabulate what is multiplied in again at every step back, by lag.

    Parameters
    ----------
    explanation : Explanation
    """
    found, cell = explanation.repeated, explanation.network.cell
    power: list[_Column] = []
    if found.matrices is not None:
        powers = found.matrices
        power = [("B^k", lambda i: matrix(powers[i]))]
    sizes: list[_Column] = []
    if found.powers is not None:
        rho, sigma = found.powers.rho, found.powers.norm
        sizes = [("ρ^k", lambda i: magnitude(rho[i])), ("‖B^k‖", lambda i: magnitude(sigma[i]))]
    if cell.name != "linear":
        repeated = "φ′" if cell.carry is None else cell.carry
        sizes.append((f"{repeated}, k times", lambda i: magnitude(found.factor[i])))
    length = found.norm
    sizes.append(("‖p‖", lambda i: magnitude(length[i])))
    gradient: list[_Column] = []
    if is_small(found.gradient.mantissa.shape[1]):
        gradient = [("p", lambda i: column(_row(found.gradient, i)))]
    for columns in ([*power, *sizes, *gradient], [*power, *sizes], sizes):
        headers = ["k", *(header for header, _ in columns)]
        rows: list[list[Cell]] = [
            [str(k), *(write(i) for _, write in columns)] for i, k in enumerate(found.k)
        ]
        if fits(headers, rows):
            break
    groups = frozenset(range(1, len(rows)) if _is_tall(rows) else ())
    title = f"What repeats: k steps back from step {explanation.last_target}"
    return _grid(title, _repeated_note(explanation, found), headers, rows, groups)


def _sum_rows(
    clipped: Clipped | None,
    part: ParameterSum,
    fold: Fold,
    factors: list[_Column],
    write_lost: Callable[[Scaled], str],
) -> tuple[list[str], list[list[Cell]]]:
    """A row a step from the last to the first, then their sum and what clipping makes of it."""
    is_cut = part.exact is not part.terms

    def shown(terms: Scaled, exact: Scaled) -> list[Cell]:
        return [matrix(terms), *([write_lost(lost_of(exact, terms))] if is_cut else [])]

    rows: list[list[Cell]] = []
    for step in reversed(fold.forward()):
        first, last = (step, step) if step else (fold.first, fold.last)
        label = str(step) if step else f"{fold.label} together"
        by_factor = [write(step) if step else "" for _, write in factors]
        sums = part.terms.between(first, last), part.exact.between(first, last)
        rows.append([label, *by_factor, *shown(*sums)])
    blank = [""] * len(factors)
    rows.append(["sum", *blank, *shown(part.total, part.exact_total)])
    if clipped is not None and clipped.fired:
        done = []
        if clipped.limits.value is not None:
            done.append(f"within ±{number(clipped.limits.value)}")
        if clipped.factor != 1:
            done.append(f"times {magnitude(clipped.scaled_factor)}")
        after = matrix(clipped.gradient[part.name])
        rows.append(["\n".join(done), *blank, after, *[""] * is_cut])
    return ["t", *(header for header, _ in factors), "term", *["lost"] * is_cut], rows


def _title(explanation: Explanation, symbol: Symbol) -> str:
    """Write the sum as a formula."""
    delta, fed = symbol.delta.format(t="t"), symbol.fed.format(t="t", before="(t−1)")
    mean = "" if explanation.batch == 1 else ", the mean over the batch"
    return f"∂L/∂{symbol.letter} = Σ_t {delta}{f' {fed}ᵀ' if fed else ''}{mean}"


def _checked(part: ParameterSum) -> str:
    """Say how well the sum agrees with two gradients that were made without it."""
    if not math.isfinite(part.relative_error):
        return "The gradient is undefined: the forward state leaves the range of float64."
    place = ", ".join(str(i + 1) for i in part.check.index)
    gradient = float(part.gradient.value[part.check.index])
    whole = part.terms is part.exact
    exact = gradient if whole else float(part.exact_total.value[part.check.index])
    # Digits of rounding are nobody's business, and differ from processor to processor.
    error = number(max(part.relative_error, _ROUNDING))
    added = (
        "gradient to {error} of its norm. Its"
        if whole
        else ("estimate to {error} of its norm. With what is lost, its")
    )
    return (
        f"The terms add up to the engine's {added.format(error=error)} entry ({place}) is "
        f"{number(exact)}; a finite difference, that weight moved up and down, gives "
        f"{number(part.check.value)}."
    )


def _factors(explanation: Explanation, terms: Terms, symbol: Symbol) -> list[_Column]:
    """The two vectors whose product is a term; none for a bias, nor for a mean over a batch."""
    fed = terms.fed
    if explanation.batch > 1 or fed is None:
        return []
    delta = terms.delta

    def left(step: int) -> str:
        return column(Scaled(delta.mantissa[step - 1, 0], delta.exponent[step - 1, 0]))

    def right(step: int) -> str:
        one = fed[step - 1, 0]
        return f"symbol {one}" if fed.ndim == 2 else vector(one)

    headers = symbol.delta.format(t="t"), symbol.fed.format(t="t", before="(t−1)") + "ᵀ"
    return [(headers[0], left), (headers[1], right)]


def _repeated_note(explanation: Explanation, found: RepeatedFactor) -> str:
    """Say what the table shows, with its last row as the example."""
    cell, k, tau = explanation.network.cell, int(found.k[-1]), explanation.last_target
    loss = f"the loss of step {tau}"
    if explanation.outputs.target.sum() == 1:
        loss = "the loss"
    uncut = ", if nothing is cut" if explanation.cuts else ""
    note = f"p is what {loss} says to the hidden state k steps before it{uncut}. "
    if found.eigenvalues is None:
        return note + (
            f"Its way back leads through the gates as well as through B: gate {cell.carry} "
            "passes a unit's own past on, and its mean over the units is multiplied in at "
            "every step."
        )
    values = found.eigenvalues.tolist()
    listed = "B has the eigenvalues " + ", ".join(_complex(v) for v in values) + ". "
    if len(values) == 1:
        listed = f"B has one entry, {number(values[0].real)}. "
    elif not is_small(len(values)):
        listed = f"The largest eigenvalue of B has the modulus ρ = {number(abs(values[0]))}. "
    note += f"{listed}Every step back multiplies by Bᵀ once more"
    if found.powers is not None and k > 0:
        rho = number(abs(values[0]))
        note += f": ρ^{k} = {rho}^{k} = {magnitude(found.powers.rho[-1])}"
    note += "."
    if cell.name != "linear":
        note += (
            f" It also multiplies by the slope φ′ of {cell.name}, at most 1, which shrinks each "
            "power further: the product of its means over the units stands beside."
        )
    return note


def _complex(value: complex) -> str:
    """Write an eigenvalue."""
    if value.imag == 0:
        return number(value.real)
    return f"{number(value.real)} {'+' if value.imag > 0 else '−'} {number(abs(value.imag))}i"


def _row(values: Scaled, index: int) -> Scaled:
    """One row of numbers whose exponents are (n, 1)."""
    return Scaled(values.mantissa[index], values.exponent[index])


def _is_tall(rows: list[list[Cell]]) -> bool:
    """Whether a cell has several lines, so that rows need rules between them."""
    return any("\n" in str(cell) for row in rows for cell in row)


def _grid(
    title: str, note: str, headers: list[str], rows: list[list[Cell]], groups: frozenset[int]
) -> Grid:
    """Put together a table whose columns all stand on the left, as matrices must."""
    return Grid(title, headers, rows, frozenset(range(len(headers))), note=note, groups=groups)
