"""The costs of Dagster: runs without work, a run for one new track, and the time from an upload to its rows."""

import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import numpy as np
import soundfile
from matplotlib.figure import Figure

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.defs.launch import LIBRARY_JOB, dagster_environment, prepare_dagster_home, range_tags, running_daemon
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.pipeline.upload_register import register_of
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import ChildUsage, Measured, of_child
from mfcc_assets_tests.benchmarks.report import Section

TRACKS = 1000
TRACK_SECONDS = 2.0
RUNS = 4
LARGEST_RATIO = 1.2

UPLOADS = 20
UPLOAD_SECONDS = 20.0
MEAN_GAP_SECONDS = 7.5
PATIENCE_SECONDS = 60.0
LONGEST_MEDIAN_SECONDS = 10.0

NOTHING, EMPTY, UNCHANGED, ONE_MORE = (
    "an asset that does nothing",
    "the library's job, empty library",
    f"the library's job, {TRACKS:,} tracks unchanged",
    f"the library's job, one new track beside {TRACKS:,}",
)
PHASES = ("sensor", "queue", "process starts", "cepstra, recognition", "candidates", "ranking, rows")


def measure(corpus: Corpus) -> Section:
    section = Section("Orchestration")
    with tempfile.TemporaryDirectory(dir=corpus.work) as folder:
        library = Library(Settings(home=Path(folder, "library")))
        first = _first_run(library, Path(folder))
        _describe_runs(section, library, Path(folder), first)
        with library:
            _describe_uploads(section, _answered_uploads(library, Path(folder)))
    return section


def _first_run(library: Library, folder: Path) -> ChildUsage:
    songs = folder / "songs"
    songs.mkdir()

    def write(seed: int) -> None:
        path = write_music(songs / f"{seed:04}.flac", TRACK_SECONDS, seed=seed, sample_rate=22_050)
        library.blobs.upload_file("soundtracks", path.name, path)

    for _ in on_all_cores(write, range(TRACKS)):
        pass
    return _run(library.settings)


def _run(settings: Settings, module: str = "mfcc_assets.definitions", job: str = LIBRARY_JOB) -> ChildUsage:
    """Measure a run in its own process, started as `mfcc add` starts it."""
    quiet = prepare_dagster_home(settings) / "quiet.yaml"
    quiet.write_text("loggers: {console: {config: {log_level: CRITICAL}}}\n")
    tags = range_tags("0", "f") if job == LIBRARY_JOB else {}
    options = ["-m", module, "-j", job, "--tags", json.dumps(tags), "--config", str(quiet)]
    return of_child(["-W", "ignore", "-m", "dagster", "job", "execute", *options], dagster_environment(settings))


def _describe_runs(section: Section, library: Library, folder: Path, first: ChildUsage) -> None:
    empty = Settings(home=folder / "empty")
    contestants: Mapping[str, tuple[Settings, str, str]] = {
        NOTHING: (empty, "mfcc_assets_tests.benchmarks.idle", "idle"),
        EMPTY: (empty, "mfcc_assets.definitions", LIBRARY_JOB),
        UNCHANGED: (library.settings, "mfcc_assets.definitions", LIBRARY_JOB),
    }
    for contestant in contestants.values():
        _run(*contestant)  # the first run creates databases and pictures
    usages: dict[str, list[ChildUsage]] = {name: [] for name in contestants}
    for _ in range(RUNS):
        for name, contestant in contestants.items():
            usages[name].append(_run(*contestant))

    more = write_music(folder / "one more.flac", TRACK_SECONDS, seed=TRACKS, sample_rate=22_050)
    library.blobs.upload_file("soundtracks", more.name, more)
    usages[ONE_MORE] = [_run(library.settings)]

    medians = {name: _median(found) for name, found in usages.items()}
    nothing = medians[NOTHING]
    ratios = {name: (cpu / nothing[0], wall / nothing[1]) for name, (cpu, wall) in medians.items()}
    reached = max(ratios[UNCHANGED]) <= LARGEST_RATIO
    section.text(
        f"**Runs without work.** The target is that a run over an unchanged library of {TRACKS:,} tracks costs at most "
        f"{LARGEST_RATIO} times as much as a run that does nothing. The latter uses the same command and the same "
        "package, and its job has one asset that returns at once. Result: "
        f"{ratios[UNCHANGED][0]:.2f} times its CPU time and {ratios[UNCHANGED][1]:.2f} times its time, "
        f"**{'reached' if reached else 'missed'}**. Compared with the same job over an empty library, the run takes "
        f"{medians[UNCHANGED][0] / medians[EMPTY][0]:.2f} times the CPU time and "
        f"{medians[UNCHANGED][1] / medians[EMPTY][1]:.2f} times the time. The remaining difference is the work of "
        "Dagster for ten assets and six checks over sixteen shards. The first run, which analysed all tracks, took "
        f"{first.seconds:.0f} s."
    )
    section.table(
        ("run", "CPU time", "time", "CPU time, relative", "time, relative"),
        [
            (
                name,
                Measured(tuple(usage.cpu_seconds for usage in found)),
                Measured(tuple(usage.seconds for usage in found)),
                *(f"{ratio:.2f}" for ratio in ratios[name]),
            )
            for name, found in usages.items()
        ],
    )
    section.text(
        "**One new track.** The table shows what the run for one new track computed, according to the metadata of its "
        "materialisations. A pair is a query and one of its candidates."
    )
    work = _work_of_last_run(library.settings)
    section.table(("", "computed", "in the library"), [(name, *figures) for name, figures in work.items()])


