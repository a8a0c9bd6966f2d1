"""The answer to a file at once equals the answer that a run records."""

import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
import soundfile

from mfcc_assets.errors import LeftToTheRun, SilentAudio
from mfcc_assets.ids import digest_of_file
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import preview_answer
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets_tests.audio_samples import retag, write_audio, write_music
from mfcc_assets_tests.runs import copied_home, drop_upload, run_library
from mfcc_assets_tests.upload_steps import answer_uploads

DEMO = Path(__file__).parents[2] / "mfcc_assets" / "demo"
SONGS = 20


@pytest.fixture(scope="module")
def twenty_with_copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the home of a library of twenty recordings and two copies of the first, large enough for neighbourhoods."""
    from mfcc_assets.settings import Settings

    folder = tmp_path_factory.mktemp("twenty")
    with (
        Library(Settings(home=folder / "home", settle_seconds=0)) as library,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        for path in sorted((DEMO / "library").iterdir())[:SONGS]:
            library.blobs.upload_file("soundtracks", path.name, path)
        samples, rate = soundfile.read(first_song(), dtype="float32")
        for name, gain in (("copy.flac", 0.9), ("a copy.ogg", 0.8)):
            copy = write_audio(folder / name, samples * np.float32(gain), rate)
            library.blobs.upload_file("soundtracks", name, copy)
        run_library(library, instance)
    return folder / "home"


def first_song() -> Path:
    return sorted((DEMO / "library").iterdir())[0]


@pytest.fixture
def with_copies(twenty_with_copies: Path, library: Library) -> Library:
    copied_home(twenty_with_copies, library.settings.home)
    return library


def files(folder: Path) -> dict[str, Path]:
    """Files of all kinds: a track itself, a copy of it, a part of it, another encoding, and music of nobody."""
    songs = sorted((DEMO / "library").iterdir())
    samples, rate = soundfile.read(first_song(), dtype="float32")
    part = write_audio(folder / "part.flac", samples[4 * rate : 24 * rate], rate)
    again = write_audio(folder / "again.mp3", samples * np.float32(0.7), rate)
    retagged = shutil.copy(songs[3], folder / "retagged.ogg")
    tagged = write_music(folder / "tagged.flac", 8.0, seed=5)
    retag(tagged, title="A song", artist="Somebody")
    return {
        "the track itself": songs[0],
        "a track without copies": songs[5],
        "a part": part,
        "another encoding": again,
        "the same bytes": Path(retagged),
        "not in the library": songs[SONGS + 5],
        "of nobody": write_music(folder / "nobody.flac", 6.0, seed=99),
        "recognised by its tags": tagged,
    }


def test_a_preview_has_the_list_that_a_run_records(with_copies: Library, tmp_path: Path) -> None:
    opened = OpenedIndex(with_copies, with_copies.indexes.published())
    recognised_by = []
    for what, path in files(tmp_path).items():
        preview = preview_answer(with_copies, opened, path, path.name)
        upload = drop_upload(with_copies, path, f"{what}{path.suffix}")
        (document,) = answer_uploads(with_copies, [upload])

        recorded = with_copies.recommendations.recommended(upload)
        found = [(one.rank, one.track_id, one.distance) for one in preview.answer.recommendations]
        assert found == [(row.rank, row.track_id, row.distance) for row in recorded], what
        assert preview.answer.recognised == document.recognised, what
        assert preview.answer.index_version == document.index_version
        assert preview.answer.recall == document.recall
        assert (preview.file.audio_id, preview.file.seconds, preview.file.note) == (
            document.audio_id,
            document.seconds,
            document.note,
        )
        recognised_by.append(document.recognised and document.recognised.by)
        again = recommend_file(with_copies, path, count=with_copies.settings.recommendations)
        assert again.recommendations == preview.answer.recommendations, what
    assert recognised_by == ["library"] * 5 + ["tags", None, "tags"]


def test_the_features_of_a_preview_are_those_that_a_run_stores(ten_tracks: Library, query: Path) -> None:
    index = ten_tracks.indexes.published()
    preview = preview_answer(ten_tracks, OpenedIndex(ten_tracks, index), query, "query.flac")
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])

    parameters = index.parameters.features
    stored = ten_tracks.features.read_track_features(preview.file.audio_id, parameters)
    cepstra = ten_tracks.features.read_cepstra(preview.file.audio_id, parameters.cepstra)
    np.testing.assert_array_equal(preview.file.cepstra, cepstra)
    for name, value in vars(stored).items():
        np.testing.assert_array_equal(getattr(preview.file.track_features, name), value)


def test_a_preview_stores_nothing(ten_tracks: Library, query: Path) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    opened.load_all()
    before = {(blob.name, blob.etag) for blob in ten_tracks.blobs.list("cepstra")}

    preview_answer(ten_tracks, opened, query, "query.flac")

    assert {(blob.name, blob.etag) for blob in ten_tracks.blobs.list("cepstra")} == before
    assert ten_tracks.catalogue.contents([digest_of_file(query)]) == {}


def test_a_preview_asks_no_service(ten_tracks: Library, query: Path) -> None:
    settings = ten_tracks.settings.model_copy(update={"recognisers": "library,audd,tags", "audd_url": "http://[::1]:1"})
    with Library(settings) as asking:
        opened = OpenedIndex(asking, asking.indexes.published())
        assert preview_answer(asking, opened, query, "query.flac").answer.failures == ()


def test_a_file_that_cannot_be_used_says_why(ten_tracks: Library, tmp_path: Path) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    silence = write_audio(tmp_path / "silence.wav", np.zeros(100_000, np.float32), 44_100)
    with pytest.raises(SilentAudio, match="my silence"):
        preview_answer(ten_tracks, opened, silence, "my silence")


def test_long_audio_is_left_to_the_run(ten_tracks: Library, tmp_path: Path) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    long = write_audio(tmp_path / "long.wav", np.zeros(8000 * 1801, np.float32), 8000)
    with pytest.raises(LeftToTheRun, match="my set"):
        preview_answer(ten_tracks, opened, long, "my set")
