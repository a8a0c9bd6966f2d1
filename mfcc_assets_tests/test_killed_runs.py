"""A run may be killed at any point. The next run finishes its work and repeats no finished work."""

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.upload_register import register_of
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.killed_runs import Kill, run_and_kill
from mfcc_assets_tests.runs import (
    Work,
    copied_home,
    drop_upload,
    requested_uploads,
    run_library,
    run_uploads,
)

KILLED_BETWEEN_ASSETS = {
    "raw_soundtracks": [],
    "soundtrack_cepstra": ["cepstra"],
    "soundtrack_summaries": ["cepstra", "track_features"],
    "prefilter_index": ["cepstra", "track_features", "index_written"],
    "soundtrack_candidates": ["cepstra", "track_features", "index_written", "candidates"],
    "soundtrack_rankings": ["cepstra", "track_features", "index_written", "candidates", "pairs"],
    "recommendation_quality": ["cepstra", "track_features", "index_written", "candidates", "pairs"],
    # The counts of added and removed tracks compare the new index with the published one.
    "published_index": ["cepstra", "track_features", "index_written", "candidates", "pairs", "added", "removed"],
}
"""The steps after which a run is killed, and the work that is finished then."""

KILLED_WHILE_WRITING = ["frames/", "embeddings.npy", "rankings/8"]

KILLED_WHILE_INSERTING = ["RECOMMENDATIONS"]

UPLOAD_STEPS = ["raw_upload", "upload_cepstra", "upload_metadata", "upload_candidates", "upload_ranking"]

VOLATILE = {"ETAG", "RUN_ID", "ADDED_AT", "OBSERVED_AT", "CREATED_AT", "REJECTED_AT"}


def _changed_home(source: Path, home: Path, music: Path) -> Path:
    """Copy a library of ten tracks, delete one track, replace the audio of another one, and add a new one."""
    with Library(Settings(home=copied_home(source, home), settle_seconds=0, claim_seconds=0)) as library:
        library.blobs.delete("soundtracks", "song-0.flac")
        library.blobs.upload_file("soundtracks", "song-1.flac", music)
        library.blobs.upload_file("soundtracks", "new.flac", write_music(music.with_name("new.flac"), 3.0, seed=401))
    return home


def _stored(library: Library) -> dict[str, Any]:
    """Return everything that a library stores, except times, ids of runs and versions of files."""
    stored: dict[str, Any] = {
        f"{container}/{blob.name}": library.blobs.read(container, blob.name)
        for container in ("cepstra", "artworks")
        for blob in library.blobs.list(container)
        if not blob.name.endswith(".json")
    }
    with closing(sqlite3.connect(library.settings.folder / "tables.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        for table in ("SOUNDTRACKS", "CONTENTS", "REJECTS", "RECOMMENDATIONS"):
            rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
            stored[table] = sorted(str({name: row[name] for name in row.keys() - VOLATILE}) for row in rows)
    return stored | {"published": library.indexes.published_version()}


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_music(tmp_path_factory.mktemp("music") / "other.flac", 3.0, seed=400)


@pytest.fixture(scope="module")
def undisturbed(
    up_to_date_home: Path, music: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Work]:
    """Return everything that the changed library stores after a run that is not killed, and the work of that run."""
    home = _changed_home(up_to_date_home, tmp_path_factory.mktemp("undisturbed") / "home", music)
    with Library(Settings(home=home, settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as instance:
        work = run_library(library, instance).work
        assert (work.cepstra, work.track_features, work.added, work.removed, work.index_written) == (2, 2, 2, 2, True)
        assert min(work.candidates, work.pairs, work.rows) > 0
        return _stored(library), work


@pytest.fixture(scope="module")
def killed(up_to_date_home: Path, music: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the homes of the changed library by the point at which its run was killed.

    The home ``uploads`` is a library in which runs for uploads were killed. One process runs and kills all runs,
    because it takes seconds to start.
    """
    folder = tmp_path_factory.mktemp("killed")
    points: dict[str, dict[str, Any]] = {
        **{step: {"after": step} for step in KILLED_BETWEEN_ASSETS},
        **{name: {"writing": name} for name in KILLED_WHILE_WRITING},
        **{table: {"inserting": table} for table in KILLED_WHILE_INSERTING},
    }
    homes = {point: _changed_home(up_to_date_home, folder / f"{number}", music) for number, point in enumerate(points)}
    kills = [Kill(str(homes[point]), **where) for point, where in points.items()]

    homes["uploads"] = copied_home(up_to_date_home, folder / "uploads")
    with Library(Settings(home=homes["uploads"], settle_seconds=0, claim_seconds=0)) as library:
        for step in UPLOAD_STEPS:
            upload = drop_upload(library, music, f"{step}.flac")
            kills.append(Kill(str(homes["uploads"]), after=step, uploads=[upload]))
    run_and_kill(kills)
    return homes


@pytest.mark.parametrize("step", KILLED_BETWEEN_ASSETS)
def test_the_next_run_continues_after_the_last_finished_asset(killed, undisturbed, instance, step: str) -> None:
    with Library(Settings(home=killed[step], settle_seconds=0, claim_seconds=0)) as library:
        stored, whole = undisturbed
        work = asdict(run_library(library, instance).work)
        assert work == asdict(whole) | dict.fromkeys(KILLED_BETWEEN_ASSETS[step], 0)
        assert _stored(library) == stored
        assert outstanding_work(library) == []


@pytest.mark.parametrize("point", [*KILLED_WHILE_WRITING, *KILLED_WHILE_INSERTING])
def test_a_run_that_is_killed_during_a_write_leaves_nothing_half_written(
    killed, undisturbed, instance, point: str
) -> None:
    stored, whole = undisturbed
    with Library(Settings(home=killed[point], settle_seconds=0, claim_seconds=0)) as library:
        assert library.recommendations.dangling_recommendations() == 0
        assert library.indexes.published().tracks
        work = run_library(library, instance).work
        assert _stored(library) == stored
        assert outstanding_work(library) == []
    assert work.cepstra == (whole.cepstra if point == "frames/" else 0)
    assert (work.pairs < whole.pairs) == (point in {"rankings/8", "RECOMMENDATIONS"})


def test_the_sensor_finds_uploads_of_killed_runs_and_they_get_the_same_answer(killed, instance, music) -> None:
    with Library(Settings(home=killed["uploads"], settle_seconds=0, claim_seconds=0)) as library:
        uploads = {blob.name: register_of(library).upload_of(blob) for blob in library.blobs.list("uploads")}
        assert len(uploads) == len(UPLOAD_STEPS)
        undisturbed = drop_upload(library, music, "undisturbed.flac")
        run_uploads(library, instance, [undisturbed])
        expected = [(row.rank, row.track_id, row.distance) for row in library.recommendations.recommended(undisturbed)]
        assert len(expected) == 5

        features = {blob.name: blob.etag for blob in library.blobs.list("cepstra", "frames/")}
        assert sorted(requested_uploads(library, instance)) == sorted(uploads.values())
        run_uploads(library, instance, list(uploads.values()))
        for upload in uploads.values():
            assert library.documents.get(upload).body["state"] == "ranked"
            answer = library.recommendations.recommended(upload)
            assert [(row.rank, row.track_id, row.distance) for row in answer] == expected
        assert {blob.name: blob.etag for blob in library.blobs.list("cepstra", "frames/")} == features
        assert requested_uploads(library, instance) == []