def _median(usages: Sequence[ChildUsage]) -> tuple[float, float]:
    return statistics.median(usage.cpu_seconds for usage in usages), statistics.median(
        usage.seconds for usage in usages
    )


def _work_of_last_run(settings: Settings) -> dict[str, tuple[str, str]]:
    with _instance(settings) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name=LIBRARY_JOB), limit=1)
        events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)

    def total(asset: str, *names: str) -> int:
        materialisations = [event.asset_materialization for event in events]
        figures = [
            found.metadata[name].value
            for found in materialisations
            if found is not None and found.asset_key == dg.AssetKey(asset)
            for name in names
        ]
        return sum(int(str(figure)) for figure in figures)

    tracks = total("prefilter_index", "dagster/row_count")
    pairs = total("soundtrack_rankings", "dagster/row_count")
    return {
        "cepstra": (f"{total('soundtrack_cepstra', 'computed'):,}", f"{tracks:,}"),
        "track features": (f"{total('soundtrack_summaries', 'computed'):,}", f"{tracks:,}"),
        "rows of the index": (f"{total('prefilter_index', 'added'):,}", f"{tracks:,}"),
        "pairs compared in full": (f"{total('soundtrack_rankings', 'pairs_computed'):,}", f"{pairs:,}"),
        "rows of recommendations": (
            f"{total('soundtrack_recommendations', 'rows_written'):,}",
            f"{tracks * settings.recommendations:,}",
        ),
    }


@dataclass(frozen=True)
class Answered:
    """The time of each phase of an upload, and the number of uploads in its run."""

    phases: tuple[float, ...]
    together: int

    @property
    def seconds(self) -> float:
        return sum(self.phases)


def _answered_uploads(library: Library, folder: Path) -> list[Answered]:
    """Upload excerpts of real music at random moments, and wait until a real daemon has answered all of them."""
    sources = [Path(str(file)) for file in files("mfcc_assets").joinpath("demo", "uploads").iterdir()]
    rng = random.Random(20)
    excerpts = [
        _excerpt(sources[number % len(sources)], folder / f"upload-{number}.flac", rng) for number in range(UPLOADS)
    ]
    uploads: list[UploadId] = []
    with running_daemon(library.settings):
        _wait_for_first_tick(library.settings)
        for excerpt in excerpts:
            blob = library.blobs.upload_file("uploads", excerpt.name, excerpt)
            uploads.append(register_of(library).upload_of(blob))
            time.sleep(rng.expovariate(1 / MEAN_GAP_SECONDS))
        _wait_until_answered(library, uploads)
    documents = {document.id: UploadDocument.of(document.body) for document in library.documents.find()}
    with _instance(library.settings) as instance:
        times = {run: _times_of_run(instance, run) for run in {documents[upload].run_id for upload in uploads}}
    runs = [documents[upload].run_id for upload in uploads]
    return [
        _answered(documents[upload], times[run], runs.count(run)) for upload, run in zip(uploads, runs, strict=True)
    ]


def _excerpt(source: Path, target: Path, rng: random.Random) -> Path:
    signal, rate = soundfile.read(source)
    length = min(len(signal), round(UPLOAD_SECONDS * rate))
    start = rng.randrange(len(signal) - length + 1)
    soundfile.write(target, signal[start : start + length], rate)
    return target


