"""Titles and names that would mean something to Rich or to a terminal are shown as they are, by every command."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.schema import SOUNDTRACKS
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.cli.commands import mfcc

HARMLESS = [
    ":smile: [bold]x[/bold]",
    "[/]",
    "foo\\",
    "[red]",
    "[link=http://e.vil]here[/link]",
    "<b>&amp;",
]
HARMFUL = {"Stop\x1b[2J\x1b]8;;http://e.vil\x07": "Stop�[2J�]8;;http://e.vil�", "a\u202egpj.exe\u2066": "agpj.exe"}
TITLES = [*HARMLESS, *HARMFUL]


@pytest.fixture
def tracks(home: Path) -> list[str]:
    """The ids of the tracks of the library, after they got these titles and artists."""
    with Library(Settings(home=home)) as library:
        ids: list[str] = [track.track_id for track in library.catalogue.soundtracks()]
        with library.database.writing() as connection:
            for track, title in zip(ids, TITLES, strict=False):
                changed = {"TITLE": title, "ARTIST": title, "NOTE": title}
                connection.execute(sa.update(SOUNDTRACKS).where(SOUNDTRACKS.c.TRACK_ID.in_([track])).values(changed))
    return ids


@pytest.mark.parametrize("command", ["library", "path", "playlist", "explain", "recommend"])
def test_every_command_shows_titles_as_they_are(home: Path, tracks: list[str], tmp_path: Path, command: str) -> None:
    query = write_music(tmp_path / "[red]:smile:\x1b[2J.flac", 3.0, seed=99)
    arguments: dict[str, list[str | Path]] = {
        "library": [],
        "path": [tracks[0], tracks[8], "--steps", "9"],
        "playlist": [tracks[9]],
        "explain": [tracks[0], tracks[8]],
        "recommend": [query, "--top", "10"],
    }
    result = mfcc(home, command, *arguments[command])

    assert result.exit_code == 0, result.output
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", result.output)
    shown = {HARMFUL.get(title, title) for title in TITLES}
    missing = {title for title in shown if title not in result.output}
    assert not missing if command in {"library", "playlist", "recommend"} else len(missing) < len(shown)
    if command == "recommend":
        assert "[red]:smile:\\x1b[2J.flac" in result.output


@pytest.mark.parametrize("name", ["[red]\x1b[2J", "a\u202eb", "missing\nfile"])
def test_an_error_shows_a_name_as_it_is(home: Path, name: str) -> None:
    for result in (mfcc(home, "explain", name, name), mfcc(home, "recommend", f"{name}.mp3")):
        assert result.exit_code != 0
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
