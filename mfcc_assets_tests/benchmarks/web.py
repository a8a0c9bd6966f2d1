"""The pages of a library of 10,000 tracks: the time to an answer, the pages, and the memory of the server."""

import os
import shutil
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from mfcc_assets.audio.outside import read_tags
from mfcc_assets.features.file_analysis import analyse_file
from mfcc_assets.features.track_features import track_features_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import choose_recommendations, find_query_candidates, rank_query, recognise_file
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.recognition.recogniser import LOCAL_RECOGNISERS
from mfcc_assets.search.query import search_for_new_track
from mfcc_assets.settings import Settings
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.report import Section
from mfcc_assets_tests.benchmarks.sized_library import PLACES, RANKING, timed
from mfcc_assets_tests.benchmarks.web_browser import PageLoad, page_loads
from mfcc_assets_tests.benchmarks.web_clients import MeasuredServer, measured_server
from mfcc_assets_tests.benchmarks.web_library import (
    SIZE,
    UPLOAD_SECONDS,
    web_library,
    write_compared_cepstra,
    write_uploads,
)

UPLOADS = 20
REQUESTS = 30
LOADS = 5
STREAMS = 200
LARGE_MEGABYTES = 300
LONGEST_ANSWER_SECONDS = 1.0
HEAVIEST_PAGE_BYTES = 300_000

_BLOCK = 1 << 20
_WAV_HEAD = b"".join(
    (
        b"RIFF\xff\xff\xff\x7fWAVEfmt ",
        struct.pack("<IHHIIHH", 16, 1, 2, 44_100, 176_400, 4, 16),
        b"data\xff\xff\xff\x7e",
    )
)
"""The beginning of a file of 16-bit stereo that says it is longer than it is."""


def measure(corpus: Corpus) -> Section:
    home, loads = web_library(corpus), os.getloadavg()
    uploads = write_uploads(corpus, corpus.work / "web_uploads", UPLOADS + 1)
    write_compared_cepstra(corpus, home, uploads)
    section = Section("Pages").text(
        f"The pages of a library of {SIZE:,} synthetic tracks, served by `mfcc web` and asked over the loopback of the "
        f"same machine, which had a load of {loads[0]:.1f} when this began. No run records the answers meanwhile."
    )
    with measured_server(home, RANKING, corpus.work / "web.log") as server:
        server.wait_for_preview(server.send_file(uploads[-1])[0])  # the server reads the index
        answers, pages = zip(*(_answer(server, path) for path in uploads[:UPLOADS]), strict=True)
        _describe_answers(section, answers, _steps(home, uploads))
        track = _a_track(home)
        requests = {
            name: [server.seconds_of(path) for _ in range(REQUESTS)]
            for name, path in _requests(track, pages[-1]).items()
        }
        _describe_requests(section, requests)
        _describe_loads(section, page_loads(server.address, _browsed(track, pages[-1]), LOADS))
        _describe_memory(section, server, uploads[0])
    shutil.rmtree(home / "blobs" / "uploads", ignore_errors=True)
    return section


def _answer(server: MeasuredServer, path: Path) -> tuple[float, str]:
    page, sent = server.send_file(path)
    return server.wait_for_preview(page) - sent, page


def _steps(home: Path, uploads: Sequence[Path]) -> Mapping[str, Sequence[float]]:
    """Measure each step of an answer in this process. The first upload is not counted, because it reads the index."""
    parts: dict[str, list[float]] = {}
    with Library(Settings(home=home, ranking=RANKING)) as library:
        opened = PublishedIndex(library).opened()
        opened.load_all()
        index, count = opened.index, opened.index.parameters.ranked_count
        parameters = index.parameters.features
        names = [name for name in library.settings.recogniser_names if name in LOCAL_RECOGNISERS]
        for path in uploads:
            begun = time.perf_counter()
            file, decoded = timed(partial(analyse_file, path, parameters.cepstra, library.limits, path.name))
            features, reduced = timed(partial(track_features_of, file.analysis, parameters))
            audio, cepstra = file.audio.audio_id, file.analysis.cepstra
            tags, inspected = timed(partial(read_tags, path))
            _, recognised = timed(partial(recognise_file, library, index, path, tags, audio, cepstra, names))
            search, compared = timed(partial(search_for_new_track, index, {audio}, features))
            found, candidates = timed(
                partial(find_query_candidates, index, search, opened.recordings, without={audio}, count=count)
            )
            ranked, ranking = timed(
                partial(rank_query, library, index, search, [each for each, _ in found], count=count)
            )
            _, chosen = timed(
                partial(
                    choose_recommendations,
                    library,
                    index,
                    opened.order,
                    ranked,
                    count=PLACES,
                    query_audio=audio,
                    recognised_as=(),
                )
            )
            for name, seconds in {
                "decoding, cepstra, waveform": decoded,
                "track features": reduced,
                "recognition": inspected + recognised,
                "distance statistics": compared,
                "candidates": candidates,
                "ranking": ranking,
                "list": chosen,
                "all": time.perf_counter() - begun,
            }.items():
                parts.setdefault(name, []).append(seconds)
    return {name: seconds[1:] for name, seconds in parts.items()}


