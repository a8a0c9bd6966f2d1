"""Compute the features of the soundtracks: the cepstra of every audio, and then its track features."""

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.port import Work, error_of
from mfcc_assets.errors import AudioError, TooLong, TooShort, UnreadableAudio, WorkFailed
from mfcc_assets.ids import NO_CONTENT, AudioId, TrackId, is_unread, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.analysed_bytes import AnalysedBytes, ByteAnalysis
from mfcc_assets.pipeline.failed_work import FailedWork, log_traceback
from mfcc_assets.pipeline.feature_repair import (
    record_checked_features,
    record_repair,
    remove_damaged_features,
    take_over_former_cepstra,
)
from mfcc_assets.pipeline.feature_work import ANALYSED, ANALYSIS, AUDIO, COMPUTED_FEATURES, FILES
from mfcc_assets.pipeline.progress import Report, Tally, begun_in, unseen
from mfcc_assets.pipeline.stages import files_of_stage
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import AudioContent, Reject, Soundtrack

FILES_PER_TRANSACTION = 100
SECONDS_PER_TRANSACTION = 10.0
"""What is recorded together: so many files, or those of so much time. A run that is killed analyses them again."""

COMPUTED, REUSED, UNCHANGED, REJECTED = "computed", "reused", "unchanged", "rejected"
WAITING = "waiting"

_BYTES_A_SECOND = {".aif": 176_400, ".aiff": 176_400, ".wav": 176_400, ".flac": 100_000, "": 24_000}
"""Usual size of a second of audio by the suffix of a file. The empty suffix stands for all others."""

_NOT_SHARED = WorkFailed(
    "its file is there, and the process that computes does not find it",
    remedy="Make the blobs available to all executors, at the same place as here",
)
_UNREADABLE = UnreadableAudio("the file may not be read", remedy="Change its permissions")


