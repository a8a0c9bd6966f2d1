"""Faults of the cloud during a run. No work is lost, and no work is done twice."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from mfcc_assets.defs.launch import daemon_log, prepare_dagster_home, running_daemon
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.secrets.environment import variable_of
from mfcc_assets.storage.sql.schema import RECOMMENDATIONS
from mfcc_assets_tests.runs import drop_upload, run_library, run_uploads
from mfcc_assets_tests.services.cosmos import CosmosServer, Fault
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy
from mfcc_assets_tests.services.recognition import AudDDouble, serving

AWAY_SECONDS = 10.0
SIX = 6
"""Least number of songs for lists of five."""

PATIENCE_SECONDS = 120.0


@contextmanager
def once(holds: Callable[[], bool], cause: Callable[[], None]) -> Iterator[threading.Event]:
    """Cause a fault as soon as a condition holds, and then set the event."""
    caused, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            if holds():
                cause()
                caused.set()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield caused
    finally:
        over.set()
        watcher.join()


def make_library(library: Library, songs: list[Path], instance: dg.DagsterInstance) -> None:
    """Add songs to an empty library and bring it up to date."""
    for song in songs:
        library.blobs.upload_file("soundtracks", song.name, song)
    run_library(library, instance)


def stored_audio(library: Library) -> set[AudioId]:
    return library.features.audio_with_cepstra(library.feature_parameters.cepstra)


def test_a_run_waits_for_storage_that_is_away(
    azure_library: Library, ten_songs: list[Path], blob_proxy: FaultyProxy, instance: dg.DagsterInstance
) -> None:
    for song in ten_songs:
        azure_library.blobs.upload_file("soundtracks", song.name, song)
    in_the_middle = len(blob_proxy.exchanges) + 60

    began = time.monotonic()
    with once(lambda: len(blob_proxy.exchanges) > in_the_middle, lambda: blob_proxy.go_away(AWAY_SECONDS)) as caused:
        run = run_library(azure_library, instance)

    assert caused.is_set()
    assert time.monotonic() - began > AWAY_SECONDS
    assert (run.work.cepstra, run.work.track_features, run.work.added, run.work.rows) == (10, 10, 10, 50)
    assert run.retries == [], "the store must wait, so that no step fails"
    assert stored_audio(azure_library) == set(azure_library.catalogue.track_ids_by_audio())
    assert azure_library.recommendations.unserved_soundtracks(str(azure_library.indexes.published_version()), 5) == {}


def test_an_upload_is_answered_while_storage_and_documents_are_throttled(
    azure_library: Library,
    ten_songs: list[Path],
    blob_proxy: FaultyProxy,
    cosmos_server: CosmosServer,
    instance: dg.DagsterInstance,
) -> None:
    make_library(azure_library, ten_songs[:SIX], instance)
    upload = drop_upload(azure_library, ten_songs[3], "query.flac")

    for method in ("GET", "HEAD", "PUT"):
        blob_proxy.answer_next(2, 503, retry_after="0", method=method)
        blob_proxy.answer_next(2, 429, retry_after="1", method=method)
    throttled = {"x-ms-retry-after-ms": "300"}
    cosmos_server.befall(
        *(Fault(method, "/docs", times=2, status=429, headers=throttled) for method in ("GET", "POST", "PATCH"))
    )
    run = run_uploads(azure_library, instance, [upload])

    assert run.retries == []
    assert azure_library.documents.get(upload).body["state"] == "ranked"
    assert [place.rank for place in azure_library.recommendations.recommended(upload)] == [1, 2, 3, 4, 5]
    assert len(list(azure_library.documents.find())) == 1
    assert [exchange.status for exchange in blob_proxy.exchanges].count(503) == 6


def test_only_one_of_two_daemons_answers_an_upload(
    azure_library: Library,
    ten_songs: list[Path],
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_library(azure_library, ten_songs[:SIX], instance)

    with ExitStack() as daemons:
        # A slow service makes an answer take long. So each daemon sees the upload before the other has answered it.
        monkeypatch.setenv("MFCC_RECOGNISERS", "audd,library,tags")
        slow = AudDDouble()
        slow.faults.extend([answers_late] * 10)
        monkeypatch.setenv("MFCC_AUDD_URL", daemons.enter_context(serving(slow)).url)
        monkeypatch.setenv(variable_of("audd-token"), secrets.token_hex(16))
        homes = [Settings(home=tmp_path / name) for name in ("one", "other")]
        # They are opened first. A daemon may fail if another process creates its databases at the same time.
        dagsters = [daemons.enter_context(dagster_of(settings)) for settings in homes]
        for settings in homes:
            daemons.enter_context(running_daemon(settings))
        wait_until(lambda: all(looks_for_uploads(dagster) for dagster in dagsters), homes)
        upload = drop_upload(azure_library, ten_songs[3], "query.flac")
        wait_until(lambda: has_answered(dagsters), homes)
        runs = [run for dagster in dagsters for run in dagster.get_runs(UPLOADS)]

    body = azure_library.documents.get(upload).body
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert (body["state"], len(list(azure_library.documents.find()))) == ("ranked", 1)
    assert body["run_id"] in {run.run_id for run in runs}
    assert writers_of_list(azure_library, upload) == [body["run_id"]] * 5, "the run of the document must write the list"


UPLOADS = dg.RunsFilter(job_name="uploads")
LATE_SECONDS = 9.0
"""A service that takes longer than this counts as unavailable."""


def answers_late(handler: Any) -> None:
    time.sleep(LATE_SECONDS)
    handler.send(200, json.dumps({"status": "success", "result": None}).encode())


@contextmanager
def dagster_of(settings: Settings) -> Iterator[dg.DagsterInstance]:
    home = str(prepare_dagster_home(settings))
    with pytest.MonkeyPatch.context() as patches:
        # The databases of Dagster lie in the home that the environment names when they are opened.
        patches.setenv("DAGSTER_HOME", home)
        instance = dg.DagsterInstance.from_config(home)
    with instance:
        yield instance


def looks_for_uploads(dagster: dg.DagsterInstance) -> bool:
    sensors = {state.instigator_name: state for state in dagster.all_instigator_state()}
    return "uploads_sensor" in sensors and bool(
        dagster.get_ticks(sensors["uploads_sensor"].instigator_origin_id, sensors["uploads_sensor"].selector_id)
    )


def has_answered(dagsters: Sequence[dg.DagsterInstance]) -> bool:
    runs = [run for dagster in dagsters for run in dagster.get_runs(UPLOADS)]
    return bool(runs) and all(run.is_finished for run in runs)


def writers_of_list(library: Library, query: str) -> list[str]:
    written_by = sa.select(RECOMMENDATIONS.c.RUN_ID).where(RECOMMENDATIONS.c.QUERY_ID.in_([query]))
    with library.database.reading() as connection:
        return list(connection.execute(written_by).scalars())


def wait_until(holds: Callable[[], bool], homes: list[Settings]) -> None:
    """Wait until a condition holds that daemons of these homes bring about. If it does not, show their logs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, [daemon_log(settings).read_text()[-3000:] for settings in homes]
        time.sleep(0.2)