def _describe_answers(section: Section, answers: Sequence[float], steps: Mapping[str, Sequence[float]]) -> None:
    slow = _percentile(answers, 95)
    reached = "reached" if slow <= LONGEST_ANSWER_SECONDS else "missed"
    section.text(
        f"**Answers.** {len(answers)} MP3 files of {UPLOAD_SECONDS // 60} minutes at 44.1 kHz were sent one after the "
        "other. The time is that from the last byte of a file to the event that tells its page of the preview. The "
        f"target is that 95 % of the answers come within {LONGEST_ANSWER_SECONDS:.0f} s: **{reached}**. The steps were "
        "measured in another process, without a server, while nothing else was asked."
    )
    rows = [("from the last byte to the preview", answers), *steps.items()]
    section.table(("", "median", "95 %"), [(name, _shown(seconds), _shown(seconds, 95)) for name, seconds in rows])


def _requests(track: str, upload: str) -> Mapping[str, str]:
    return {
        "library": "/library",
        "library, by artist": "/library?sort=artist",
        "search for a word": "/library?search=ocean",
        "search for a track": "/library?search=glass+4243",
        "artists": "/library/artists",
        "track with its neighbours": f"/tracks/{track}",
        "answer": upload,
        "map": "/map",
        "points of the map": "/map/points",
        "tracks of the map": "/map/tracks",
    }


def _browsed(track: str, upload: str) -> Mapping[str, str]:
    return {"upload": "/", "answer": upload, "library": "/library", "track": f"/tracks/{track}", "map": "/map"}


def _describe_requests(section: Section, requests: Mapping[str, Sequence[float]]) -> None:
    section.text(f"**Requests.** The time from a request to the last byte of its answer, {REQUESTS} times.")
    section.table(
        ("page", "median", "95 %"), [(name, _shown(taken), _shown(taken, 95)) for name, taken in requests.items()]
    )


def _describe_loads(section: Section, loads: Mapping[str, PageLoad]) -> None:
    heaviest = max(load.bytes for load in loads.values())
    section.text(
        "**Pages in a browser.** What Chromium loads for a page with an empty cache, beside audio and pictures, and "
        f"the time to its first contentful paint, {LOADS} times. The target is at most "
        f"{HEAVIEST_PAGE_BYTES // 1000} KB: "
        f"**{'reached' if heaviest <= HEAVIEST_PAGE_BYTES else 'missed'}**."
    )
    section.table(
        ("page", "requests", "loaded", "first contentful paint", "slowest"),
        [
            (name, load.requests, f"{load.bytes / 1000:.0f} KB", _shown(load.paints), _shown(load.paints, 100))
            for name, load in loads.items()
        ],
    )


def _describe_memory(section: Section, server: MeasuredServer, upload: Path) -> None:
    before = server.memory()
    page, _ = server.send_file(upload)
    server.wait_for_preview(page)
    answered = server.memory()
    with ExitStack() as stack:
        for _ in range(STREAMS):
            connection, _response = server.stream(page)
            stack.callback(connection.close)
        time.sleep(2)
        streaming, slowest = server.memory(), max(server.seconds_of("/library") for _ in range(5))
    time.sleep(2)
    rested = server.memory()
    server.forget_peak()
    taken = LARGE_MEGABYTES * 1_000_000
    _, sent = server.send("large.wav", _large_file(taken), taken)
    stored = time.perf_counter() - sent
    peak = server.memory("VmHWM")
    section.text(
        f"**Memory.** The process that answers had {_mega(before)} with the index in memory, and {_mega(answered)} "
        f"after another upload. With {STREAMS} open pages that are told of news it had {_mega(streaming)}, and the "
        f"library page took at most {_shown([slowest])}. Before a file of {LARGE_MEGABYTES} MB came, it had "
        f"{_mega(rested)}, and at most {_mega(peak)} while it came; it was stored {_shown([stored])} after its last "
        "byte."
    )


def _large_file(size: int) -> Iterator[bytes]:
    rng = np.random.default_rng(4)
    block = rng.bytes(_BLOCK)
    yield _WAV_HEAD
    left = size - len(_WAV_HEAD)
    while left:
        part = block[:left]
        left -= len(part)
        yield part


def _a_track(home: Path) -> str:
    with Library(Settings(home=home, ranking=RANKING)) as library:
        return next(iter(library.indexes.published().tracks.track_ids))


def _percentile(seconds: Sequence[float], share: float = 50) -> float:
    return float(np.percentile(seconds, share))


def _shown(seconds: Sequence[float], share: float = 50) -> str:
    taken = _percentile(seconds, share)
    return f"{taken:.2f} s" if taken >= 1 else f"{1000 * taken:.0f} ms"


def _mega(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
