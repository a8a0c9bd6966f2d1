"""Damaged and missing artworks are named, and read from their soundtracks again."""

import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.flac import Picture as FlacPicture
from PIL import Image

from mfcc_assets.ids import TrackId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.artworks import faults_of_artworks
from mfcc_assets.pipeline.observe import Observation, observe_soundtracks
from mfcc_assets.storage.blobs.port import ARTWORKS
from mfcc_assets.storage.last_check import read_last_check
from mfcc_assets_tests.audio_samples import write_tone
from mfcc_assets_tests.damage import Damage, cut, flip


def observe(library: Library, shards: Sequence[str] = ()) -> Observation:
    return observe_soundtracks(library, shards or library.shards, run_id="run")


def embed_picture(path: Path) -> None:
    drawn = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(drawn, "PNG")
    picture = FlacPicture()
    picture.type, picture.mime, picture.data = 3, "image/png", drawn.getvalue()
    file = FLAC(path)
    file.add_picture(picture)
    file.save()


@pytest.fixture
def stored(library: Library, tmp_path: Path) -> dict[str, bytes]:
    """Observe a soundtrack with an embedded picture and one without, and return their artworks by name."""
    for name in ("drawn.flac", "embedded.flac"):
        path = write_tone(tmp_path / name, seconds=0.5)
        if name == "embedded.flac":
            embed_picture(path)
        library.blobs.upload_file("soundtracks", name, path)
    observe(library)
    observe(library)
    return artworks(library)


def artworks(library: Library) -> dict[str, bytes]:
    return {blob.name: library.blobs.read(ARTWORKS, blob.name) for blob in library.blobs.list(ARTWORKS)}


def faults(library: Library) -> list[str]:
    return faults_of_artworks(library, {track.track_id for track in library.catalogue.soundtracks()})


@pytest.mark.parametrize("change", [flip, cut])
def test_damaged_artworks_are_told_and_the_next_run_reads_them_again(
    library: Library, stored: dict[str, bytes], change: Damage
) -> None:
    assert sorted(Path(name).suffix for name in stored) == [".png", ".svg"]
    assert faults(library) == []
    for name, content in stored.items():
        library.blobs.write(ARTWORKS, name, change(content))
    before = datetime.now(UTC)
    assert faults(library) == [f"artworks/{name}: the stored picture is damaged" for name in sorted(stored)]

    observation = observe(library)

    assert artworks(library) == stored
    assert {track.artwork for track in library.catalogue.soundtracks()} == stored.keys()
    assert observation.difference.unchanged == ("drawn.flac", "embedded.flac")
    assert len(observation.repairs) == len(library.repairs.since(before)) == 2
    assert "(that of embedded.flac). This run reads it from the soundtrack again." in " ".join(observation.repairs)
    assert (faults(library), observe(library).repairs) == ([], [])


def test_a_missing_artwork_is_told_and_read_again(library: Library, stored: dict[str, bytes]) -> None:
    lost = min(stored)
    library.blobs.delete(ARTWORKS, lost)
    assert faults(library) == [f"artworks/{lost.partition('.')[0]}: the picture is missing"]

    assert len(observe(library).repairs) == 1
    assert artworks(library) == stored


def test_an_artwork_that_an_older_version_stored_gets_a_name_with_its_digest(
    library: Library, stored: dict[str, bytes]
) -> None:
    for name, content in stored.items():
        track, _, suffix = name.split(".")
        library.blobs.delete(ARTWORKS, name)
        library.blobs.write(ARTWORKS, f"{track}.{suffix}", content)
    assert faults(library) == []

    assert observe(library).repairs == []
    assert artworks(library) == stored


def test_a_bit_that_changes_by_itself_is_found_when_the_turn_comes_to_its_file(
    library: Library, stored: dict[str, bytes]
) -> None:
    observe(library)
    name = max(stored)
    path = library.blobs.path(ARTWORKS, name)
    assert path is not None
    times = path.stat()
    path.write_bytes(flip(stored[name]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert [len(observe(library).repairs) for _ in range(2)] == [1, 0]
    assert artworks(library) == stored


def test_a_run_over_some_soundtracks_checks_their_artworks_and_leaves_changed_ones_of_others_to_the_next_run(
    library: Library, stored: dict[str, bytes]
) -> None:
    own, other = sorted(stored)
    shard = shard_of(TrackId(own.partition(".")[0]), library.settings.shard_digits)
    assert not other.startswith(shard)

    library.blobs.write(ARTWORKS, own, stored[own])
    observe(library, [shard])
    checked = read_last_check(library.blobs, ARTWORKS).until
    assert checked == library.blobs.stat(ARTWORKS, own).modified

    library.blobs.write(ARTWORKS, other, flip(stored[other]))
    library.blobs.write(ARTWORKS, own, stored[own])
    assert observe(library, [shard]).repairs == []
    assert len(observe(library).repairs) == 1
