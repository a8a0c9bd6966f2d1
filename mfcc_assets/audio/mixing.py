"""Mixes the channels of decoded audio down to one."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

_WINDOW = 2**13
"""Frames for which is decided at once whether the channels cancel each other out."""

_CANCELLED = 1e-3
"""The channels cancel each other out where the power of their mix is below this share of their mean power."""

_ROUNDING = 1e-5
"""A power in float32 may be wrong by this share."""


def mixed_down(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mix channels down to one.

    The mix is the mean of the channels. Where they cancel each other out, as when one has the opposite phase of the
    other, the mix would be silent though the music is not: there it is the first channel that is not much quieter than
    the loudest. This is decided for windows of 8,192 frames, which begin at the beginning of the block, by their power:
    the mix must have less than a thousandth of the mean power of the channels. Ordinary stereo never comes near that. A
    constant offset, which some sound cards add, has no part in this power.

    Parameters
    ----------
    block : (frames, channels) float32
        Samples of all channels.

    Returns
    -------
    (frames,) float32
        The mix.
    """
    first, *others = block.T
    # Adding columns is several times faster than np.mean over a short last axis.
    with np.errstate(over="ignore", invalid="ignore"):
        mono: NDArray[np.float32] = sum(others, first) / np.float32(block.shape[1])
        if not others:
            return mono
        whole = len(mono) // _WINDOW * _WINDOW
        for start, stop, size in ((0, whole, _WINDOW), (whole, len(mono), len(mono) - whole)):
            if start == stop:
                continue
            mixes, windows = mono[start:stop].reshape(-1, size), block[start:stop].reshape(-1, size, block.shape[1])
            power_of_mixes = _power(mixes[:, :, None], _energy(mixes[:, :, None]))
            energy = _energy(windows)
            power = _power(windows, energy) / np.float32(block.shape[1])
            # Rounding may hide what is left of a mix beside a large offset, so the close ones are computed again.
            rounding = _ROUNDING * energy
            for window in np.flatnonzero(power_of_mixes < _CANCELLED * power + rounding):
                channel = _channel_instead_of_mix(windows[window])
                if channel is not None:
                    mixes[window] = windows[window][:, channel]
    return mono


def _energy(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of the squared samples of each window (windows, frames, channels)."""
    flat = windows.reshape(len(windows), 1, -1)
    energy: NDArray[np.float32] = np.matmul(flat, flat.transpose(0, 2, 1)).ravel()
    return energy


def _power(windows: NDArray[np.float32], energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the energy of each window (windows, frames, channels) without the constant offset of each channel."""
    frames = windows.shape[1]
    offsets = np.matmul(np.ones(frames, np.float32), windows)
    power: NDArray[np.float32] = energy - np.square(offsets).sum(axis=1) / frames
    return power


def _channel_instead_of_mix(window: NDArray[np.float32]) -> int | None:
    """Return the channel of a window (frames, channels) that is used, or None if its channels are mixed."""
    exact = window.astype(np.float64)
    centred = exact - exact.mean(axis=0)
    powers = np.square(centred).sum(axis=0)
    is_constant = powers.mean() <= _ROUNDING**2 * np.square(exact).sum()
    if is_constant or not np.square(centred.mean(axis=1)).sum() < _CANCELLED * powers.mean():
        return None
    return int(np.argmax(powers >= powers.max() / 2))


def in_whole_windows(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Cut blocks (frames, channels) of any length into blocks of whole windows, and the rest.

    So the mix does not depend on the lengths of the blocks that a decoder returns.
    """
    rest: NDArray[np.float32] | None = None
    for block in blocks:
        joined = block if rest is None else np.concatenate([rest, block])
        whole = len(joined) - len(joined) % _WINDOW
        if whole:
            yield joined[:whole]
        rest = joined[whole:] if whole < len(joined) else None
    if rest is not None:
        yield rest
