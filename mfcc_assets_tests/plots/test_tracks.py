"""Plots of one track."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.plots.tracks import (
    MOST_CHANNELS,
    coefficient_distributions,
    heat_map,
    published_heat_map,
    spectrogram,
    spectrum,
    waveform,
)
from mfcc_assets_tests.audio_samples import tone
from mfcc_assets_tests.plots.pictures import HARD_TITLES, cepstra, pixels

Plot = Callable[[NDArray[np.floating], str], bytes]
PlotOfAudio = Callable[[NDArray[np.floating], int, str], bytes]

PLOTS = [heat_map, published_heat_map, coefficient_distributions]
PLOTS_OF_AUDIO = [waveform, spectrum, spectrogram]


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_is_a_png_of_900_by_300_pixels(plot: Plot) -> None:
    png = plot(cepstra(500), "Ocean")
    assert pixels(png).shape == (300, 900, 3)
    assert len(png) < 150_000


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("title", HARD_TITLES)
def test_any_title_is_drawn_without_a_warning(plot: Plot, title: str) -> None:
    assert pixels(plot(cepstra(20), title)).shape == (300, 900, 3)


def test_a_dollar_in_a_title_starts_no_formula() -> None:
    plain, with_dollars = heat_map(cepstra(20), "x_1"), heat_map(cepstra(20), "$x_1$")
    assert (pixels(plain) != pixels(with_dollars)).any()
    # As a formula, the second title would have no dollar signs, and would not be wider than the first.
    assert title_width(with_dollars) > title_width(plain)


def title_width(png: bytes) -> int:
    columns = np.nonzero((pixels(png)[:34] < 128).all(axis=2).any(axis=0))[0]
    return int(columns.max() - columns.min())


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("values", [np.zeros((1, 13)), np.zeros((50, 13)), np.full((3, 13), -7.0), cepstra(2)])
def test_silence_and_a_single_frame_can_be_plotted(plot: Plot, values: NDArray[np.float64]) -> None:
    assert pixels(plot(values, "x")).shape == (300, 900, 3)


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(
    "values", [np.zeros((0, 13)), np.zeros((5, 0)), np.zeros(13), np.full((5, 13), np.nan), np.full((5, 13), np.inf)]
)
def test_values_that_are_not_finite_cepstra_are_refused(plot: Plot, values: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="a plot of cepstra needs"):
        plot(values, "x")


def test_an_outlier_does_not_wash_out_the_heat_map() -> None:
    values = cepstra(500)
    pierced = values.copy()
    pierced[100, 5] = 1e6
    difference = np.abs(pixels(heat_map(values, "x")).astype(int) - pixels(heat_map(pierced, "x")))
    inside = difference[40:245, 75:835]
    assert (inside.max(axis=2) > 32).mean() < 0.01


def test_a_long_track_shows_the_means_of_its_blocks() -> None:
    high_then_low = np.repeat([[30.0] * 13, [-30.0] * 13], 40_000, axis=0)
    red, _, blue = pixels(heat_map(high_then_low, "x"))[140, [200, 700]].astype(int).T
    assert red[0] > blue[0]
    assert blue[1] > red[1]


def test_the_distributions_do_not_depend_on_how_often_each_row_is_repeated() -> None:
    few = np.sort(cepstra(4_000), axis=0)
    thinned = np.abs(
        pixels(coefficient_distributions(few, "x")).astype(int)
        - pixels(coefficient_distributions(np.repeat(few, 20, axis=0), "x"))
    )
    assert (thinned.max(axis=2) > 32).mean() < 0.01


def test_threads_draw_the_same_as_one() -> None:
    tracks = [cepstra(300, seed) for seed in range(4)]
    alone = [heat_map(track, "thread") for track in tracks]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(heat_map, tracks, ["thread"] * len(tracks)))
    assert together == alone


@pytest.mark.parametrize("plot", PLOTS_OF_AUDIO)
@pytest.mark.parametrize("channels", [1, 2, MOST_CHANNELS])
@pytest.mark.parametrize("count", [1, 2_047, 2_048, 200_000])
def test_audio_of_any_length_is_drawn_as_a_png_of_900_by_300_pixels(
    plot: PlotOfAudio, channels: int, count: int
) -> None:
    samples = np.random.default_rng(0).normal(size=(channels, count)).astype(np.float32)
    png = plot(samples, 44_100, "Ocean")
    assert pixels(png).shape == (300, 900, 3)
    assert len(png) < 250_000


@pytest.mark.parametrize("plot", PLOTS_OF_AUDIO)
@pytest.mark.parametrize("title", HARD_TITLES)
def test_audio_with_any_title_is_drawn_without_a_warning(plot: PlotOfAudio, title: str) -> None:
    assert pixels(plot(np.zeros((2, 5_000)), 44_100, title)).shape == (300, 900, 3)


@pytest.mark.parametrize("plot", PLOTS_OF_AUDIO)
@pytest.mark.parametrize(
    ("samples", "sample_rate"),
    [
        (np.zeros(100), 44_100),
        (np.zeros((2, 0)), 44_100),
        (np.zeros((MOST_CHANNELS + 1, 100)), 44_100),
        (np.full((1, 100), np.nan), 44_100),
        (np.zeros((1, 100)), 0),
    ],
    ids=["one dimension", "no sample", "too many channels", "not finite", "no sample rate"],
)
def test_values_that_are_not_audio_are_refused(
    plot: PlotOfAudio, samples: NDArray[np.floating], sample_rate: int
) -> None:
    with pytest.raises(ValueError, match=r"audio needs|sample rate"):
        plot(samples, sample_rate, "x")


def test_a_waveform_shows_the_louder_channel_larger() -> None:
    drawn = coloured(waveform(np.stack([tone(1), tone(1) / 4]), 44_100, "x"))
    left, right = drawn[51:158].sum(), drawn[158:249].sum()
    assert left > 3 * right > 0


def test_a_spectrogram_is_brightest_at_the_frequency_of_a_tone() -> None:
    png = spectrogram(tone(2, frequency=11_025)[np.newaxis], 44_100, "x")
    column = pixels(png)[37:248, 400].sum(axis=1)
    assert int(column.argmax()) == pytest.approx(len(column) / 2, abs=3)


def test_a_spectrum_has_its_peak_at_the_frequency_of_a_tone() -> None:
    rows, columns = np.nonzero(coloured(spectrum(tone(2, frequency=1_000)[np.newaxis], 44_100, "x"))[40:245])
    peak = columns[rows == rows.min()].mean()
    # The axis is logarithmic, from the first bin to half of the sample rate.
    lowest, highest = 44_100 / 2_048, 22_050
    expected = 67 + 819 * np.log(1_000 / lowest) / np.log(highest / lowest)
    assert peak == pytest.approx(expected, abs=6)


def coloured(png: bytes) -> NDArray[np.bool_]:
    """The pixels that are neither grey nor white."""
    return np.ptp(pixels(png).astype(int), axis=2) > 60


def test_coefficients_that_stand_for_the_same_share_one_text() -> None:
    samples = np.random.default_rng(0).normal(size=(50, 4))

    plain, apart, together = (
        pixels(coefficient_distributions(samples, "x", meanings)).astype(int)
        for meanings in ((), ("level", "a", "b", "c"), ("level", "shape", "shape", "shape"))
    )

    assert (plain[:-60] == apart[:-60]).all(), "only the space below the plot differs"
    assert (plain != apart).any()
    assert (apart != together).any()


def test_every_coefficient_needs_a_meaning() -> None:
    with pytest.raises(ValueError, match="4 coefficients need as many meanings, not 1"):
        coefficient_distributions(np.zeros((5, 4)), "x", ["level"])
