"""`mfcc recommend` as its user sees it."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mfcc_assets_tests.cli.commands import mfcc


def test_recommendations_are_printed_as_a_table(home: Path, query: Path) -> None:
    result = mfcc(home, "recommend", query)

    assert result.exit_code == 0, result.output
    assert result.output.startswith("query.flac: unknown\n")
    assert result.output.count("│ Song ") == 5
    assert (
        len(
            re.findall(r"(very near|fairly near|near|not near|far) +│ ([0-9.]+ % of|all measured) pairs", result.output)
        )
        == 5
    )
    assert "ertified" not in result.output


def test_a_narrow_terminal_leaves_its_room_to_titles(home: Path, query: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    narrow = mfcc(home, "recommend", query).output
    monkeypatch.setenv("COLUMNS", "130")
    wide = mfcc(home, "recommend", query).output

    assert "track id" in wide
    assert "track id" not in narrow
    assert narrow.count("Song ") == wide.count("Song ") == 5
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in narrow


def test_the_recall_of_a_list_longer_than_those_measured_is_unknown(home: Path, query: Path) -> None:
    answer = json.loads(mfcc(home, "recommend", query, "--top", "6", "--json").stdout)

    assert (answer["certified"], answer["recall"]) == (False, None)


def test_a_track_of_the_library_is_not_recommended_for_itself(home: Path, ten_songs: list[Path]) -> None:
    result = mfcc(home, "recommend", ten_songs[3], "--top", "9")

    assert result.output.startswith("song-3.flac: Song 3 by unknown (library)\n")
    assert result.output.count("│ Song ") == 9
    assert "│ Song 3" not in result.output


def test_recommendations_are_printed_as_json_for_programs(home: Path, query: Path, ten_songs: list[Path]) -> None:
    unknown = json.loads(mfcc(home, "recommend", "--json", query).stdout)
    known = json.loads(mfcc(home, "recommend", "--json", "--top", "2", ten_songs[3]).stdout)

    measured = {
        "index_version",
        "indexed_tracks",
        "library_tracks",
        "certified",
        "recall",
        "dtw_cells",
        "recommendations",
    }
    assert set(unknown) == {"query", "recognised", "recognition_failures"} | measured
    assert unknown["query"] == str(query)
    assert unknown["recognised"] is None
    assert known["recognised"] == {"title": "Song 3", "artist": "", "by": "library"}
    assert not unknown["certified"]
    assert unknown["dtw_cells"] > 0
    assert 0.9 <= unknown["recall"] <= 1
    assert [row["rank"] for row in unknown["recommendations"]] == [1, 2, 3, 4, 5]
    keys = {"rank", "track_id", "title", "artist", "distance", "closer_than", "nearness"}
    assert [set(row) for row in known["recommendations"]] == [keys] * 2
    assert all(0 <= row["closer_than"] <= 1 for row in unknown["recommendations"])
    distances = [row["distance"] for row in unknown["recommendations"]]
    assert distances[0] == min(distances)


def test_a_recognition_service_that_cannot_be_asked_is_named_with_the_reason(
    home: Path, ten_songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_RECOGNISERS", "audd,library,tags")
    table = mfcc(home, "recommend", ten_songs[3])
    answer = json.loads(mfcc(home, "recommend", "--json", ten_songs[3]).stdout)

    assert "no answer audd: " in table.output
    assert "MFCC_SECRET_AUDD_TOKEN" in table.output
    assert answer["recognised"] == {"title": "Song 3", "artist": "", "by": "library"}
    assert [failure["by"] for failure in answer["recognition_failures"]] == ["audd"]


def test_an_exact_answer_is_certified(home: Path, query: Path) -> None:
    table = mfcc(home, "recommend", "--exact", query)
    answer = json.loads(mfcc(home, "recommend", "--exact", "--json", query).stdout)

    assert table.exit_code == 0, table.output
    assert table.output.endswith(
        f"Certified: the tracks that this list is chosen from are the nearest of index {answer['index_version']}.\n"
    )
    assert (answer["certified"], answer["recall"]) == (True, None)
    assert [row["rank"] for row in answer["recommendations"]] == [1, 2, 3, 4, 5]


ODD_NAMES = [
    b"caf\xe9.flac",
    b"\xff\xfe\x80.flac",
    b"line\nfeed\t\x07.flac",
    b"AC\\DC.flac",
    b"CON.flac",
    b"dots and spaces. .flac",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_of_any_name_is_answered(home: Path, query: Path, tmp_path: Path, name: bytes) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    query.rename(odd)

    table, answer = mfcc(home, "recommend", odd), mfcc(home, "recommend", "--json", odd)

    assert (table.exit_code, answer.exit_code) == (0, 0), table.output
    shown = table.stdout.partition(": unknown")[0]
    assert shown.isprintable()
    assert json.loads(answer.stdout)["query"] == f"{tmp_path}/{shown}"
    answer.stdout.encode("ascii")


def test_names_and_titles_are_printed_on_a_terminal_that_only_knows_ascii(home: Path, query: Path) -> None:
    odd = query.rename(query.with_name("\udce9 \N{BEAMED EIGHTH NOTES} é.flac"))
    program = "import sys; from mfcc_assets.cli.main import main; main(sys.argv[1:])"

    ended = subprocess.run(
        [sys.executable, "-c", program, "recommend", odd],
        env={**os.environ, "MFCC_HOME": str(home), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.decode("ascii").startswith(r"\xe9 \u266b \xe9.flac: unknown")


def bind_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize("command", ["recommend", "add"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "it is a pipe, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is a device, not a file"),
        (bind_socket, "it is a socket, not a file"),
        (lambda _: None, "there is no such file"),
    ],
    ids=["pipe", "device", "socket", "nothing"],
)
def test_what_is_not_a_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, make: Callable[[Path], None], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)  # the address of a socket is short
    make(Path("song.mp3"))

    result = mfcc(tmp_path / "home", command, "song.mp3")

    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.startswith(f"Error: song.mp3: {reason}")


def test_a_folder_and_a_dash_are_no_files_to_recommend_for(tmp_path: Path) -> None:
    folder, dash = mfcc(tmp_path / "home", "recommend", tmp_path), mfcc(tmp_path / "home", "recommend", "-")

    assert folder.output.startswith(f"Error: {tmp_path}: it is a folder, not a file.")
    assert dash.output == "Error: -: there is no such file.\n"


@pytest.mark.parametrize("command", ["recommend", "add"])
def test_an_empty_name_is_refused_and_is_not_the_present_folder(home: Path, command: str) -> None:
    result = mfcc(home, command, "")

    assert result.exit_code == 1
    assert result.output == "Error: The name of the file is empty. Name a file.\n"
