"""The files that soundtracks were copied from."""

from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.pipeline.add_files import add_files
from mfcc_assets.pipeline.added_sources import AddedSources, SourceAddresses
from mfcc_assets.pipeline.observe import observe_soundtracks


def test_a_soundtrack_is_found_by_the_file_and_the_folder_that_it_was_copied_from(
    library: Library, tmp_path: Path, query: Path
) -> None:
    folder = tmp_path / "My music %41?"
    folder.mkdir()
    source = query.rename(folder / "song.flac")
    list(add_files(library, [source]))
    (name,) = [blob.name for blob in library.blobs.list("soundtracks")]
    sources = AddedSources(library)

    assert sources.source_of(name) == str(source)
    assert sources.copied_from(source) == sources.copied_from(folder) == [name]
    assert sources.copied_from(folder / "another.flac") == []
    source.unlink()
    assert sources.copied_from(source) == [name], "the file need not be there any more"


def test_a_soundtrack_that_came_by_other_means_has_no_source(library: Library, query: Path) -> None:
    library.blobs.upload_file("soundtracks", "song.flac", query)

    assert AddedSources(library).source_of("song.flac") == ""


def test_an_address_gives_its_path_back(library: Library) -> None:
    addresses = SourceAddresses(library)

    for path in (Path("/a b/ü?#%.flac"), Path("/x/" + bytes([0xE9]).decode(errors="surrogateescape"))):
        assert addresses.path(addresses.of(path)) == path
    assert addresses.path("file://another-machine/x") is None


def test_a_soundtrack_is_no_copy_any_more_when_the_folder_of_its_source_is_in_place(
    library: Library, tmp_path: Path, query: Path
) -> None:
    folder = tmp_path / "Music"
    folder.mkdir()
    list(add_files(library, [query.rename(folder / "song.flac")]))
    observe_soundtracks(library, library.shards, run_id="run")
    library.blobs.delete("soundtracks", "song.flac")
    library.music_folders.add([folder])
    observe_soundtracks(library, library.shards, run_id="run")
    sources = AddedSources(library)

    assert list(library.catalogue.track_ids()) == ["Music/song.flac"]
    assert sources.source_of("Music/song.flac") == ""
    assert sources.copied_from(folder) == []
