"""Scoring and recognising a labelled set after re-encoding."""

from pathlib import Path

import pytest

from mfcc_assets.evaluation.chains import one_chain
from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.evaluation.robustness import Found, find_own_tracks, share_kept
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.evaluation.progress import ignore_progress
from mfcc_assets_tests.evaluation.test_labelled import stored_features

PATHS = [f"{number}.ogg" for number in range(4)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audio")
    for seed, path in enumerate(PATHS):
        write_music(folder / path, 12.0, seed=seed)
    return folder


@pytest.fixture
def labelled(library: Library, folder: Path) -> LabelledSet:
    return labelled_set(library, folder, [LabelledTrack(path) for path in PATHS])


def test_features_of_re_encoded_tracks_are_stored_separately(library: Library, labelled: LabelledSet) -> None:
    as_they_are = labelled.analyse(ignore_progress)
    reencoded = labelled.analyse(ignore_progress, one_chain)
    written = stored_features(library)

    assert [track.path for track in reencoded.tracks] == [track.path for track in as_they_are.tracks]
    assert not set(reencoded.audio_ids) & set(as_they_are.audio_ids)
    assert labelled.analyse(ignore_progress, one_chain).audio_ids == reencoded.audio_ids
    assert stored_features(library) == written


def test_re_encoded_tracks_find_themselves(labelled: LabelledSet) -> None:
    assert find_own_tracks(labelled, labelled.analyse(ignore_progress), ignore_progress) == Found(
        4, by_recognition=1.0, by_ranking=1.0
    )


def test_a_track_with_another_audio_id_is_not_found(labelled: LabelledSet) -> None:
    there = labelled.analyse(ignore_progress)
    # Exchange the audio ids of the recordings.
    others = AnalysedTracks(there.tracks, [*there.audio_ids[1:], *there.audio_ids[:1]], there.track_features, {})
    assert find_own_tracks(labelled, others, ignore_progress).by_recognition == 0.0


def test_the_kept_share_is_a_ratio_of_precisions() -> None:
    assert share_kept(0.4, 0.3) == pytest.approx(0.75)
    assert share_kept(0.4, 0.0) == 0.0
    assert share_kept(0.0, 0.3) is None
    assert share_kept(None, None) is None
