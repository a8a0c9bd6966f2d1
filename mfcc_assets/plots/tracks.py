"""Plots of tracks: their audio, their cepstra, and how cepstra are distributed over a library."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.plots.figure import (
    AXES_BOTTOM,
    AXES_HEIGHT,
    COLOURS,
    PLOT_COLUMNS,
    block_edges,
    block_means,
    wide_figure,
    write_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

_STANDARD = CepstraParameters()

MOST_CHANNELS = 8
"""Largest number of channels that a plot of audio can show."""

# The time of a kernel density grows with its rows. 4,000 rows give the same curve as 400,000.
_DENSITY_ROWS = 4_000

_WINDOW = 2_048
"""Samples of a window of the spectrum and of the spectrogram."""

_SPECTROGRAM_COLUMNS, _SPECTROGRAM_ROWS = 387, 107
"""Cells of 2 × 2 pixels. With smaller ones the PNG is several times as large, and Dagster keeps it in its event log."""

_LOWEST_DECIBELS = -90.0


def heat_map(cepstra: NDArray[np.floating], title: str) -> bytes:
    """Plot the cepstra of one track over time, as a heat map.

    Parameters
    ----------
    cepstra : (frames, d)
        Cepstra of the track, 100 frames a second.
    title
        Title. It is drawn literally: a dollar sign does not start a formula.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels. Colours are symmetric around 0 and span 98 % of the values.

    Raises
    ------
    ValueError
        If `cepstra` has another shape, is empty, or is not finite.
    """
    _require_coefficients(cepstra)
    figure, axes = wide_figure(title, width=0.86)
    means = block_means(cepstra, PLOT_COLUMNS)
    limit = float(np.percentile(np.abs(means), 98)) or 1.0
    image = axes.imshow(
        means.T,
        aspect="auto",
        interpolation="nearest",
        origin="lower",
        extent=(0, len(cepstra) * _STANDARD.step_seconds, 0.5, cepstra.shape[1] + 0.5),
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
    )
    axes.set_yticks(range(1, cepstra.shape[1] + 1), _coefficient_names(cepstra))
    axes.set_xlabel("s")
    _add_colour_scale(figure, image, extend="both")
    return write_figure(figure)


def published_heat_map(cepstra: NDArray[np.floating], title: str) -> bytes:
    """Plot the cepstra of one track as the article does, with ``librosa.display.specshow``.

    Parameters, result and errors are those of `heat_map`. Use it where librosa is loaded anyway.
    """
    _require_coefficients(cepstra)
    # Importing it takes longer than drawing with it.
    import librosa.display

    figure, axes = wide_figure(title, width=0.86)
    means = block_means(cepstra, PLOT_COLUMNS)
    times = block_edges(len(cepstra), PLOT_COLUMNS) * _STANDARD.step_seconds
    rows = np.arange(cepstra.shape[1] + 1) + 0.5
    image = librosa.display.specshow(means.T, x_coords=times, y_coords=rows, x_axis="s", cmap="RdBu_r", ax=axes)
    axes.set_yticks(range(1, cepstra.shape[1] + 1), _coefficient_names(cepstra))
    axes.set_xlabel("s")
    _add_colour_scale(figure, image, extend="neither")
    return write_figure(figure)


# The three plots below are drawn with matplotlib's own axes. librosa.display has functions for them, but its import and
# its first plot are slow, and every run that adds a single track would wait for them.


def waveform(samples: NDArray[np.floating], sample_rate: int, title: str) -> bytes:
    """Plot the waveform of each channel over time.

    Parameters
    ----------
    samples : (channels, n)
        Samples of 1 to 8 channels.
    sample_rate
        Samples per second, in Hz.
    title
        Title. It is drawn literally: a dollar sign does not start a formula.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels. Each column of pixels shows the range of the samples that fall into it.

    Raises
    ------
    ValueError
        If `samples` has another shape, is empty, or is not finite, or if `sample_rate` is not positive.

    Examples
    --------
    >>> tone = np.sin(np.linspace(0, 440 * 2 * np.pi, 44_100))
    >>> png = waveform(np.stack([tone, tone / 2]), 44_100, "A tone, louder on the left")
    >>> png[1:4]
    b'PNG'
    """
    _require_audio(samples, sample_rate)
    figure, axes = wide_figure(title, width=0.91)
    channels, count = samples.shape
    edges = block_edges(count, PLOT_COLUMNS)
    largest = float(np.abs(samples).max()) or 1.0
    centres = -2.1 * largest * np.arange(channels)
    for channel, centre in zip(samples, centres.tolist(), strict=True):
        lowest, highest = (limit.reduceat(channel, edges[:-1]) + centre for limit in (np.minimum, np.maximum))
        # With an edge, a stretch of constant samples is visible, too.
        axes.stairs(highest, edges / sample_rate, baseline=lowest, fill=True, color=COLOURS[0], linewidth=0.6)
        axes.axhline(centre, color="#999999", linewidth=0.5)
    axes.set_xlim(0, count / sample_rate)
    axes.set_ylim(centres[-1] - 1.1 * largest, 1.1 * largest)
    axes.set_yticks(centres, _channel_names(channels))
    axes.set_xlabel("s")
    return write_figure(figure)


def spectrum(samples: NDArray[np.floating], sample_rate: int, title: str) -> bytes:
    """Plot the average power spectrum in dB below its largest value, over frequency on a logarithmic axis.

    Parameters, result and errors are those of `waveform`.

    Notes
    -----
    The average of the power spectra of overlapping windows: Welch, "The use of fast Fourier transform for the
    estimation of power spectra", IEEE Transactions on Audio and Electroacoustics 15 (1967).
    """
    _require_audio(samples, sample_rate)
    figure, axes = wide_figure(title, width=0.91)
    power = _power(samples).mean(axis=0)
    frequencies = np.arange(len(power)) * sample_rate / _WINDOW
    axes.plot(frequencies[1:], _decibels(power)[1:], color=COLOURS[0], linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(frequencies[1], frequencies[-1])
    axes.set_ylim(_LOWEST_DECIBELS, 3)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(color="#dddddd")
    axes.set_xlabel("Hz")
    axes.set_ylabel("dB", fontsize=8)
    return write_figure(figure)


def spectrogram(samples: NDArray[np.floating], sample_rate: int, title: str) -> bytes:
    """Plot the power of each frequency over time, in dB below the largest value.

    Parameters, result and errors are those of `waveform`.
    """
    _require_audio(samples, sample_rate)
    figure, axes = wide_figure(title, width=0.86)
    power = block_means(block_means(_power(samples), _SPECTROGRAM_COLUMNS).T, _SPECTROGRAM_ROWS)
    image = axes.imshow(
        _decibels(power),
        aspect="auto",
        interpolation="nearest",
        origin="lower",
        extent=(0, samples.shape[1] / sample_rate, 0, sample_rate / 2_000),
        cmap="magma",
        vmin=_LOWEST_DECIBELS,
        vmax=0,
    )
    axes.set_xlabel("s")
    axes.set_ylabel("kHz", fontsize=8)
    _add_colour_scale(figure, image, extend="neither")
    return write_figure(figure)


def coefficient_distributions(samples: NDArray[np.floating], title: str, meanings: Sequence[str] = ()) -> bytes:
    """Plot how each coefficient is distributed over a library, as violins with median and quartiles.

    Parameters
    ----------
    samples : (n, d)
        Cepstra of many tracks, or their means. If there are many rows, a sample of them is drawn.
    title
        Title. It is drawn literally: a dollar sign does not start a formula.
    meanings
        What each coefficient stands for, in a word or two. Neighbours that stand for the same share one text.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels.

    Raises
    ------
    ValueError
        If `samples` has another shape, is empty, or is not finite, or if not every coefficient has a meaning.
    """
    _require_coefficients(samples)
    if meanings and len(meanings) != samples.shape[1]:
        raise ValueError(f"{samples.shape[1]} coefficients need as many meanings, not {len(meanings)}")
    figure, axes = wide_figure(title, width=0.91)
    rows = np.linspace(0, len(samples) - 1, min(len(samples), _DENSITY_ROWS)).astype(int)
    shown = samples[rows].astype(np.float64)
    violins: dict[str, Any] = axes.violinplot(
        shown,
        widths=0.85,
        showextrema=False,
        showmedians=True,
        quantiles=[[0.25, 0.75]] * shown.shape[1],
    )
    for body in violins["bodies"]:
        body.set(facecolor=COLOURS[0], edgecolor="#2f4b6b", alpha=0.75)
    violins["cmedians"].set(color="#111111", linewidth=2)
    violins["cquantiles"].set(color="#2f4b6b", linewidth=1)
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    axes.set_xticks(range(1, shown.shape[1] + 1), _coefficient_names(shown))
    _write_meanings(axes, meanings)
    axes.set_xlim(0.4, shown.shape[1] + 0.6)
    return write_figure(figure)


def _write_meanings(axes: "Axes", meanings: Sequence[str]) -> None:
    """Write what coefficients stand for below their names, with a line below those that share a text."""
    below, first = axes.get_xaxis_transform(), 1
    for meaning, group in groupby(meanings):
        last = first + len(list(group)) - 1
        axes.hlines(-0.125, first - 0.4, last + 0.4, color="#999999", linewidth=0.8, transform=below, clip_on=False)
        axes.text(
            (first + last) / 2,
            -0.14,
            meaning,
            transform=below,
            fontsize=8,
            horizontalalignment="center",
            verticalalignment="top",
            parse_math=False,
        )
        first = last + 1


def _power(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the power (windows, bins) of every half-overlapping Hann window, averaged over the channels."""
    missing = max(0, _WINDOW - samples.shape[1])
    padded = np.pad(samples.astype(np.float32), ((0, 0), (0, missing)))
    hann = np.hanning(_WINDOW).astype(np.float32)
    # One channel at a time, because the windows of a long excerpt take much memory.
    total: NDArray[np.float32] | None = None
    for channel in padded:
        windows = np.lib.stride_tricks.sliding_window_view(channel, _WINDOW)[:: _WINDOW // 2]
        power = np.square(np.abs(np.fft.rfft(windows * hann, axis=1)))
        total = power if total is None else total + power
    assert total is not None
    return total / np.float32(len(padded))


def _decibels(power: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return 10 log10 of the power relative to its largest value; silence is at the lower limit."""
    largest = float(power.max()) or 1.0
    decibels: NDArray[np.float64] = 10 * np.log10(np.maximum(power / largest, 10 ** (_LOWEST_DECIBELS / 10)))
    return decibels


def _coefficient_names(values: NDArray[np.floating]) -> list[str]:
    return [f"COE_{number}" for number in range(1, values.shape[1] + 1)]


def _channel_names(channels: int) -> list[str]:
    return {1: [""], 2: ["L", "R"]}.get(channels, [str(number) for number in range(1, channels + 1)])


def _add_colour_scale(figure: "Figure", image: "ScalarMappable", *, extend: str) -> None:
    scale = figure.colorbar(image, cax=figure.add_axes((0.945, AXES_BOTTOM, 0.012, AXES_HEIGHT)), extend=extend)
    scale.ax.tick_params(labelsize=8)


def _require_audio(samples: NDArray[np.floating], sample_rate: int) -> None:
    if samples.ndim != 2 or not 1 <= len(samples) <= MOST_CHANNELS or not samples.shape[1]:
        raise ValueError(f"a plot of audio needs shape (1 to {MOST_CHANNELS} channels, n > 0), not {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError("a plot of audio needs finite samples")
    if sample_rate <= 0:
        raise ValueError(f"the sample rate must be positive, not {sample_rate}")


def _require_coefficients(values: NDArray[np.floating]) -> None:
    if values.ndim != 2 or not values.size:
        raise ValueError(f"a plot of cepstra needs shape (n, d) with n > 0 and d > 0, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a plot of cepstra needs finite values")
