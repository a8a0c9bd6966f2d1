"""Finding uploads by their ids and by the names of their files."""

from pathlib import Path

import pytest

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_upload import UNSEEN, find_uploads, list_uploads
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import copied_home, drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads


@pytest.fixture
def uploads(ten_tracks: Library, query: Path, tmp_path: Path) -> list[UploadId]:
    """Answer three uploads: two files of one name in two folders, and another file."""
    dropped = [
        drop_upload(ten_tracks, query, "first/song.flac"),
        drop_upload(ten_tracks, write_music(tmp_path / "2.flac", 3.0, seed=401), "second/song.flac"),
        drop_upload(ten_tracks, write_music(tmp_path / "3.flac", 3.0, seed=402), "My song.flac"),
    ]
    answer_uploads(ten_tracks, dropped)
    return dropped


def test_an_upload_is_found_by_its_id_and_by_the_beginning_of_it(ten_tracks: Library, uploads: list[UploadId]) -> None:
    for upload in uploads:
        assert [found.id for found in find_uploads(ten_tracks, upload)] == [upload]
        assert [found.id for found in find_uploads(ten_tracks, f" {upload[:8].upper()} ")] == [upload]


def test_all_uploads_of_a_name_are_found_and_a_whole_name_comes_before_a_part(
    ten_tracks: Library, uploads: list[UploadId]
) -> None:
    assert {found.id for found in find_uploads(ten_tracks, "SONG.flac")} == set(uploads[:2])
    assert {found.id for found in find_uploads(ten_tracks, "song")} == set(uploads)
    assert [found.id for found in find_uploads(ten_tracks, "my s")] == [uploads[2]]


@pytest.mark.parametrize("text", ["another.flac", "", " ", "0"])
def test_a_text_that_names_no_upload_is_an_error(ten_tracks: Library, uploads: list[UploadId], text: str) -> None:
    assert uploads
    with pytest.raises(DocumentNotFound, match="no upload has an id that begins with this"):
        find_uploads(ten_tracks, text)


def test_files_that_nothing_has_looked_at_are_listed_first_and_hidden_files_never(
    ten_tracks: Library, uploads: list[UploadId], query: Path
) -> None:
    ten_tracks.blobs.upload_file("uploads", "new.flac", query)
    ten_tracks.blobs.write("uploads", "cover.jpg", b"a picture")

    listed = list_uploads(ten_tracks)

    assert [(found.id, found.state, found.file_name) for found in listed[:1]] == [("", UNSEEN, "new.flac")]
    assert {found.id for found in listed[1:]} == set(uploads)
    assert [found.file_name for found in list_uploads(ten_tracks, UNSEEN)] == ["new.flac"]
    assert len(list_uploads(ten_tracks, "ranked")) == 3
    assert list_uploads(ten_tracks, "failed") == []


def test_the_uploads_of_a_copied_home_are_those_of_the_home(
    ten_tracks: Library, uploads: list[UploadId], tmp_path: Path
) -> None:
    home = copied_home(ten_tracks.settings.home, tmp_path / "copy")
    with Library(ten_tracks.settings.model_copy(update={"home": home})) as copy:
        assert {found.id for found in list_uploads(copy)} == set(uploads)
