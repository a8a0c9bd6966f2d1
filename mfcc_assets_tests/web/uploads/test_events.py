"""Tests of the news of an upload as server-sent events."""

import json
import time
from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets_tests.services.web import running_web
from mfcc_assets_tests.upload_steps import STEPS, answering_run
from mfcc_assets_tests.web.uploads.sending import opened, put
from mfcc_assets_tests.web.uploads.waiting import wait_for

ORDER = ["waiting", "received", "recognised", "candidates", "ranked"]


@dataclass(frozen=True)
class Event:
    tag: str
    state: str
    shown: str
    is_last: bool


def _events(address: str, last: str = "", seconds: float = 60) -> Generator[Event, None, None]:
    """Yield the events of a stream until it ends."""
    request = Request(address, headers={"Last-Event-ID": last} if last else {})
    with urlopen(request, timeout=seconds) as stream:
        for line in stream:
            if line.startswith(b"data: "):
                yield Event(**json.loads(line[6:]))


def _sent(address: str, song: bytes) -> UploadId:
    return UploadId(put(address, song, name="song.flac").json()["id"])


def test_a_page_is_told_of_every_step_in_order(ten_tracks: Library, tmp_path: Path, song: bytes) -> None:
    with running_web(ten_tracks.settings.home, tmp_path / "log", {"MFCC_WEB_FREE_GIGABYTES": "0"}) as address:
        upload = _sent(address, song)
        stream = _events(f"{address}/uploads/{upload}/events")
        told = [next(stream)]
        while told[-1].shown != "preview":
            told.append(next(stream))
        run = answering_run("run")
        for step in STEPS:
            step(ten_tracks, [upload], run=run)
        told += list(stream)

        states = list(dict.fromkeys(event.state for event in told))
        assert states == ORDER
        assert (told[-1].shown, told[-1].is_last) == ("recorded", True)
        assert "none" not in [event.shown for event in told if event.shown != "none"]
        with urlopen(Request(f"{address}/uploads/{upload}/events", headers={"Last-Event-ID": told[-1].tag})) as ended:
            assert ended.status == 204


def test_who_comes_again_is_told_only_what_it_does_not_know(ten_tracks: Library, tmp_path: Path, song: bytes) -> None:
    with running_web(ten_tracks.settings.home, tmp_path / "log", {"MFCC_WEB_FREE_GIGABYTES": "0"}) as address:
        upload = _sent(address, song)
        with closing(_events(f"{address}/uploads/{upload}/events")) as stream:
            event = next(event for event in stream if event.shown == "preview")
        again = _events(f"{address}/uploads/{upload}/events", last=event.tag, seconds=3)
        with closing(again), pytest.raises(TimeoutError):
            next(again)


def test_too_many_streams_are_refused_and_their_pages_ask_for_the_state(
    ten_tracks: Library, tmp_path: Path, song: bytes
) -> None:
    settings = {"MFCC_WEB_STREAMS": "2", "MFCC_WEB_FREE_GIGABYTES": "0"}
    with running_web(ten_tracks.settings.home, tmp_path / "log", settings) as address, ExitStack() as open_:
        events = f"{address}/uploads/{_sent(address, song)}/events"
        for _ in range(2):
            open_.enter_context(urlopen(events, timeout=30))
        with pytest.raises(HTTPError) as refused:
            urlopen(events, timeout=30)
        with refused.value as answer:
            assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
        open_.close()

        # The server finds out that a page is gone when it writes to it.
        assert wait_for(lambda: _is_served(events))


def test_one_sender_has_eight_streams_and_this_machine_has_more(
    ten_tracks: Library, tmp_path: Path, song: bytes
) -> None:
    with (
        running_web(ten_tracks.settings.home, tmp_path / "log", {"MFCC_WEB_FREE_GIGABYTES": "0"}) as address,
        ExitStack() as open_,
    ):
        path = f"/uploads/{_sent(address, song)}/events"

        def status(sender: str) -> int:
            stream = open_.enter_context(opened(address, sender))
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            return int(stream.recv(100).split()[1])

        assert [status("127.0.0.2") for _ in range(9)] == [200] * 8 + [503]
        assert status("127.0.0.3") == 200
        assert [status("127.0.0.1") for _ in range(9)] == [200] * 9


def test_a_stream_ends_before_a_server_would_have_to_wait_for_it(
    ten_tracks: Library, tmp_path: Path, song: bytes
) -> None:
    with running_web(ten_tracks.settings.home, tmp_path / "log", {"MFCC_WEB_FREE_GIGABYTES": "0"}) as address:
        events, began = f"{address}/uploads/{_sent(address, song)}/events", time.monotonic()
        list(_events(events))
        assert time.monotonic() - began < 40


def _is_served(address: str) -> bool:
    try:
        with urlopen(address, timeout=30) as stream:
            return stream.status == 200
    except HTTPError as refused:
        refused.close()
        time.sleep(0.5)
        return False
