"""Recognising a query among the tracks of a library by its cepstra."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft, signal

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features.fingerprint import Fingerprints, fingerprint
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.match import Alignment, align, matches
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets_tests import naive_recognition

PARAMETERS = CepstraParameters()
FRAMES_A_SECOND = 100
DEMO = Path(str(files("mfcc_assets.demo")))

Library = dict[str, NDArray[np.float32]]


def log_filter_bank(seconds: float, seed: int) -> NDArray[np.float64]:
    """Return 26 log energies per frame that change slowly and independently, differently for each seed."""
    noise = np.random.default_rng(seed).standard_normal((round(seconds * FRAMES_A_SECOND), 26))
    wandering: NDArray[np.float64] = signal.lfilter([0.2], [1, -0.98], noise, axis=0)
    return wandering


def cepstra_of(log_energies: NDArray[np.float64]) -> NDArray[np.float32]:
    cepstra: NDArray[np.float64] = fft.dct(log_energies, axis=1, norm="ortho")[:, :13] * (
        1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    )
    cepstra[:, 0] = np.log(np.exp(log_energies).sum(axis=1))
    return cepstra.astype(np.float32)


def track(seconds: float, seed: int) -> NDArray[np.float32]:
    return cepstra_of(log_filter_bank(seconds, seed))


def cut(cepstra: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    return cepstra[round(start * FRAMES_A_SECOND) : round(end * FRAMES_A_SECOND)]


def fingerprints_of(library: Library) -> Fingerprints:
    return Fingerprints.of(
        [(AudioId(audio_id), fingerprint(cepstra, PARAMETERS)) for audio_id, cepstra in library.items()]
    )


def recognised(query: NDArray[np.float32], library: Library) -> str | None:
    picked = shortlist(query, [fingerprints_of(library)], PARAMETERS, count=5)
    found = matches(query, [(audio_id, library[audio_id]) for audio_id in picked], PARAMETERS)
    return found[0].audio_id if found else None


@pytest.fixture(scope="module")
def library() -> Library:
    return {f"track {seed}": track(60, seed) for seed in range(30)}


def decoded(path: Path) -> NDArray[np.float32]:
    return compute_cepstra(AudioReader(path, PARAMETERS.sample_rate, PARAMETERS.trimmed_samples).blocks(), PARAMETERS)


@pytest.fixture(scope="module")
def demo_library() -> Library:
    return {path.stem: decoded(path) for path in sorted((DEMO / "library").glob("*.ogg"))}


# --- Recordings


@pytest.mark.parametrize(
    ("upload", "work"),
    [("a-new-journey", "Maxstack_A_New_Journey"), ("caribbean", "Will_Savino_Caribbean"), ("coherence", None)],
)
def test_the_demo_uploads_are_recognised_if_the_library_has_them(
    upload: str, work: str | None, demo_library: Library
) -> None:
    assert recognised(decoded(DEMO / "uploads" / f"{upload}.mp3"), demo_library) == work


@pytest.mark.parametrize("work", ["Marine_Baklund_Marine01", "NeonCorridor_hr3_hell"])
@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050])
@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_an_excerpt_survives_mp3_another_sample_rate_and_another_loudness(
    work: str, sample_rate: int, gain: float, demo_library: Library, tmp_path: Path
) -> None:
    samples, original_rate = soundfile.read(DEMO / "library" / f"{work}.ogg", dtype="float32")
    excerpt = samples[round(7.3 * original_rate) : round(25.3 * original_rate)] * gain
    path = tmp_path / "excerpt.mp3"
    soundfile.write(path, soxr.resample(excerpt, original_rate, sample_rate), sample_rate)
    query = decoded(path)
    assert recognised(query, demo_library) == work
    assert align(query, demo_library[work], PARAMETERS).offset_seconds == pytest.approx(7.3, abs=0.15)


def test_no_demo_track_is_taken_for_another(demo_library: Library) -> None:
    mistaken = {}
    for audio_id, cepstra in demo_library.items():
        others = {other: theirs for other, theirs in demo_library.items() if other != audio_id}
        mistaken[audio_id] = recognised(cut(cepstra, 5, 20), others)
    assert set(mistaken.values()) == {None}


# --- The position of the query


@pytest.mark.parametrize(
    ("start", "end"), [(0, 15), (13.37, 31.37), (45, 60), (0, 60)], ids=["beginning", "middle", "end", "whole"]
)
def test_an_excerpt_is_found_at_the_position_where_it_was_cut_out(start: float, end: float, library: Library) -> None:
    query = cut(library["track 7"], start, end)
    assert recognised(query, library) == "track 7"
    alignment = align(query, library["track 7"], PARAMETERS)
    assert alignment.offset_seconds == pytest.approx(start, abs=0.05)
    assert alignment.cosine > 0.9


def test_an_upload_longer_than_the_library_track_begins_before_it(library: Library) -> None:
    upload = np.concatenate([track(70, 100), library["track 7"], track(90, 101)])
    assert recognised(upload, library) == "track 7"
    alignment = align(upload, library["track 7"], PARAMETERS)
    assert alignment.offset_seconds == pytest.approx(-70, abs=0.05)
    assert alignment.distinctive_seconds == pytest.approx(60, abs=3)


def test_a_track_shorter_than_a_passage_is_found_in_a_longer_upload(library: Library) -> None:
    jingle = track(12, 200)
    upload = np.concatenate([track(5, 201), jingle, track(5, 202)])
    assert recognised(upload, library | {"jingle": jingle}) == "jingle"


def test_silence_before_the_query_shifts_the_offset(library: Library) -> None:
    silence = np.tile(cepstra_of(np.full((1, 26), -36.0)), (300, 1))
    query = np.concatenate([silence, cut(library["track 7"], 20, 40)])
    assert recognised(query, library) == "track 7"
    assert align(query, library["track 7"], PARAMETERS).offset_seconds == pytest.approx(17, abs=0.05)


@pytest.mark.parametrize("level", [0, -25])
def test_a_part_with_a_pause_is_found_whether_the_pause_counts_as_silence_or_not(level: float) -> None:
    # The pause is 62 dB below the loudest part of the track. In a part that is softer by 25 dB it is no silence.
    per_decibel = np.log(10) / 10
    log_energies = np.concatenate([log_filter_bank(30, seed=40), log_filter_bank(30, seed=41) + level * per_decibel])
    log_energies[4_100:4_600] = log_filter_bank(5, seed=42) - 62 * per_decibel
    whole = cepstra_of(log_energies)

    alignment = align(cut(whole, 35, 55), whole, PARAMETERS)

    assert alignment.same_recording
    assert alignment.offset_seconds == pytest.approx(35, abs=0.05)


# --- Differences that do not matter, and differences that do


@settings(max_examples=20)
@given(gain=st.floats(-10, 10), tilt=st.floats(-0.5, 0.5), start=st.floats(0, 40))
def test_a_gain_and_an_equaliser_change_nothing(gain: float, tilt: float, start: float) -> None:
    log_energies = log_filter_bank(60, seed=1)
    query = cut(cepstra_of(log_energies + gain + tilt * np.arange(26)), start, start + 18)
    alignment = align(query, cepstra_of(log_energies), PARAMETERS)
    plain = align(cut(cepstra_of(log_energies), start, start + 18), cepstra_of(log_energies), PARAMETERS)
    assert alignment.cosine == pytest.approx(plain.cosine, abs=1e-3)
    assert alignment.offset_seconds == pytest.approx(plain.offset_seconds)


def test_a_query_without_content_above_4_khz_is_recognised(library: Library) -> None:
    log_energies = log_filter_bank(60, seed=7)
    log_energies[:, 13:] = -36
    assert recognised(cut(cepstra_of(log_energies), 20, 40), library) == "track 7"


def test_an_unknown_track_is_not_recognised(library: Library) -> None:
    assert recognised(track(20, seed=1000), library) is None


def test_a_faster_performance_is_not_recognised(library: Library) -> None:
    original = library["track 7"]
    faster = original[np.arange(0, len(original) - 1, 1.1).astype(int)]
    assert recognised(cut(faster, 10, 40), library) is None


def test_either_of_two_copies_in_the_library_may_be_found(library: Library) -> None:
    query = cut(library["track 7"], 20, 40)
    assert recognised(query, library | {"copy": library["track 7"]}) in {"track 7", "copy"}


def test_the_most_similar_of_several_matches_comes_first(library: Library) -> None:
    original = log_filter_bank(60, seed=7)
    remastered = cepstra_of(original + 0.4 * log_filter_bank(60, seed=300))
    query = cut(library["track 7"], 20, 40)
    candidates = [(AudioId("remastered"), remastered), (AudioId("track 7"), library["track 7"])]
    assert align(query, remastered, PARAMETERS).same_recording
    first, second = matches(query, candidates, PARAMETERS)
    assert (first.audio_id, second.audio_id) == ("track 7", "remastered")
    assert first.alignment == align(query, library["track 7"], PARAMETERS)


@pytest.mark.parametrize("seconds", [0, 0.05, 0.5, 0.95, 2])
def test_a_very_short_query_is_not_recognised(seconds: float, library: Library) -> None:
    assert recognised(cut(library["track 7"], 0, seconds), library) is None


@pytest.mark.parametrize("seconds", [0, 0.5, 0.85])
def test_a_track_of_less_than_a_second_cannot_be_aligned(seconds: float, library: Library) -> None:
    click = cut(library["track 7"], 0, seconds)
    assert align(click, library["track 7"], PARAMETERS) == Alignment(0, 0, 0)
    assert align(library["track 7"], click, PARAMETERS) == Alignment(0, 0, 0)


def test_less_distinctive_music_needs_a_larger_cosine() -> None:
    def alignment(cosine: float, distinctive_seconds: float) -> Alignment:
        return Alignment(cosine, 0, distinctive_seconds)

    assert alignment(0.78, 18).same_recording
    assert not alignment(0.78, 5).same_recording
    assert not alignment(0.7, 240).same_recording
    assert not alignment(1, 0).same_recording


def test_a_drone_is_not_recognised_and_does_not_hide_other_tracks(library: Library) -> None:
    drone = np.tile(track(0.01, seed=0), (6000, 1))
    assert recognised(drone, library) is None
    assert recognised(drone, library | {"drone": drone}) is None
    assert recognised(cut(library["track 7"], 20, 40), {"drone": drone} | library) == "track 7"


# --- Comparison with slow twins


@settings(max_examples=25)
@given(query_seconds=st.floats(1.2, 8), track_seconds=st.floats(1.2, 8), seed=st.integers(0, 2**32 - 1))
def test_the_alignment_equals_that_of_the_slow_twin(query_seconds: float, track_seconds: float, seed: int) -> None:
    query, other = track(query_seconds, seed), track(track_seconds, seed + 1)
    track_changes = naive_recognition.distinctive(naive_recognition.changes(other, 10, 8))
    framings = [
        naive_recognition.best_overlap(
            naive_recognition.distinctive(naive_recognition.changes(query[later:], 10, 8)), track_changes
        )
        for later in (0, 5)
    ]
    alignment = align(query, other, PARAMETERS)
    cosine, offset, overlap = max(framings)
    later = 0.05 * framings.index((cosine, offset, overlap))
    assert alignment.cosine == pytest.approx(cosine, abs=1e-4)
    assert alignment.offset_seconds == pytest.approx(offset / 10 - later)
    assert alignment.distinctive_seconds <= overlap / 10 + 1e-9


# --- Fingerprints


def test_joined_fingerprints_can_be_read_one_by_one(library: Library) -> None:
    fingerprints = fingerprints_of(library)
    assert len(fingerprints) == len(library)
    for row, cepstra in enumerate(library.values()):
        np.testing.assert_array_equal(fingerprints[row], fingerprint(cepstra, PARAMETERS))


def test_an_empty_library_recognises_nothing() -> None:
    assert shortlist(track(20, 0), [Fingerprints.of([])], PARAMETERS) == []
    assert matches(track(20, 0), [], PARAMETERS) == []


def test_a_track_too_short_for_a_fingerprint_does_not_move_the_others(library: Library) -> None:
    assert recognised(cut(library["track 7"], 20, 40), {"click": track(0.3, 0)} | library) == "track 7"


@pytest.mark.parametrize("starts", [[0, 2], [1, 3, 4], [0, 2, 3], [0, 0, 4], [0, 5, 4]])
def test_starts_that_do_not_fit_the_frames_are_refused(starts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"start|frame"):
        Fingerprints(np.zeros((4, 6), np.float32), np.array(starts), (AudioId("a"), AudioId("b")))


def test_fingerprints_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="frames x 6"):
        Fingerprints(np.zeros((4, 13), np.float32), np.array([0, 4]), (AudioId("a"),))


@pytest.mark.parametrize("cepstra", [np.zeros((500, 12)), np.zeros(500), np.full((500, 13), np.nan)])
def test_cepstra_that_cannot_be_compared_are_refused(cepstra: NDArray[np.float32]) -> None:
    good = track(5, 0)
    with pytest.raises(ValueError, match="cepstra"):
        fingerprint(cepstra, PARAMETERS)
    with pytest.raises(ValueError, match="cepstra"):
        shortlist(cepstra, [Fingerprints.of([])], PARAMETERS)
    with pytest.raises(ValueError, match="cepstra"):
        align(cepstra, good, PARAMETERS)
    with pytest.raises(ValueError, match="cepstra"):
        matches(good, [(AudioId("a"), cepstra)], PARAMETERS)
