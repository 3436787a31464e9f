"""What the recurrent matrix B itself says, before any trajectory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bpttcli.diagnostics.bare_matrix import checked_matrix, checked_powers, checked_top
from bpttcli.diagnostics.eigenvalues import Eigenvalues, by_modulus, eigenvalues_of
from bpttcli.diagnostics.extreme_values import (
    LARGEST_DENSE,
    largest_eigenvalues,
    largest_singular_value,
)
from bpttcli.diagnostics.kreiss import kreiss_lower_bound
from bpttcli.diagnostics.matrix_powers import MatrixPowers, PowerNorms, power_norms
from bpttcli.diagnostics.numerical_range import numerical_abscissa, numerical_radius
from bpttcli.diagnostics.transient_growth import TransientGrowth, transient_growth
from bpttcli.engine.scaled import Array, Exponents, Scaled, exponent_of, shift
from bpttcli.errors import RunError

DEFAULT_POWERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

# Sums of squares of entries of this many bits stay in range.
_SAFE_BITS = 300

# What rounding leaves of √(‖B‖_F² − Σ|λ|²) for a normal matrix, relative to ‖B‖_F.
_NORMAL_TO_ROUNDING = 1e-7

# Largest residual of an iterative figure, relative to σ₁; the singular value is squared better.
_TOP_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class MatrixSpectrum:
    """What B says.

    Parameters
    ----------
    eigenvalues : (n,) complex array
        By falling modulus; a conjugate pair side by side, positive imaginary part first.
        Only the largest where `residual` is set or only some were asked for.
    eigenvalue_error : float or None
        No eigenvalue is further than this from an exact one; inf for a defective matrix
        unless it is triangular in some order (0). None where the vectors were not computed.
        A spectral radius below it may be rounding alone.
    spectral_radius, spectral_norm : float
        Largest |λ|; largest singular value.
    residual : float or None
        Largest residual of the iterative method, at most 1e-6 of the spectral norm; None
        where the figures are those of a dense decomposition.
    departure_from_normality, departure_relative : float or None
        Henrici's √(‖B‖_F² − Σ|λ|²), 0 below 1e-7 ‖B‖_F; and over ‖B‖_F.
    eigenvector_condition : float or None
        σ_max/σ_min of the unit eigenvectors; inf for a defective matrix.
    numerical_radius, numerical_abscissa : float or None
        Largest |xᴴBx| and largest Re xᴴBx over unit vectors.
    kreiss_lower_bound : float or None
        Of sup_{|z|>1} (|z| − 1)‖(z − B)⁻¹‖₂; inf for ρ > 1.
    powers : PowerNorms or None
        ρ^k beside ‖B^k‖₂.
    growth : TransientGrowth or None
        The largest ‖B^k‖₂; None where the powers grow without end.

    Notes
    -----
    None also stands for what is skipped: above 500 units the vectors' condition, the
    numerical radius and the Kreiss bound, unless everything was asked for; and all but the
    first figures where only the largest values were.
    """

    eigenvalues: NDArray[np.complex128]
    eigenvalue_error: float | None
    spectral_radius: float
    spectral_norm: float
    residual: float | None
    departure_from_normality: float | None = None
    departure_relative: float | None = None
    eigenvector_condition: float | None = None
    numerical_radius: float | None = None
    numerical_abscissa: float | None = None
    kreiss_lower_bound: float | None = None
    powers: PowerNorms | None = None
    growth: TransientGrowth | None = None


def spectrum_of(
    matrix: ArrayLike,
    *,
    powers: Sequence[SupportsIndex] = DEFAULT_POWERS,
    full: bool = False,
    top: int | None = None,
) -> MatrixSpectrum:
    """Examine a bare recurrent matrix.

    Parameters
    ----------
    matrix : (n, n) array_like
        B, real.
    powers : sequence of int
        The k of ρ^k and ‖B^k‖₂, each from 0 to 1,000,000.
    full : bool
        Whether to compute above 500 units what takes longer than the eigenvalues.
    top : int or None
        Only so many of the largest eigenvalues (one more rather than half a pair) and σ₁,
        iteratively, if that converges.

    Returns
    -------
    MatrixSpectrum

    Raises
    ------
    InputError
        If the matrix is not square, empty, not real or not finite; if a power or `top` is
        not an integer in its range.
    RunError
        If the eigenvalues do not converge.

    Examples
    --------
    >>> spectrum = spectrum_of([[0.9, 10.0], [0.0, 0.9]], powers=[10])
    >>> spectrum.spectral_radius, spectrum.growth.k, round(float(spectrum.growth.norm.value), 3)
    (0.9, 9, 38.746)
    """
    raw = checked_matrix(matrix)
    steps = checked_powers(powers)
    count = None if top is None else checked_top(top, len(raw))
    try:
        if count is not None:
            return _largest(raw, count)
        return _everything(raw, steps, dear=full or len(raw) <= LARGEST_DENSE)
    except np.linalg.LinAlgError as error:
        raise RunError(f"the spectrum of B could not be computed: {error}") from error


def _everything(raw: Array, steps: Sequence[int], *, dear: bool) -> MatrixSpectrum:
    """Compute all figures, or all but those that are dear for a large matrix."""
    B, unit = _in_safe_range(raw)
    products = MatrixPowers(raw)
    sigma = products.norm(1)
    norm = float(shift(sigma.mantissa, sigma.exponent - unit))
    eigen = eigenvalues_of(B, norm, vectors=dear)
    frobenius = float(np.linalg.norm(B))
    departure = _departure(eigen.values, frobenius)
    rho = Scaled(np.abs(eigen.values[0]), unit)
    eigen = eigen.times_power_of_two(unit)
    return MatrixSpectrum(
        eigenvalues=eigen.values,
        eigenvalue_error=eigen.error,
        spectral_radius=float(rho.value),
        spectral_norm=float(sigma.value),
        residual=None,
        departure_from_normality=_plain(departure, unit),
        departure_relative=departure / frobenius if frobenius > 0 else 0.0,
        eigenvector_condition=eigen.condition,
        numerical_radius=_plain(numerical_radius(B), unit) if dear else None,
        numerical_abscissa=_plain(numerical_abscissa(B, norm), unit),
        kreiss_lower_bound=kreiss_lower_bound(raw, eigen) if dear else None,
        powers=power_norms(products, rho, steps),
        growth=transient_growth(products, float(rho.value)),
    )


def _largest(raw: Array, count: int) -> MatrixSpectrum:
    """Compute the largest eigenvalues and σ₁ alone, iteratively if that converges."""
    B, unit = _in_safe_range(raw)
    sigma = largest_singular_value(
        lambda x: B @ x, lambda x: B.T @ x, len(B), tolerance=_TOP_TOLERANCE
    )
    some = sigma and largest_eigenvalues(B, count, tolerance=_TOP_TOLERANCE * sigma[0])
    if sigma and some:
        values, norm, residual = some[0], sigma[0], max(some[1], sigma[1])
    else:
        every = np.linalg.eigvals(B)
        values = every[by_modulus(every, count)].astype(np.complex128)
        norm, residual = float(np.linalg.norm(B, 2)), None
    eigen = Eigenvalues(values, None, None, None).times_power_of_two(unit)
    return MatrixSpectrum(
        eigenvalues=eigen.values,
        eigenvalue_error=None,
        spectral_radius=float(np.abs(eigen.values[0])),
        spectral_norm=_plain(norm, unit),
        residual=None if residual is None else _plain(residual, unit),
    )


def _in_safe_range(raw: Array) -> tuple[Array, Exponents]:
    """Divide by a power of two where squares would leave the range; return its exponent."""
    size = exponent_of(np.abs(raw).max())
    unit = np.where(np.abs(size) > _SAFE_BITS, size, 0)
    return shift(raw, -unit), unit


def _departure(values: NDArray[np.complex128], frobenius: float) -> float:
    """Henrici's departure from normality, 0 where rounding hides it."""
    squares = frobenius**2 - float(np.sum(np.abs(values) ** 2))
    departure = math.sqrt(max(squares, 0.0))
    return departure if departure >= _NORMAL_TO_ROUNDING * frobenius else 0.0


def _plain(value: float, unit: Exponents) -> float:
    """Multiply by 2^unit."""
    return float(shift(np.asarray(value), unit))
