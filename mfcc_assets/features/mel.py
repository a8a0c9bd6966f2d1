"""The mel scale and the cepstral lifter, the two formulas that every reader of cepstra needs."""

from typing import overload

import numpy as np
from numpy.typing import NDArray


@overload
def hz_to_mel(hertz: float) -> float: ...
@overload
def hz_to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]: ...
def hz_to_mel(hertz: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """Convert frequencies to the mel scale, on which equal steps sound equally large.

    Parameters
    ----------
    hertz : float or array of float64
        Frequencies in Hz, not negative.

    Returns
    -------
    float or array of float64
        Pitches in mel, of the same shape.

    See Also
    --------
    mel_to_hz : The inverse.

    Notes
    -----
    ``2595 log10(1 + f / 700)``, from O'Shaughnessy, "Speech Communication: Human and Machine", Addison-Wesley 1987,
    as in ``python_speech_features.base.hz2mel``.

    Examples
    --------
    >>> print(f"{hz_to_mel(1000.0):.3f}")
    999.986
    >>> hz_to_mel(np.array([0.0, 440.0, 4000.0])).round(1).tolist()
    [0.0, 549.6, 2146.1]
    """
    mel: float | NDArray[np.float64] = 2595 * np.log10(1 + hertz / 700)
    return mel


@overload
def mel_to_hz(mel: float) -> float: ...
@overload
def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]: ...
def mel_to_hz(mel: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
    """Convert pitches on the mel scale to frequencies.

    Parameters
    ----------
    mel : float or array of float64
        Pitches in mel, not negative.

    Returns
    -------
    float or array of float64
        Frequencies in Hz, of the same shape.

    See Also
    --------
    hz_to_mel : The inverse, with the source of the formula.

    Examples
    --------
    >>> print(f"{mel_to_hz(1000.0):.3f}")
    1000.022
    >>> mel_to_hz(np.array([0.0, 2595.0])).tolist()
    [0.0, 6300.0]
    """
    hertz: float | NDArray[np.float64] = 700 * (10 ** (mel / 2595) - 1)
    return hertz


def lifter_weights(coefficients: int, lifter: int) -> NDArray[np.float64]:
    """Return the factors by which a sinusoidal lifter scales cepstral coefficients.

    Higher coefficients are much smaller than lower ones. The lifter raises them, so that they count in a distance.
    Divide liftered cepstra by these factors to undo it.

    Parameters
    ----------
    coefficients
        Number of coefficients.
    lifter
        Length L of the lifter; 0 leaves the cepstra as they are.

    Returns
    -------
    (coefficients,) float64
        ``1 + L / 2 sin(pi n / L)`` for the coefficients n = 0, 1, …; the first factor is 1.

    Notes
    -----
    The formula is from Juang, Rabiner and Wilpon, "On the use of bandpass liftering in speech recognition", IEEE
    Transactions on Acoustics, Speech, and Signal Processing 35(7), 1987. ``python_speech_features.lifter`` is the same.

    Examples
    --------
    >>> lifter_weights(4, 22).round(2).tolist()
    [1.0, 2.57, 4.1, 5.57]
    >>> lifter_weights(4, 0).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if lifter <= 0:
        return np.ones(coefficients)
    weights: NDArray[np.float64] = 1 + lifter / 2 * np.sin(np.pi * np.arange(coefficients) / lifter)
    return weights
