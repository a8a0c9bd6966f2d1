"""What a look of the sensor and a run cost if nothing has changed, in a library of very many files."""

import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

from mfcc_assets.audio.artwork import generated_cover
from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import content_digest, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.artworks import artwork_name
from mfcc_assets.pipeline.music_files import soundtrack_files
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.outstanding_work import changed_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import ARTWORKS, SOUNDTRACKS
from mfcc_assets.storage.last_check import CHECKED_IN_TURN
from mfcc_assets.storage.sql.records import Observed
from mfcc_assets_tests.audio_samples import write_tone
from mfcc_assets_tests.benchmarks.report import Section

NAMES, MILLION = 100_000, 1_000_000
NAMES_A_FOLDER = 1_000
NAMES_A_PAGE = 5_000
"""Most names in one answer of Azure Blob Storage to a listing."""

_Step = tuple[str, Callable[[], object]]


def add_rows(section: Section, folder: Path, names: int = NAMES) -> Section:
    """Measure a library of so many names in a folder, and add a table to a section.

    Parameters
    ----------
    section
        The section.
    folder
        A folder with room for so many names, best on a disk in memory. Each thousand names are links to one file.
    names
        Number of names.
    """
    with tempfile.TemporaryDirectory(dir=folder) as home, _library(Path(home), names) as library:
        files = soundtrack_files(library)
        steps: list[_Step] = [
            ("the sensor lists the files", lambda: soundtrack_files(library)),
            ("the sensor compares them with the catalogue", lambda: changed_soundtracks(library, files)),
            ("a run observes them", lambda: observe_soundtracks(library, library.shards, run_id="run")),
        ]
        rows = [_row(name, step, names) for name, step in steps]
    section.text(
        f"**Nothing has changed.** {names:,} names in a folder of this machine are links to equal files. The catalogue "
        "knows all of them. A step that lists the files lists them once, and reads none. A run also reads the next "
        f"{CHECKED_IN_TURN:,} stored pictures, to find damage. In Azure, a listing takes a request for each "
        f"{NAMES_A_PAGE:,} names, so that of a million takes {math.ceil(MILLION / NAMES_A_PAGE)}. The last column is "
        "the time of this machine for a million names, if it grows as their number does."
    )
    return section.table(
        ("step", "seconds", "listings", "files read", f"requests of a listing of {MILLION:,}", "seconds for a million"),
        rows,
    )


def _row(name: str, step: Callable[[], object], names: int) -> tuple[str, ...]:
    with _counted() as calls:
        begun = time.perf_counter()
        step()
        seconds = time.perf_counter() - begun
    requests = calls["list"] * math.ceil(MILLION / NAMES_A_PAGE)
    return (
        name,
        f"{seconds:.2f}",
        f"{calls['list']}",
        f"{calls['as_file']}",
        f"{requests:,}",
        f"{seconds * MILLION / names:.0f}",
    )


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Count the listings of the soundtracks, and those of them that are read."""
    calls = Counter[str]()

    def counting(method: str) -> Callable[..., object]:
        original = getattr(LocalBlobs, method)

        def call(blobs: LocalBlobs, container: str, *others: object, **more: object) -> object:
            calls[method] += container == SOUNDTRACKS
            return original(blobs, container, *others, **more)

        return call

    with patch.multiple(LocalBlobs, list=counting("list"), as_file=counting("as_file")):
        yield calls


@contextmanager
def _library(home: Path, names: int) -> Iterator[Library]:
    with Library(Settings(home=home, shard_digits=2)) as library:
        top, pictures = (Path(library.settings.blobs, container) for container in (SOUNDTRACKS, ARTWORKS))
        for folder in (top, pictures):
            folder.mkdir(parents=True)
        tone = write_tone(home / "tone.wav", 1.0).read_bytes()
        cover = generated_cover(track_id("tone"), "tone", "")
        file, picture = home / "file", home / "picture"
        observed = []
        for number in range(names):
            name = f"{number // NAMES_A_FOLDER:04}/{number:07}.wav"
            track = track_id(name)
            if number % NAMES_A_FOLDER == 0:
                (top / name).parent.mkdir()
                # Some file systems allow no more than 65,000 links to one file.
                for content, path in ((tone, file), (cover.data, picture)):
                    path.unlink(missing_ok=True)
                    path.write_bytes(content)
            os.link(file, top / name)
            os.link(picture, pictures / artwork_name(track, cover))
            observed.append(Observed(name, "", 0, "", Tags(title=name), artwork_name(track, cover), track))
        blobs, digest = soundtrack_files(library), content_digest(BytesIO(tone))
        for start in range(0, len(observed), NAMES_A_FOLDER):
            page = [
                replace(each, etag=blobs[each.blob_name].etag, bytes=blobs[each.blob_name].size, content_digest=digest)
                for each in observed[start : start + NAMES_A_FOLDER]
            ]
            library.catalogue.record_observed(page, [], shard_digits=2, run_id="first")
        # A run reads files again that are hardly older than their observation, and pictures that it has not checked.
        newest = max(blob.modified.timestamp() for blob in blobs.values())
        time.sleep(max(0.0, 61 - (time.time() - newest)))
        observe_soundtracks(library, library.shards, run_id="first")
        yield library
