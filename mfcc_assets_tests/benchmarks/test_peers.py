"""The comparison with peers, as far as it needs none of them: descriptors that are kept, and figures of distances."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mfcc_assets.audio.reencode import Chain
from mfcc_assets.evaluation.labelled import AnalysedTracks
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.for_each import in_turn
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.benchmarks.peer_programs import PATCHES, CannotDescribe, Descriptor, Peer, musicnn_patches
from mfcc_assets_tests.benchmarks.peers import CONDITIONS, HALF, TENTH, PeerScores, describe, score
from mfcc_assets_tests.benchmarks.report import Section, replace, write
from mfcc_assets_tests.evaluation.made_up import PARAMETERS, made_up_tracks
from mfcc_assets_tests.evaluation.progress import ignore_progress

ARTISTS, OF_EACH = 3, 6


def peer_that(describes: Callable[[Path], Descriptor], name: str = "peer") -> Peer:
    return Peer(name, describes, lambda found: cdist(found, found))


def test_each_file_is_described_once_and_each_re_encoded_file_too(library: Library, tmp_path: Path) -> None:
    tracks = [LabelledTrack(f"{number}.flac") for number in range(2)]
    for number, track in enumerate(tracks):
        write_music(tmp_path / track.path, 3.0, seed=number)
    labelled = labelled_set(library, tmp_path, tracks)
    described = []

    def size(path: Path) -> Descriptor:
        described.append(path.name)
        return np.array([path.stat().st_size], np.float32)

    def chain_of(_: LabelledTrack) -> Chain:
        return Chain(22_050, 96_000, gain=0.0)

    clean, reencoded = (labelled.analyse(ignore_progress, chain) for chain in (None, chain_of))
    for _ in range(2):
        found = describe([peer_that(size)], labelled, clean, None, tmp_path, ignore_progress)
        again = describe([peer_that(size)], labelled, reencoded, chain_of, tmp_path, ignore_progress)

    assert sorted(described) == ["0.flac", "1.flac", "reencoded.mp3", "reencoded.mp3"]
    assert [int(found["peer"][row][0]) for row in range(2)] == [
        (tmp_path / track.path).stat().st_size for track in clean.tracks
    ]
    assert all(again["peer"][row][0] < found["peer"][row][0] for row in range(2))


def test_a_track_that_a_peer_cannot_read_is_far_from_every_other(library: Library, tmp_path: Path) -> None:
    tracks = [LabelledTrack(f"{number}.flac") for number in range(3)]
    for number, track in enumerate(tracks):
        write_music(tmp_path / track.path, 3.0, seed=number)
    labelled = labelled_set(library, tmp_path, tracks)

    def number_in_name(path: Path) -> Descriptor:
        if path.name == "1.flac":
            raise CannotDescribe(path.name)
        return np.array([int(path.stem)], np.float32)

    analysed = labelled.analyse(ignore_progress)
    peer = peer_that(number_in_name)
    found = describe([peer], labelled, analysed, None, tmp_path, ignore_progress)["peer"]
    distances = dict(zip([track.path for track in analysed.tracks], peer.distances(found), strict=True))

    assert np.isinf(distances["1.flac"]).all()
    assert sorted(distances["0.flac"]) == [0, 2, np.inf]


@pytest.fixture(scope="module")
def scores() -> dict[str, PeerScores]:
    """Figures of two peers: one that knows the artists, and one that hears only whether a track was re-encoded."""
    clean, reencoded = made_up_tracks(ARTISTS, OF_EACH), made_up_tracks(ARTISTS, OF_EACH, coding=10.0)

    def artist_of(analysed: AnalysedTracks) -> list[Descriptor]:
        return [np.array([int(track.artist.removeprefix("Artist "))], np.float32) for track in analysed.tracks]

    def unused(path: Path) -> Descriptor:
        raise AssertionError(f"{path} is not described again")

    codings = [[np.array([coding], np.float32)] * (ARTISTS * OF_EACH) for coding in (0, 1)]
    descriptors = {
        peer_that(unused, "artist"): (artist_of(clean), artist_of(reencoded)),
        peer_that(unused, "coding"): (codings[0], codings[1]),
    }
    return score(clean, reencoded, descriptors, PARAMETERS, ignore_progress, in_turn)


def test_the_default_ranking_and_all_peers_rank_the_same_queries(scores: dict[str, PeerScores]) -> None:
    assert list(scores) == [DEFAULT_RANKING, "artist", "coding"]
    for condition in CONDITIONS:
        queries = [
            {label: len(found) for label, found in of_ranking.shares[condition].items()}
            for of_ranking in scores.values()
        ]
        assert queries[0] == queries[1] == queries[2]


def test_a_peer_that_knows_the_artists_is_always_right(scores: dict[str, PeerScores]) -> None:
    artist = scores["artist"]

    assert artist.p_at_1 == 1.0
    for condition in CONDITIONS:
        assert {share for found in artist.shares[condition].values() for share in found} == {1.0}


def test_a_peer_that_hears_only_the_coding_recommends_only_tracks_of_the_own_coding(
    scores: dict[str, PeerScores],
) -> None:
    coding = scores["coding"].mixed

    assert coding[HALF].all_queries.same == 1.0
    assert coding[HALF].all_queries.same_by_chance == pytest.approx(8 / 17)
    assert coding[TENTH].reencoded_queries.same == pytest.approx(1 / 5), "one other track is re-encoded"


def test_patches_of_musicnn_are_evenly_spaced_over_the_track() -> None:
    noise = np.random.default_rng(0).normal(size=16_000 * 200).astype(np.float32)
    quiet = noise * np.linspace(0, 1, len(noise), dtype=np.float32)

    patches = musicnn_patches(quiet)

    assert patches.shape == (PATCHES, 187, 96)
    levels = patches.mean(axis=(1, 2))
    assert (np.diff(levels) > 0).all()
    assert musicnn_patches(quiet[: 16_000 * 4]) == pytest.approx(patches[:1], abs=1e-5)
    with pytest.raises(CannotDescribe, match="shorter than 3 s"):
        musicnn_patches(noise[:40_000])


def test_a_section_that_is_measured_alone_takes_its_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write("# Measurements", [Section("One", page).text("1"), Section("Two", page).text("2")])

    replace([Section("One", page).text("new\n\n### with a part"), Section("Three", page).text("3")])

    assert page.read_text() == "# Measurements\n\n## One\n\nnew\n\n### with a part\n\n## Two\n\n2\n\n## Three\n\n3\n"
