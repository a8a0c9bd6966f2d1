"""The bytes of a new or changed file are read once: for their digest, and to decode them."""

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mfcc_assets.errors import AudioError
from mfcc_assets.ids import digest_of_file, is_unread
from mfcc_assets.library import Library
from mfcc_assets.pipeline import analysed_bytes, identities, observe
from mfcc_assets.pipeline.analysed_bytes import ByteAnalysis, ChangedMeanwhileError
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.soundtracks import COMPUTED, REJECTED, REUSED, analyse_soundtracks
from mfcc_assets.pipeline.store_features import store_analysis
from mfcc_assets_tests.audio_samples import retag, write_music
from mfcc_assets_tests.runs import run_library


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often each file is read to its end, by what reads it."""
    counts = Counter[str]()

    def counted(what: str, function: Any) -> Any:
        def count(path: Path, *others: Any) -> Any:
            counts[f"{what} in {path.parent.name}"] += 1
            return function(path, *others)

        return count

    for module in (analysed_bytes, identities, observe):
        monkeypatch.setattr(module, "digest_of_file", counted("digest", digest_of_file))
    return counts


def analyse(library: Library) -> dict[str, str]:
    """Observe all soundtracks and analyse them, and return the outcome of each."""
    observe_soundtracks(library, library.shards, run_id="run")
    return analyse_soundtracks(library, library.shards, run_id="run").outcomes


def put(library: Library, path: Path, name: str = "") -> Path:
    """Copy a file into the container, as an old file is, and return its path there."""
    library.blobs.upload_file("soundtracks", name or path.name, path)
    return Path(library.settings.blobs, "soundtracks", name or path.name)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_music(tmp_path / "song.flac", seconds=2.0, seed=1)


def test_the_digest_of_a_new_file_is_computed_by_its_analysis_and_by_nobody_else(
    library: Library, song: Path, read: Counter[str]
) -> None:
    put(library, song)
    observe_soundtracks(library, library.shards, run_id="run")
    (listed,) = library.catalogue.soundtracks()
    assert read.total() == 0
    assert is_unread(listed.content_digest)
    assert listed.is_waiting

    assert analyse_soundtracks(library, library.shards, run_id="run").outcomes == {"song.flac": COMPUTED}

    (track,) = library.catalogue.soundtracks()
    assert track.content_digest == track.analysed_digest == digest_of_file(song)
    assert read == {"digest in soundtracks": 1}


def test_a_changed_file_is_digested_once(library: Library, song: Path, read: Counter[str]) -> None:
    file = put(library, song)
    analyse(library)
    read.clear()

    retag(file, title="Another title")

    assert analyse(library) == {"song.flac": REUSED}
    assert read == {"digest in soundtracks": 1}
    assert [track.content_digest for track in library.catalogue.soundtracks()] == [digest_of_file(file)]


def test_a_touched_file_is_not_decoded(library: Library, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(library, song)
    analyse(library)
    monkeypatch.setattr(analysed_bytes, "store_analysis", None)
    monkeypatch.setattr(analysed_bytes, "read_audio_id", None)

    os.utime(file, (1, 1))

    assert analyse(library) == {"song.flac": REUSED}


def test_of_equal_new_files_only_one_is_decoded(library: Library, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def noted(*arguments: Any) -> Any:
        decoded.append(arguments)
        return store_analysis(*arguments)

    monkeypatch.setattr(analysed_bytes, "store_analysis", noted)
    for number in range(4):
        put(library, song, f"{number}.flac")

    assert Counter(analyse(library).values()) == {COMPUTED: 1, REUSED: 3}

    assert len(decoded) == 1
    assert len({track.content_digest for track in library.catalogue.soundtracks()}) == 1


def test_a_rejected_file_gets_its_digest_and_is_not_examined_again(library: Library, read: Counter[str]) -> None:
    library.blobs.write("soundtracks", "broken.flac", b"no music")

    assert analyse(library) == {"broken.flac": REJECTED}

    (track,) = library.catalogue.soundtracks()
    assert not is_unread(track.content_digest)
    assert track.analysed_digest == track.content_digest
    read.clear()
    analyse_soundtracks(library, library.shards, run_id="again")
    assert read == {}


def test_a_file_that_was_renamed_before_it_was_read_stays_the_same_soundtrack(library: Library, song: Path) -> None:
    file = put(library, song)
    observe_soundtracks(library, library.shards, run_id="run")
    (before,) = library.catalogue.soundtracks()

    file.rename(file.with_name("other.flac"))
    observation = observe_soundtracks(library, library.shards, run_id="run")

    assert observation.former_names == {"other.flac": "song.flac"}
    assert analyse_soundtracks(library, library.shards, run_id="run").outcomes == {"other.flac": COMPUTED}
    assert [track.track_id for track in library.catalogue.soundtracks()] == [before.track_id]


def test_tags_that_change_between_the_observation_and_the_analysis_are_seen(library: Library, song: Path) -> None:
    file = put(library, song)
    retag(file, title="A song")
    observe_soundtracks(library, library.shards, run_id="run")
    before = file.stat()
    retag(file, title="A tune")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size

    analyse_soundtracks(library, library.shards, run_id="run")

    assert analyse(library) == {"song.flac": COMPUTED}
    (track,) = library.catalogue.soundtracks()
    assert (track.title, track.content_digest) == ("A tune", digest_of_file(file))


def test_a_file_that_is_replaced_while_it_is_read_is_told(
    library: Library, song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(library, song)
    observe_soundtracks(library, library.shards, run_id="run")
    (track,) = library.catalogue.soundtracks()
    other = write_music(tmp_path / "other.flac", seconds=2.0, seed=2)

    def digest_before_it_is_replaced(path: Path) -> str:
        digest = digest_of_file(path)
        shutil.copy(other, file)
        return digest

    monkeypatch.setattr(analysed_bytes, "digest_of_file", digest_before_it_is_replaced)
    analysis = ByteAnalysis(library, [], set())

    with pytest.raises(ChangedMeanwhileError):
        analysis.of(track)


def test_a_file_that_cannot_be_used_has_its_digest_and_the_reason(library: Library) -> None:
    library.blobs.write("soundtracks", "broken.flac", b"no music")
    observe_soundtracks(library, library.shards, run_id="run")
    (track,) = library.catalogue.soundtracks()

    analysed = ByteAnalysis(library, [], set()).of(track)

    assert isinstance(analysed.audio, AudioError)
    assert not analysed.computed
    assert len(analysed.digest) == len(track.content_digest) == 32


def test_a_whole_run_reads_each_new_file_once_more_than_its_tags(
    library: Library, ten_songs: list[Path], instance: dg.DagsterInstance, read: Counter[str]
) -> None:
    for song in ten_songs:
        put(library, song)

    run_library(library, instance)

    assert read == {"digest in soundtracks": len(ten_songs)}
