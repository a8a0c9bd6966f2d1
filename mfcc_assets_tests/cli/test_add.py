"""`mfcc add` as its user sees it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets_tests.audio_samples import retag
from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.damage import damage, flip, names

LONG_TITLE = "A title of more than eighty characters, which a table of eighty columns would cut or wrap somewhere"


def test_a_library_is_made_from_a_folder_by_one_command(tmp_path: Path, ten_songs: list[Path]) -> None:
    home = tmp_path / "home"
    folder = tmp_path / "albums"
    folder.mkdir()
    for song in ten_songs[:3]:
        shutil.copy(song, folder)
    retag(folder / "song-0.flac", title=LONG_TITLE)
    for picture in ("back.jpg", "cover.jpg", "front.jpg", "spine.jpg"):
        (folder / picture).write_bytes(b"a picture")
    (folder / ".Trash-1000").mkdir()
    (folder / "broken.mp3").write_bytes(b"not music")
    (folder / "damaged.mp3").symlink_to("/proc/self/mem")

    added = subprocess.run(
        [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "add", str(folder)],
        env={**os.environ, "MFCC_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert added.returncode == 0, added.stderr
    needed, first, *skipped, unreadable, rejected, last = added.stdout.splitlines()
    assert needed.startswith("Copying needs ")
    assert needed.endswith(" are free.")
    assert first == "4 added, 0 replaced, 0 already there, 5 skipped"
    assert skipped == [
        "skipped 4: covers, playlists and texts (back.jpg, cover.jpg, front.jpg, …)",
        "skipped 1: hidden and system files (.Trash-1000)",
    ]
    what = "it cannot be read (Input/output error). Check its permissions and its disk, and add it again."
    assert unreadable == f"unreadable {folder / 'damaged.mp3'}: {what}"
    assert rejected.startswith("rejected albums/broken.mp3: no decoder can read the file, which is text.")
    assert last.startswith("4 soundtracks: 3 analysed, 1 rejected; index ")
    assert LONG_TITLE in mfcc(home, "library").output, "no title is cut or wrapped where the output is no terminal"

    again = mfcc(home, "add", folder)
    assert again.exit_code == 0, again.output
    assert "0 added, 0 replaced, 4 already there, 5 skipped" in again.output


def test_add_prints_the_damage_that_it_repairs(ten_tracks: Library) -> None:
    for name in names(ten_tracks, "summaries/"):
        damage(ten_tracks, name, flip)
    home = ten_tracks.settings.folder
    added = mfcc(home, "add")
    assert added.exit_code == 0, added.output
    repaired = [line for line in added.output.splitlines() if line.startswith("repaired ")]
    assert len(repaired) == 10
    assert all("damaged (those of song-" in line and line.endswith("computes them again.") for line in repaired)
    assert "repaired" not in mfcc(home, "add").output