def _wait_for_first_tick(settings: Settings) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with _instance(settings) as instance:
        while not any(
            state.instigator_data is not None and getattr(state.instigator_data, "cursor", None)
            for state in instance.all_instigator_state()
            if state.instigator_name == "uploads_sensor"
        ):
            if time.monotonic() > deadline:
                raise TimeoutError("The daemon does not evaluate the sensor.")
            time.sleep(0.5)


def _wait_until_answered(library: Library, uploads: Sequence[UploadId]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        states = {document.id: document.body["state"] for document in library.documents.find()}
        if all(states.get(upload) in (State.RANKED, State.FAILED) for upload in uploads):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"No answer for {[upload for upload in uploads if states.get(upload) != State.RANKED]}")
        time.sleep(0.5)


def _times_of_run(instance: dg.DagsterInstance, run_id: str) -> tuple[float, float, float]:
    """Return when a run was requested, when it left the queue, and when its process began, in seconds since 1970."""
    (record,) = instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    (dequeued,) = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_STARTING)
    (begun,) = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_START)
    return record.create_timestamp.timestamp(), dequeued.timestamp, begun.timestamp


def _answered(document: UploadDocument, times_of_run: tuple[float, float, float], together: int) -> Answered:
    if document.state is not State.RANKED:
        raise RuntimeError(f"An upload failed: {document}")
    arrived = datetime.fromisoformat(document.received).timestamp()
    reached = {state: datetime.fromisoformat(moment).timestamp() for state, moment in document.times.items()}
    asked, dequeued, begun = times_of_run
    states = (State.RECOGNISED, State.CANDIDATES, State.RANKED)
    moments = [arrived, asked, dequeued, begun, *(reached[state] for state in states)]
    assert reached[State.RECEIVED] >= begun
    return Answered(tuple(np.diff(moments).tolist()), together)


def _describe_uploads(section: Section, answered: Sequence[Answered]) -> None:
    waited = np.array([upload.seconds for upload in answered])
    p50, p95 = np.percentile(waited, [50, 95])
    phases = np.median([upload.phases for upload in answered], axis=0)
    alone = sum(upload.together == 1 for upload in answered)
    section.text(
        f"**From an upload to its rows in SQL.** {len(answered)} excerpts of real music, each of {UPLOAD_SECONDS:.0f} "
        f"s, were copied into the container at random (seeded) times, {MEAN_GAP_SECONDS:g} s apart on average, while a "
        f"real daemon with its sensors served the library of {TRACKS:,} tracks. The target is a median of at most "
        f"{LONGEST_MEDIAN_SECONDS:.0f} s. Result: median **{p50:.1f} s**, 95th percentile **{p95:.1f} s**, minimum "
        f"{waited.min():.1f} s, maximum {waited.max():.1f} s, "
        f"**{'reached' if p50 <= LONGEST_MEDIAN_SECONDS else 'missed'}**. {alone} uploads had their own run. The "
        "others arrived during the same look of the sensor as another upload and shared its run. The times come from "
        "Dagster and from the documents of the uploads."
    )
    section.table(
        ("phase", "median", "95th percentile"),
        [
            (name, f"{median:.2f} s", f"{np.percentile([upload.phases[number] for upload in answered], 95):.2f} s")
            for number, (name, median) in enumerate(zip(PHASES, phases, strict=True))
        ],
    )
    section.plot(_plot(answered), "orchestration", "Time of each phase for each upload, ordered by total time.")


def _plot(answered: Sequence[Answered]) -> Figure:
    figure = Figure(figsize=(9, 3.6))
    axes = figure.add_subplot()
    ordered = sorted(answered, key=lambda upload: upload.seconds)
    bottom = np.zeros(len(ordered))
    for number, name in enumerate(PHASES):
        heights = np.array([upload.phases[number] for upload in ordered])
        axes.bar(range(len(ordered)), heights, bottom=bottom, label=name)
        bottom += heights
    axes.axhline(LONGEST_MEDIAN_SECONDS, color="black", linewidth=0.8, linestyle="--")
    axes.set_xticks([])
    axes.set_ylabel("seconds")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@contextmanager
def _instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with patch.dict(os.environ, DAGSTER_HOME=str(settings.dagster_home)), dg.DagsterInstance.get() as instance:
        yield instance
