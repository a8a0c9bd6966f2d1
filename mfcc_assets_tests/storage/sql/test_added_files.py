"""The contract of `AddedFiles`, over every database."""

from mfcc_assets.storage.sql.added_files import AddedFile, AddedFiles
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import Database
from mfcc_assets_tests.storage.sql.table_rows import observe, observed


def test_added_files_are_listed_by_the_names_of_their_soundtracks(database: Database) -> None:
    added = AddedFiles(database)
    songs = [AddedFile(f"🎷/{name}.mp3", f"file://machine/music/{name}.mp3", name * 32, 1.5) for name in "ab"]
    for song in reversed(songs):
        added.record(song)
    assert added.every() == songs


def test_a_file_that_is_added_again_replaces_its_row(database: Database) -> None:
    added = AddedFiles(database)
    for digest in ("a" * 32, "b" * 32):
        added.record(AddedFile("song.mp3", "file:///music/song.mp3", digest, 1.5))
    assert [song.content_digest for song in added.every()] == ["b" * 32]


def test_the_file_of_a_soundtrack_that_is_gone_is_forgotten(database: Database) -> None:
    added, catalogue = AddedFiles(database), Catalogue(database)
    observe(catalogue, observed("song.mp3"))
    added.record(AddedFile("song.mp3", "file:///music/song.mp3", "a" * 32, 1.5))
    observe(catalogue, gone=("song.mp3",))
    assert added.every() == []
