"""`mfcc remove` as its user sees it."""

import shutil
from pathlib import Path

from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.cli.commands import mfcc


def test_a_removed_track_is_gone_with_all_that_belongs_to_it(home: Path, tmp_path: Path, ten_songs: list[Path]) -> None:
    source = shutil.copy(ten_songs[0], tmp_path / "copied.flac")
    with Library(Settings(home=home)) as library:
        track = next(track for track in library.catalogue.soundtracks() if track.title == "Song 3")

    removed = mfcc(home, "remove", "Song 3", "--yes")

    assert removed.exit_code == 0, removed.output
    soundtracks = home / "blobs" / "soundtracks"
    assert f"1 track removed; the files in {soundtracks} are deleted." in removed.output
    assert "9 soundtracks: 9 analysed; index " in removed.output
    assert not (soundtracks / "song-3.flac").exists()
    assert not [*home.glob(f"blobs/artworks/{track.track_id}.*")]
    assert not [*home.glob(f"blobs/cepstra/*/*/{track.audio_id}.parquet")]
    with Library(Settings(home=home)) as library:
        assert library.catalogue.contents([track.content_digest]) == {}
        assert library.recommendations.recommended(track.track_id) == []
        index = library.indexes.published()
        assert track.audio_id not in index.tracks
    assert Path(source).exists()
    assert "succeeded, started 20" in mfcc(home, "status").output


def test_nothing_is_removed_without_a_yes(home: Path) -> None:
    asked = CliRunner().invoke(main, ["remove", "Song 3"], env={"MFCC_HOME": str(home)}, input="n\n")

    assert asked.exit_code == 1
    assert "Song 3: song-3.flac" in asked.output
    assert "Remove 1 track from the library, and delete the files in" in asked.output
    assert (home / "blobs" / "soundtracks" / "song-3.flac").exists()


def test_a_name_of_no_track_and_of_several_tracks_removes_nothing(home: Path) -> None:
    assert "no track of the library has this id" in mfcc(home, "remove", "Symphony", "--yes").output
    assert "10 tracks match" in mfcc(home, "remove", "Song", "--yes").output
    assert "the name is empty" in mfcc(home, "remove", "", "--yes").output
    assert len([*(home / "blobs" / "soundtracks").glob("*.flac")]) == 10
