"""`mfcc uploads` as its user sees it."""

import json
import shutil
from pathlib import Path

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads


@pytest.fixture
def answered(home: Path, query: Path, tmp_path: Path) -> tuple[UploadId, UploadId]:
    """Drop music and a text into the folder of uploads, and answer both. Returns their ids."""
    (tmp_path / "letter.mp3").write_bytes(b"Dear reader")
    with Library(Settings(home=home, settle_seconds=0)) as library:
        music = drop_upload(library, query, "albums/Träumerei.flac")
        letter = drop_upload(library, tmp_path / "letter.mp3", "letter.mp3")
        answer_uploads(library, [music, letter])
    return music, letter


def test_the_uploads_are_listed_with_their_states(home: Path, answered: tuple[UploadId, UploadId]) -> None:
    music, letter = answered

    shown = mfcc(home, "uploads").output

    assert music in shown
    assert letter in shown
    assert "answered" in shown
    assert "letter.mp3: no decoder can read the file" in shown
    assert "2 uploads." in shown


@pytest.mark.parametrize(
    "way", ["the id", "the beginning of the id", "the name", "the name in other letters", "a part"]
)
def test_the_answer_of_a_dropped_file_is_found(home: Path, answered: tuple[UploadId, UploadId], way: str) -> None:
    names = {
        "the id": answered[0],
        "the beginning of the id": answered[0][:6],
        "the name": "Träumerei.flac",
        "the name in other letters": "TRA\u0308UMEREI.FLAC",
        "a part": "umerei",
    }

    shown = mfcc(home, "uploads", names[way]).output

    assert f"Upload {answered[0]}, received 20" in shown
    assert shown.count("Song ") == 5
    answer = json.loads(mfcc(home, "uploads", names[way], "--json").stdout)
    assert [row["rank"] for row in answer["recommendations"]] == [1, 2, 3, 4, 5]


def test_an_upload_without_an_answer_says_why(home: Path, answered: tuple[UploadId, UploadId]) -> None:
    assert (
        "failed letter.mp3: no decoder can read the file, which is text." in mfcc(home, "uploads", answered[1]).output
    )


def test_a_file_that_nothing_has_seen_yet_says_what_sees_it(home: Path, query: Path) -> None:
    (home / "blobs" / "uploads").mkdir(exist_ok=True)
    shutil.copy(query, home / "blobs" / "uploads" / "new.flac")

    assert "not seen yet" in mfcc(home, "uploads").output
    assert "`make dev` starts the process that sees and answers files" in mfcc(home, "uploads", "new.flac").output
    assert json.loads(mfcc(home, "uploads", "--json").stdout)["uploads"][0]["state"] == "unseen"


def test_several_uploads_of_a_name_are_listed(home: Path, answered: tuple[UploadId, UploadId]) -> None:
    shown = mfcc(home, "uploads", "e").output

    assert "2 uploads." in shown
    assert all(upload in shown for upload in answered)


def test_uploads_are_chosen_by_their_state_and_printed_for_programs(
    home: Path, answered: tuple[UploadId, UploadId]
) -> None:
    names, *lines = [
        line.split("\t") for line in mfcc(home, "uploads", "--tsv", "--state", "failed").stdout.splitlines()
    ]

    assert names == ["id", "state", "received", "file", "recognised", "failure"]
    assert [(line[0], line[3]) for line in lines] == [(answered[1], "letter.mp3")]
    assert json.loads(mfcc(home, "uploads", "--json", "--limit", "1").stdout)["matching"] == 2


def test_an_unknown_upload_gives_an_error_of_one_sentence(home: Path) -> None:
    result = mfcc(home, "uploads", "no such file.mp3")

    assert result.exit_code == 1
    assert result.output.startswith("Error: “no such file.mp3”: no upload has an id that begins with this")
