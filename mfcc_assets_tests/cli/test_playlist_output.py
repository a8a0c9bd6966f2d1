"""`mfcc path`, `mfcc playlist` and `mfcc recommend --export` as their user has them."""

import csv
import json
from pathlib import Path
from urllib.parse import unquote

import dagster as dg
import pytest
import soundfile
from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.playlist_files import check_jspf_track, read_m3u8, read_xspf
from mfcc_assets_tests.runs import run_library

DEMO = Path(__file__).parents[2] / "mfcc_assets" / "demo"
SONGS = [
    "Maxstack_A_New_Journey",
    "Maxstack_Awakening",
    "Muldjord_armygeddon",
    "Will_Savino_Ocean",
    "Will_Savino_Palace",
]
AGAIN = "a-new-journey-again.mp3"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five excerpts of real music after a run, one of them in a second encoding as well."""
    folder = tmp_path_factory.mktemp("library")
    songs = [DEMO / "library" / f"{name}.ogg" for name in SONGS]
    samples, rate = soundfile.read(songs[0])
    soundfile.write(folder / AGAIN, 0.5 * samples[600:], rate)
    with (
        Library(Settings(home=folder / "home", settle_seconds=0)) as library,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        for song in (*songs, folder / AGAIN):
            library.blobs.upload_file("soundtracks", song.name, song)
        run_library(library, instance)
    return folder / "home"


def mfcc(home: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"MFCC_HOME": str(home)})


def test_a_path_is_shown_as_a_table_and_written_as_a_playlist(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "path.m3u8"
    result = mfcc(home, "path", "armygeddon", "palace", "--steps", "4", "--export", target)

    assert result.exit_code == 0, result.output
    assert "From armygeddon to Palace" in result.output
    assert f"Wrote 4 tracks to {target}.\n" in result.output
    tracks = read_m3u8(target.read_text(encoding="utf-8"))
    assert len(tracks) == 4
    assert (tracks[0].name, tracks[-1].name) == ("Muldjord - armygeddon", "Will Savino - Palace")
    assert all(Path(track.location).is_file() for track in tracks)


def test_a_path_that_the_library_is_too_small_for_says_so_and_has_no_recording_twice(home: Path) -> None:
    table = mfcc(home, "path", "armygeddon", "palace", "--steps", "9")
    path = json.loads(mfcc(home, "path", "armygeddon", "palace", "--steps", "9", "--json").stdout)

    assert table.exit_code == 0, table.output
    assert "Only 5 of the 9 tracks could be found in the library." in table.output
    assert path["wanted"] == 9
    assert [track["position"] for track in path["tracks"]] == [1, 2, 3, 4, 5]
    assert len({track["track_id"] for track in path["tracks"]}) == 5
    steps = [track["distance_from_previous"] for track in path["tracks"]]
    assert steps[0] is None
    assert all(step >= 0 for step in steps[1:])


def test_a_playlist_goes_with_its_seeds_and_is_written_as_jspf(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "list.jspf"
    result = mfcc(home, "playlist", "awakening", "palace", "--size", "3", "--json", "--export", target)
    shown = json.loads(result.stdout)

    playlist = json.loads(target.read_text(encoding="utf-8"))["playlist"]
    assert playlist["title"] == shown["title"] == "With Awakening, Palace"
    for track in playlist["track"]:
        check_jspf_track(track)
    titles = [track["title"] for track in playlist["track"]]
    assert titles == [track["title"] for track in shown["tracks"]]
    assert len(titles) == 3
    assert not {"Awakening", "Palace"} & set(titles)
    assert sum(title.casefold().startswith("a new journey") for title in titles) == 1, "a recording comes once"
    assert (
        "ListenBrainz refuses this file, because the tags of 3 of its tracks have no id of MusicBrainz."
        in result.stderr
    )


def test_recommendations_are_written_as_a_playlist(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "like.m3u8"
    result = mfcc(home, "recommend", DEMO / "uploads" / "coherence.mp3", "--top", "2", "--json", "--export", target)

    assert result.exit_code == 0, result.output
    recommended = json.loads(result.stdout)["recommendations"]
    tracks = read_m3u8(target.read_text(encoding="utf-8"))
    assert [track.name.rpartition(" - ")[2] for track in tracks] == [row["title"] for row in recommended]


def test_recommendations_are_written_with_paths_relative_to_the_playlist(home: Path, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    targets = [tmp_path / "lists" / f"like.{suffix}" for suffix in ("m3u8", "xspf", "csv")]
    for target in targets:
        query = DEMO / "uploads" / "coherence.mp3"
        result = mfcc(home, "recommend", query, "--top", "1", "--json", "--relative", "--export", target)
        assert result.exit_code == 0, result.output
        assert result.stderr == f"Wrote 1 track to {target}.\n"
        assert len(json.loads(result.stdout)["recommendations"]) == 1

    (line,) = read_m3u8(targets[0].read_text(encoding="utf-8"))
    _, (track,) = read_xspf(targets[1].read_text(encoding="utf-8"), relative=True)
    (row,) = csv.DictReader(targets[2].read_text(encoding="utf-8").splitlines())
    for path in (line.location, unquote(track["location"][0]), row["location"]):
        assert not Path(path).is_absolute()
        assert (tmp_path / "lists" / path).is_file()
    assert row["title"] == track["title"]
    assert track["duration"] == pytest.approx(1000 * float(row["seconds"]), abs=1)


def test_relative_paths_without_a_playlist_file_are_refused(home: Path) -> None:
    result = mfcc(home, "path", "a", "b", "--relative")

    assert result.exit_code == 2
    assert "--relative needs --export." in result.output


def test_each_track_of_a_path_says_how_near_it_is_to_the_one_before_it(home: Path) -> None:
    table = mfcc(home, "path", "armygeddon", "palace", "--steps", "4").output
    path = json.loads(mfcc(home, "path", "armygeddon", "palace", "--steps", "4", "--json").stdout)

    first, *others = path["tracks"]
    assert (first["closer_than"], first["nearness"]) == (None, None)
    for track in others:
        assert track["nearness"] in table
    assert "Each track is compared with the one before it." in table


@pytest.mark.parametrize(
    "command", [["path", "a", "b"], ["playlist", "a"], ["recommend", DEMO / "uploads" / "coherence.mp3"]]
)
def test_another_format_is_refused_in_a_sentence(home: Path, tmp_path: Path, command: list[str]) -> None:
    result = mfcc(home, *command, "--export", tmp_path / "list.pls")

    assert result.exit_code == 1
    assert result.output == (
        "Error: list.pls: this playlist format is not supported. "
        "Use a file name that ends in .m3u8, .xspf, .jspf or .csv.\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_track_that_nobody_knows_is_told_in_a_sentence(home: Path) -> None:
    result = mfcc(home, "path", "no such song", "palace")
    assert result.exit_code == 1
    assert result.output.startswith("Error: “no such song”: no track of the library")


def test_the_query_s_recording_and_a_second_encoding_of_another_are_not_recommended(home: Path) -> None:
    with Library(Settings(home=home)) as library:
        rows = {
            track.blob_name: library.recommendations.recommended(track.track_id)
            for track in library.catalogue.soundtracks()
        }

    for query, places in rows.items():
        journeys = [place.blob_name for place in places if place.blob_name in {f"{SONGS[0]}.ogg", AGAIN}]
        assert len(journeys) == (0 if query in {f"{SONGS[0]}.ogg", AGAIN} else 1), query
