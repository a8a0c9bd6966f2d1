"""Tests of the whole front under load, with the real server and the real daemon of Dagster, without a browser."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import copied_home
from mfcc_assets_tests.services.front import running_front
from mfcc_assets_tests.web.uploads.sending import put
from mfcc_assets_tests.web.uploads.server_memory import memory_of_servers
from mfcc_assets_tests.web.uploads.waiting import wait_for

UPLOADS = 50
STREAMS = 200
STREAMS_AT_ONCE = 64
"""The default of `web_streams`."""

MOST_MEMORY = 1200 << 20
ANSWER_SECONDS = 240


@dataclass(frozen=True)
class Front:
    """The home of a library of ten songs, and the address of its pages."""

    home: Path
    address: str

    def state(self, upload: str) -> Any:
        with urlopen(f"{self.address}/uploads/{upload}/state", timeout=60) as response:
            return json.load(response)

    def tracks(self, upload: str) -> list[str]:
        """Return the ids of the tracks that the page of an upload recommends."""
        with urlopen(f"{self.address}/uploads/{upload}/export.jspf", timeout=60) as response:
            return [str(track["identifier"]) for track in json.load(response)["playlist"]["track"]]


@pytest.fixture(scope="module")
def front(up_to_date_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("whole front")
    home = copied_home(up_to_date_home, folder / "home")
    with running_front(Settings(home=home, settle_seconds=0), folder / "log") as address:
        yield Front(home, address)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Return the contents of files with different music."""
    folder = tmp_path_factory.mktemp("many songs")
    return [write_music(folder / f"{number}.flac", 3.0, seed=1000 + number).read_bytes() for number in range(UPLOADS)]


class Peak(Thread):
    """Looks at the memory of the servers that this test has started, until it is told to end.

    Attributes
    ----------
    most
        The largest number of resident bytes that it has seen.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._ended = 0, Event()

    def run(self) -> None:
        while not self._ended.wait(0.1):
            self.most = max(self.most, memory_of_servers())

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def test_of_fifty_simultaneous_uploads_each_gets_its_own_answer(
    front: Front, songs: list[bytes], record_property: Any
) -> None:
    def send(number: int) -> str:
        """Send a file, again as long as all places are taken."""
        while True:
            answer = put(front.address, songs[number], name=f"{number}.flac")
            if answer.status == 503:
                time.sleep(float(answer.headers.partition("Retry-After: ")[2].split()[0]) / 5)
                continue
            assert answer.status == 201, answer
            return str(answer.json()["id"])

    with Peak() as peak, ThreadPoolExecutor(UPLOADS) as senders:
        uploads = list(senders.map(send, range(UPLOADS)))
        assert len(set(uploads)) == UPLOADS
        previews = {}
        for upload in uploads:
            wait_for(lambda upload=upload: front.state(upload)["shown"] in ("preview", "recorded"), 120)  # type: ignore[misc]
            previews[upload] = front.tracks(upload)
        for upload in uploads:
            wait_for(lambda upload=upload: front.state(upload)["state"] == "ranked", ANSWER_SECONDS)  # type: ignore[misc]

    with Library(Settings(home=front.home)) as library:
        documents = library.documents.get_many(uploads)
        assert [documents[upload].body["file_name"] for upload in uploads] == [f"{n}.flac" for n in range(UPLOADS)]
        assert len({document.body["audio_id"] for document in documents.values()}) == UPLOADS
        stored = {blob.name.partition("/")[0]: blob.name for blob in library.blobs.list("uploads")}
        for number, upload in enumerate(uploads):
            assert library.blobs.read("uploads", stored[upload]) == songs[number]
    assert all(len(tracks) == 5 for tracks in previews.values())
    assert {upload: front.tracks(upload) for upload in uploads} == previews
    record_property("peak memory of the server in MB", peak.most >> 20)
    assert 0 < peak.most < MOST_MEMORY


def test_of_two_hundred_pages_those_without_a_stream_ask_and_all_see_the_answer(front: Front, tmp_path: Path) -> None:
    song = write_music(tmp_path / "song.flac", 3.0, seed=9).read_bytes()
    upload = str(put(front.address, song, name="watched.flac").json()["id"])
    with ExitStack() as open_:
        with ThreadPoolExecutor(STREAMS) as browsers:
            answers = list(browsers.map(lambda _: _stream(front, upload, open_), range(STREAMS)))
        served = [answer for answer in answers if answer.status == 200]
        refused = [answer for answer in answers if answer.status == 503]
        assert (len(served), len(refused)) == (STREAMS_AT_ONCE, STREAMS - STREAMS_AT_ONCE)
        assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
        began = time.monotonic()
        front.state(upload)
        assert time.monotonic() - began < 2, "pages answer while all streams are taken"

        with ThreadPoolExecutor(STREAMS_AT_ONCE) as browsers:
            last = list(browsers.map(_last_state, served))
        # A stream ends after some time, and the browser opens it again. Here it asks, as those without one do.
        wait_for(lambda: front.state(upload)["state"] == "ranked", ANSWER_SECONDS)
        assert set(last) <= {"waiting", "received", "recognised", "candidates", "ranked"}
        with ThreadPoolExecutor(STREAMS) as browsers:
            seen = list(browsers.map(lambda _: front.state(upload)["shown"], range(STREAMS)))
    assert seen == ["recorded"] * STREAMS


def _stream(front: Front, upload: str, open_: ExitStack) -> HTTPResponse:
    connection = HTTPConnection(urlsplit(front.address).netloc, timeout=60)
    open_.enter_context(closing(connection))
    connection.request("GET", f"/uploads/{upload}/events")
    return open_.enter_context(closing(connection.getresponse()))


def _last_state(stream: HTTPResponse) -> str:
    """Read a stream until it ends, and return the state that it told of last."""
    state = ""
    for line in stream:
        if line.startswith(b"data: "):
            state = json.loads(line[6:])["state"]
    return state