@dataclass
class AnalysisReport:
    """Results of analysing the soundtracks of some shards.

    Attributes
    ----------
    outcomes
        Outcome of each file: ``computed`` if its cepstra were computed, ``reused`` if the same audio was known from
        other bytes or another file, ``unchanged`` if the file had been analysed before, or has gone or changed since it
        was observed, ``rejected`` if it cannot be used, ``waiting`` if it belongs to a later stage.
    computed
        File whose cepstra were computed, by audio id.
    seconds
        Length of the audio of each of these files.
    rejects
        Files that cannot be used.
    notes
        Remarks for people on files that are used although something is wrong with them, and on damaged features.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    computed: dict[AudioId, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def first_computed(self, count: int) -> list[tuple[AudioId, str]]:
        """Return the audio id and the name of the first `count` computed files, in the order of their names."""
        return sorted(self.computed.items(), key=lambda item: item[1])[:count]


def analyse_soundtracks(
    library: Library,
    shards: Sequence[str],
    *,
    run_id: str,
    stage_size: int | None = None,
    report_progress: Report = unseen,
) -> AnalysisReport:
    """Compute the cepstra of every audio in these shards that has none yet.

    Cepstra that an older version of this program stored are written as a table first. Damaged features are deleted, and
    then computed like missing ones. The notes name them.

    The bytes of a file are read from its disk or from Azure once, for their digest and to decode them. A file is not
    decoded if its bytes are known from this or another file. A changed file is decoded to find out whether its audio
    has changed: if only its tags have, no features are computed. A file that cannot be used becomes a reject.

    Parameters
    ----------
    library
        The library.
    shards
        Shards whose soundtracks are analysed.
    run_id
        Run that rejects are attributed to.
    stage_size
        Largest number of contents that are analysed for the first time; the others wait for a later stage. None: all.
    report_progress
        Function that shows the progress: the files of all stages, and the time that all of them need.
    """
    parameters = library.feature_parameters.cepstra
    damaged = [*take_over_former_cepstra(library, report_progress), *remove_damaged_features(library, run_id)]
    soundtracks = library.catalogue.soundtracks(shards)
    present = library.features.audio_with_cepstra(parameters, run_id)
    waiting: dict[str, list[Soundtrack]] = {}
    for track in soundtracks:
        if track.analysed_digest != track.content_digest or (track.audio_id and track.audio_id not in present):
            waiting.setdefault(track.content_digest, []).append(track)
    context, digests = Context(library), [digest for digest in waiting if not is_unread(digest)]
    analysis = ByteAnalysis(context, library.catalogue.contents, digests, present)
    context.once(ANALYSIS, parameters.version, lambda: analysis)
    report = AnalysisReport(outcomes=dict.fromkeys((track.blob_name for track in soundtracks), UNCHANGED))
    report.notes += damaged
    stage = files_of_stage(waiting, stage_size)
    report.outcomes |= {
        track.blob_name: WAITING for digest, tracks in waiting.items() if digest not in stage for track in tracks
    }
    # The longest files come first. A track of an hour at the end would keep one core busy while the others wait.
    longest_first = sorted(
        (waiting[digest] for digest in stage), key=lambda tracks: (-_expected_seconds(tracks[0]), tracks[0].blob_name)
    )
    tally = Tally(
        report_progress,
        "Analysing audio",
        len(soundtracks),
        before=len(soundtracks) - sum(map(len, waiting.values())),
        rejects=sum(track.is_rejected and track.content_digest not in waiting for track in soundtracks),
        work=sum(tracks[0].bytes for tracks in waiting.values()),
        first=longest_first[0][0].blob_name if longest_first else "",
    )

    analyser = _Analyser(library, run_id, report, tally, analysis)
    to_analyse: dict[str, list[Soundtrack]] = {}
    for tracks in longest_first:
        digest = tracks[0].content_digest
        if digest == NO_CONTENT:
            analyser.commit(tracks, AnalysedBytes(NO_CONTENT, _UNREADABLE))
        elif (content := analysis.known(digest)) is not None:
            analyser.commit(tracks, AnalysedBytes(digest, content))
        else:
            to_analyse[digest] = tracks
    analyser.compute(context, to_analyse, present)
    return report


class _Analyser:
    """Lets an engine analyse files, and records what it finds."""

    def __init__(
        self, library: Library, run_id: str, report: AnalysisReport, tally: Tally, analysis: ByteAnalysis
    ) -> None:
        self._library, self._run_id, self._report, self._tally = library, run_id, report, tally
        self._page = _Page(library, analysis)

    def compute(self, context: Context, files: Mapping[str, Sequence[Soundtrack]], present: Container[AudioId]) -> None:
        """Analyse files, given by the soundtracks of each content digest. Some audio has its features already."""
        failed = FailedWork()
        work = Work(
            "mfcc_assets.pipeline.feature_work:analyse_files",
            settings_of_work(self._library.settings),
            self._library.feature_parameters.cepstra.version,
            ANALYSED,
        )
        items = _files_to_analyse(files, present, self._library.settings.shard_digits)
        begun = begun_in(self._tally, {digest: tracks[0].blob_name for digest, tracks in files.items()})
        try:
            for batch in compute_of(context).run(work, items, begun):
                for row in batch.to_pylist():
                    tracks = files[row["key"]]
                    if (error := error_of(row)) is not None:
                        log_traceback(row)
                        failed.add(error, tracks[0].blob_name)
                    elif row["gone"] and (unseen_there := self._present_here(tracks)):
                        failed.add(_NOT_SHARED, unseen_there)
                    else:
                        self.commit(tracks, _analysed_in(row))
        finally:
            self._page.record()
            if files:
                self._library.features.cepstra_were_written(self._library.feature_parameters.cepstra)
        failed.raise_first()

    def _present_here(self, tracks: Sequence[Soundtrack]) -> str:
        """Return the name of the first of some soundtracks whose file is there; an empty text if none is."""
        names = (track.blob_name for track in tracks)
        return next((name for name in names if self._library.blobs.exists(SOUNDTRACKS, name)), "")

    def commit(self, tracks: Sequence[Soundtrack], outcome: AnalysedBytes | None) -> None:
        """Record the outcome for all soundtracks of one content. There is none if all of them have gone."""
        report, names = self._report, [track.blob_name for track in tracks]
        content = outcome and outcome.audio
        if outcome is not None and isinstance(content, AudioError):
            report.rejects += [_reject(self._library, track, outcome.digest, content, self._run_id) for track in tracks]
            report.outcomes |= dict.fromkeys(names, REJECTED)
        elif outcome is not None and isinstance(content, AudioContent):
            self._page.add(content, tracks)
            report.notes += [f"{name}: {content.note}" for name in names if content.note]
            report.outcomes |= dict.fromkeys(names, REUSED)
            # Two executors may have computed the same audio.
            if outcome.computed and content.audio_id not in report.computed:
                report.outcomes[names[0]] = COMPUTED
                report.computed[content.audio_id] = names[0]
                report.seconds[names[0]] = content.seconds
        self._tally.end(names[0], files=len(names), work=tracks[0].bytes, rejected=isinstance(content, AudioError))


def _files_to_analyse(
    files: Mapping[str, Sequence[Soundtrack]], present: Container[AudioId], shard_digits: int
) -> pa.Table:
    every = list(files.values())
    columns = {
        "key": list(files),
        "shard": [shard_of(tracks[0].track_id, shard_digits) for tracks in every],
        "cost": [_expected_seconds(tracks[0]) for tracks in every],
        "names": [[track.blob_name for track in tracks] for tracks in every],
        "audio_ids": [[track.audio_id if track.audio_id in present else None for track in tracks] for tracks in every],
        "seconds": [[track.seconds or 0.0 for track in tracks] for tracks in every],
        "notes": [[track.note for track in tracks] for tracks in every],
    }
    return pa.table(columns, schema=FILES)


def _expected_seconds(track: Soundtrack) -> float:
    """Return how long a file plays, as far as its name and its size tell if that is not known yet."""
    if track.seconds:
        return track.seconds
    return track.bytes / _BYTES_A_SECOND.get(PurePosixPath(track.blob_name).suffix.lower(), _BYTES_A_SECOND[""])


def _analysed_in(row: Mapping[str, Any]) -> AnalysedBytes | None:
    """Return what a result says of the bytes of a file. None if they have gone."""
    if row["digest"] is None:
        return None
    if fault := row["fault"]:
        error = error_of({"error_code": fault["code"], "error": {**fault, "subject": ""}})
        assert isinstance(error, AudioError)
        return AnalysedBytes(row["digest"], error)
    content = AudioContent(row["digest"], AudioId(row["audio_id"]), row["seconds"], row["note"])
    return AnalysedBytes(row["digest"], content, computed=row["computed"])


class _Page:
    """Contents that are recorded together, because a transaction of a remote database takes about 10 ms."""

    def __init__(self, library: Library, analysis: ByteAnalysis) -> None:
        self._library, self._analysis = library, analysis
        self._contents: dict[TrackId, AudioContent] = {}
        self._began = time.monotonic()

    def add(self, content: AudioContent, tracks: Sequence[Soundtrack]) -> None:
        self._contents |= {track.track_id: content for track in tracks}
        is_full = len(self._contents) >= FILES_PER_TRANSACTION
        if is_full or time.monotonic() - self._began > SECONDS_PER_TRANSACTION:
            self.record()

    def record(self) -> None:
        self._library.catalogue.record_contents(self._contents)
        self._analysis.forget_recorded(self._contents.values())
        self._contents, self._began = {}, time.monotonic()


def compute_features_of_soundtracks(
    library: Library, shards: Sequence[str], *, run_id: str = "", report_progress: Report = unseen
) -> dict[str, str]:
    """Compute the track features of every audio in these shards that has none yet, and report the progress.

    Parameters
    ----------
    library
        The library.
    shards
        Shards whose soundtracks get track features.
    run_id
        Id of the run, whose steps share one listing of what is stored.
    report_progress
        Function that shows the progress.

    Returns
    -------
    dict
        Outcome of each file: ``computed`` or ``unchanged``. If several files have the same audio, only the first is
        listed.

    Raises
    ------
    FeaturesMissing
        If cepstra of these parameters are missing. The error says what to backfill.
    """
    parameters = library.feature_parameters
    present = library.features.audio_with_track_features(parameters, run_id)
    soundtracks = {track.audio_id: track for track in reversed(library.catalogue.soundtracks(shards)) if track.audio_id}
    names: dict[str, str] = {audio_id: track.blob_name for audio_id, track in soundtracks.items()}
    missing = [audio_id for audio_id in soundtracks if audio_id not in present]
    tally = Tally(report_progress, "Computing track features", len(missing))
    digits = library.settings.shard_digits
    columns = {
        "key": missing,
        "shard": [shard_of(soundtracks[audio_id].track_id, digits) for audio_id in missing],
        "cost": [soundtracks[audio_id].seconds or 0.0 for audio_id in missing],
        "name": [names[audio_id] for audio_id in missing],
    }
    work = Work(
        "mfcc_assets.pipeline.feature_work:features_of_audio",
        settings_of_work(library.settings),
        parameters.version,
        COMPUTED_FEATURES,
    )
    failed = FailedWork()
    try:
        for batch in compute_of(Context(library)).run(work, pa.table(columns, schema=AUDIO), begun_in(tally, names)):
            for row in batch.to_pylist():
                name = names[row["key"]]
                if row["repair"]:
                    record_repair(library, row["repair"])
                if (error := error_of(row)) is not None:
                    failed.add(error, name)
                tally.end(name)
    finally:
        if missing:
            library.features.track_features_were_written(parameters)
    failed.raise_first()
    record_checked_features(library, run_id)
    return {name: UNCHANGED if audio_id in present else COMPUTED for audio_id, name in names.items()}


def _reject(library: Library, track: Soundtrack, digest: str, error: AudioError, run_id: str) -> Reject:
    # The same bytes may have several names, and each reject names its own file.
    reason = str(type(error)(error.what, subject=shown_name(track.blob_name), remedy=error.remedy))
    reject = Reject(track.track_id, SOUNDTRACKS, track.blob_name, error.code, reason)
    # The limits on length are settings that may change, and checking the length again is cheap.
    lasting = not isinstance(error, TooShort | TooLong)
    library.catalogue.record_reject(reject, run_id=run_id, content_digest=digest if lasting else None)
    return reject
