"""Quality on labelled music: manifests, features kept for it, and figures that a slow twin gives as well."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import UnknownRanking, UnusableManifest
from mfcc_assets.evaluation.labelled import (
    LabelledAudio,
    LabelledTrack,
    rankings_named,
    read_manifest,
    score_rankings,
    scores_of,
)
from mfcc_assets.evaluation.metrics import ranked_by
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_audio
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio_samples import write_music, write_tone

HEADER = "path,artist,source,work"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pieces of music, and two files that cannot be used."""
    folder = tmp_path_factory.mktemp("audio")
    for number in range(6):
        write_music(folder / f"{number}.flac", 3.0, seed=number)
    write_tone(folder / "silence.flac", 3.0, amplitude=0.0)
    (folder / "broken.mp3").write_bytes(b"not music")
    return folder


@pytest.fixture
def audio(library: Library, folder: Path) -> LabelledAudio:
    return labelled_audio(library, folder, [LabelledTrack(f"{number}.flac", "Bach") for number in range(6)])


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


def manifest(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "manifest.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_a_manifest_names_tracks_with_artist_source_and_work(tmp_path: Path) -> None:
    file = manifest(
        tmp_path, "source,path,genre,artist,work", "game,a b.ogg,techno,Kenta,Aria", 'game,"c,d.ogg",, ,', ",,,,"
    )
    tracks = read_manifest(file)

    assert tracks == [LabelledTrack("a b.ogg", "Kenta", "game", "Aria"), LabelledTrack("c,d.ogg", "", "game", "")]
    assert [track.label for track in tracks] == ["Kenta", "game"], "where no artist is named the source is the label"


def test_works_need_not_be_known_and_spreadsheets_may_mark_their_encoding(tmp_path: Path) -> None:
    file = manifest(tmp_path, "\ufeffpath,artist,source", "a.ogg,Björk,game")
    assert read_manifest(file) == [LabelledTrack("a.ogg", "Björk", "game")]


def test_of_a_path_the_first_row_counts(tmp_path: Path) -> None:
    file = manifest(tmp_path, HEADER, "a.ogg,Bach,,", "b.ogg,Bach,,", "a.ogg,Bird,,")
    assert read_manifest(file) == [LabelledTrack("a.ogg", "Bach"), LabelledTrack("b.ogg", "Bach")]


def test_a_manifest_without_its_columns_says_which(tmp_path: Path) -> None:
    with pytest.raises(UnusableManifest, match="no column artist, path"):
        read_manifest(manifest(tmp_path, "file,source", "a.ogg,game"))
    with pytest.raises(UnusableManifest, match="no column artist, path, source"):
        read_manifest(manifest(tmp_path))


def test_what_is_no_text_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"path,artist,source\na.ogg,Bj\xf6rk,game")
    with pytest.raises(UnusableManifest, match="cannot be read"):
        read_manifest(tmp_path / "manifest.csv")


def test_rankings_are_named_one_by_one_or_all_and_the_floor_comes_last() -> None:
    assert rankings_named(["dtw"]) == ["dtw", "random"]
    assert rankings_named(["random", "timbre", "dtw", "gaussian"]) == ["gaussian", "dtw", "random"]
    assert set(RANKINGS) < set(rankings_named(["all"]))
    assert rankings_named(["all"])[-1] == "random"
    assert rankings_named(["dtw_uncorrected"]) == ["dtw_uncorrected", "random"]
    with pytest.raises(UnknownRanking, match="no such ranking"):
        rankings_named(["dtw", "best"])


def test_files_that_cannot_be_used_are_left_out_and_told(library: Library, folder: Path) -> None:
    tracks = [LabelledTrack(path) for path in ("silence.flac", "1.flac", "missing.ogg", "broken.mp3", "0.flac")]

    analysed = labelled_audio(library, folder, tracks).analyse(quiet)

    assert {track.path for track in analysed.tracks} == {"0.flac", "1.flac"}
    assert analysed.rejected == {
        "silence.flac": "no sample rises above silence",
        "missing.ogg": "it cannot be opened (No such file or directory)",
        "broken.mp3": "no decoder can read the file",
    }


def test_where_nothing_can_be_used_there_is_nothing_to_measure(library: Library, folder: Path) -> None:
    with pytest.raises(UnusableManifest, match=r"none of the manifest's 1 tracks can be used, for example gone\.ogg"):
        labelled_audio(library, folder, [LabelledTrack("gone.ogg")]).analyse(quiet)
    with pytest.raises(UnusableManifest, match="none of the manifest's 0 tracks can be used"):
        labelled_audio(library, folder, []).analyse(quiet)


def test_features_are_computed_once_wherever_a_file_lies(
    library: Library, audio: LabelledAudio, folder: Path, tmp_path: Path
) -> None:
    first = audio.analyse(quiet)
    written = blobs_of(library)
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)

    again = labelled_audio(library, moved, list(first.tracks)).analyse(quiet)

    assert again.audio_ids == first.audio_ids
    assert blobs_of(library) == written


def test_the_users_library_is_left_alone(library: Library, audio: LabelledAudio) -> None:
    audio.analyse(quiet)
    assert [path.name for path in library.settings.folder.iterdir()] == ["evaluation"]


def test_tracks_are_in_the_same_order_whatever_the_manifests_is(library: Library, folder: Path) -> None:
    tracks = [LabelledTrack(f"{number}.flac") for number in range(6)]
    orders = [
        [track.path for track in labelled_audio(library, folder, rows).analyse(quiet).tracks]
        for rows in (tracks, tracks[::-1])
    ]
    assert orders[0] == orders[1] != sorted(orders[0])


def test_every_ranking_is_scored_and_always_the_same(audio: LabelledAudio) -> None:
    analysed = audio.analyse(quiet)
    names = rankings_named(["all"])

    scores = score_rankings(analysed, names, audio.parameters, quiet)

    assert list(scores) == names
    assert score_rankings(analysed, names, audio.parameters, quiet) == scores
    assert {found.p_at_5 for found in scores.values()} == {1.0}, "all six are by one artist"
    assert {found.largest_count for found in scores.values()} == {5}
    assert {found.map_work for found in scores.values()} == {None}


def test_a_single_track_has_scores(library: Library, folder: Path) -> None:
    alone = labelled_audio(library, folder, [LabelledTrack("0.flac", "Bach")])
    for found in score_rankings(alone.analyse(quiet), rankings_named(["all"]), alone.parameters, quiet).values():
        assert found.p_at_5 is None
        assert found.never_recommended == 1.0


@given(st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_scores_are_those_of_the_slow_twin(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 20, (count, count)).astype(float)
    tracks = [
        LabelledTrack(f"{number}.ogg", *(str(word) for word in rng.choice(["", "x", "y"], 3)))
        for number in range(count)
    ]

    found = scores_of(ranked_by(distances, [track.path for track in tracks]), tracks)

    expected = naive.scores(distances, [track.label for track in tracks], [track.work for track in tracks])
    assert vars(found) == pytest.approx(expected, abs=1e-9)


def blobs_of(library: Library) -> dict[Path, tuple[int, int]]:
    """Size and time of every file of features."""
    files = (path for path in (library.settings.folder / "evaluation").rglob("*.parquet"))
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
