"""Reading the manifest of a labelled set."""

from importlib.resources import files
from pathlib import Path

import pytest

from mfcc_assets.errors import UnusableManifest
from mfcc_assets.evaluation.manifest import LabelledTrack, albums_of, labels_of, read_manifest, sources_of

HEADER = "path,artist,source,work"


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


@pytest.mark.parametrize(
    ("rows", "why"), [([], "it lists no track"), ([",a,b"], "it lists no track"), (["a\0b.ogg,c,d"], "a NUL character")]
)
def test_a_manifest_without_a_usable_path_is_refused(tmp_path: Path, rows: list[str], why: str) -> None:
    with pytest.raises(UnusableManifest, match=why):
        read_manifest(manifest(tmp_path, "path,artist,source", *rows))


def test_the_label_of_a_track_is_its_artist_or_else_its_source() -> None:
    tracks = [
        LabelledTrack("solo", "The Kentas"),
        LabelledTrack("guest", "KENTAS feat. Anna", "game"),
        LabelledTrack("two", "Kentas & Bo", "game"),
        LabelledTrack("unnamed", "Unknown Artist", "game"),
        LabelledTrack("nothing", "", "Unknown Album"),
    ]
    assert labels_of(tracks) == {"solo": "kentas", "guest": "kentas", "two": "kentas", "unnamed": "game"}


def test_one_artist_under_several_spellings_is_one_label() -> None:
    credits_of_two = ("Ozoneone", "Ozone One", "OzoneOne feat. Anna", "Krobonil & OzoneOne", "Ozoneone and Krobonil")
    tracks = [LabelledTrack(f"{number}", artist) for number, artist in enumerate((*credits_of_two, "Crystan"))]
    tracks.append(LabelledTrack("another", "Christian Hoffmann (Crystan)", "game"))

    labels = labels_of(tracks)

    assert {labels[f"{number}"] for number in range(5)} == {"ozoneone"}
    assert labels["5"] == labels["another"] == "crystan"


def test_the_album_of_a_track_is_its_folder_if_none_is_named() -> None:
    tracks = [
        LabelledTrack("a/1.ogg", album="Suites"),
        LabelledTrack("b/1.ogg", album="SUITES "),
        LabelledTrack("c/d/1.ogg", album="Unknown Album", source="game"),
        LabelledTrack("c/d/2.ogg", source="Unknown"),
    ]
    assert albums_of(tracks) == {"a/1.ogg": "suites", "b/1.ogg": "suites", "c/d/1.ogg": "c/d", "c/d/2.ogg": "c/d"}
    assert sources_of(tracks) == {"c/d/1.ogg": "game"}


def test_the_column_album_is_read(tmp_path: Path) -> None:
    file = manifest(tmp_path, f"{HEADER},album", "a.ogg,Bach,game,,Suites")
    assert read_manifest(file) == [LabelledTrack("a.ogg", "Bach", "game", album="Suites")]


def test_the_column_work_and_the_byte_order_mark_are_optional(tmp_path: Path) -> None:
    file = manifest(tmp_path, "\ufeffpath,artist,source", "a.ogg,Björk,game")
    assert read_manifest(file) == [LabelledTrack("a.ogg", "Björk", "game")]


def test_the_starter_library_has_a_manifest() -> None:
    demo = Path(str(files("mfcc_assets.demo")))
    tracks = read_manifest(demo / "manifest.csv")
    assert {demo / track.path for track in tracks} == {*(demo / "library").iterdir(), *(demo / "uploads").iterdir()}
    assert len(set(labels_of(tracks).values())) > 5


def test_the_first_row_of_a_path_is_used(tmp_path: Path) -> None:
    file = manifest(tmp_path, HEADER, "a.ogg,Bach,,", "b.ogg,Bach,,", "a.ogg,Bird,,")
    assert read_manifest(file) == [LabelledTrack("a.ogg", "Bach"), LabelledTrack("b.ogg", "Bach")]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableManifest, match="no column artist, path"):
        read_manifest(manifest(tmp_path, "file,source", "a.ogg,game"))
    with pytest.raises(UnusableManifest, match="no column artist, path"):
        read_manifest(manifest(tmp_path))


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"path,artist,source\na.ogg,Bj\xf6rk,game")
    with pytest.raises(UnusableManifest, match="cannot be read"):
        read_manifest(tmp_path / "manifest.csv")
