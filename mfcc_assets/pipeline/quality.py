"""Quality of the rankings of an index, measured with the tags of the library."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.compute.port import Work
from mfcc_assets.credits import ArtistNames, albums_of
from mfcc_assets.errors import MfccError, NoPublishedIndex
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.evaluation.metrics import (
    EVALUATED_COUNT,
    Hubness,
    Precision,
    recall,
)
from mfcc_assets.evaluation.row_metrics import RowLists, codes_of, hubness_of, precision_of
from mfcc_assets.ids import AudioId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline import list_work
from mfcc_assets.pipeline.failed_work import FailedWork, name_of_audio, succeeded
from mfcc_assets.pipeline.file_classes import (
    FileClass,
    classes_of_bit_rates,
    classes_of_formats,
    of_own_file_class,
)
from mfcc_assets.pipeline.list_plans import known_columns
from mfcc_assets.pipeline.present_lists import is_in_library, present_lists
from mfcc_assets.pipeline.recordings import Recordings, recordings_of
from mfcc_assets.pipeline.run_credits import credits_in_run
from mfcc_assets.pipeline.stored_rankings import required_lists
from mfcc_assets.plots.history import history
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.spellings import one_artist
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.secrets.signing_key import local_signing_key
from mfcc_assets.storage.sql.records import Credit

if TYPE_CHECKING:
    from mfcc_assets.evaluation.labelled import LabelledSet

OTHER_ALBUMS = "other_albums_"
"""Prefix of the names of figures that leave out other tracks of the query's album."""

_CURVES = {
    "precision at 5": "at_5",
    "precision without own album": f"{OTHER_ALBUMS}at_5",
    "hit among 5": "hit_at_5",
    "never recommended": "never_recommended",
    "recall of the search": RECALL,
}
"""Names of the figures in the picture of the history, by the label of their curve."""

_MAXIMUM_VERSIONS_SHOWN = 30
_SHORT_VERSION_LENGTH = 6

_PAIRS_PROVEN = 50_000
"""Number of pairs of tracks by which the recall of an index is measured. In a library of 500 tracks, this makes a
hundred queries."""

_MINIMUM_QUERIES = 10
"""Smallest number of queries by which the recall is measured, however large the library is."""


@dataclass(frozen=True)
class Quality:
    """Figures of the rankings of an index.

    Attributes
    ----------
    precision
        Precision by artist, or None if too few tracks have an artist in their tags.
    other_albums
        The same precision without other tracks of the query's album. These share the mastering of the query, which any
        method detects.
    hubness
        How unevenly the rankings spread their recommendations.
    recall
        Share of the truly nearest tracks that the rankings contain: see `measured_recall`. It is None if the rankings
        of some shards are missing.
    formats, bit_rates
        Classes of the library's files. They show whether recommendations follow the format or the bit rate.
    """

    precision: Precision | None
    other_albums: Precision | None
    hubness: Hubness
    recall: float | None
    formats: list[FileClass]
    bit_rates: list[FileClass]

    @property
    def figures(self) -> dict[str, float | None]:
        """Every figure, by the name under which it is stored with the index."""
        of_precision = asdict(self.precision) if self.precision else {}
        of_others = asdict(self.other_albums) if self.other_albums else {}
        of_files = {"format": of_own_file_class(self.formats), "bit_rate": of_own_file_class(self.bit_rates)}
        return {
            **of_precision,
            **{f"{OTHER_ALBUMS}{name}": figure for name, figure in of_others.items()},
            **asdict(self.hubness),
            **{
                f"{name}_{figure}": share
                for name, own in of_files.items()
                if own
                for figure, share in (("same", own.same), ("same_by_chance", own.by_chance))
            },
            RECALL: self.recall,
        }


@dataclass(frozen=True)
class MeasuredPublication:
    """The measured figures of an index that was published.

    Attributes
    ----------
    version
        Version of the index.
    published_at
        Time of the publication in UTC.
    figures
        The figures by name; empty if none were measured.
    """

    version: str
    published_at: datetime
    figures: Mapping[str, float | None]


def quality_history(library: Library) -> list[MeasuredPublication]:
    """Return the measured figures of the last published indexes, the oldest first.

    Raises
    ------
    CorruptIndex
        If nobody knows what was published.
    """
    return [
        MeasuredPublication(each.version, each.published_at, library.indexes.read_quality(each.version))
        for each in library.indexes.history()[-_MAXIMUM_VERSIONS_SHOWN:]
    ]


def labelled_set(library: Library, folder: Path, tracks: Sequence[LabelledTrack]) -> "LabelledSet":
    """Return a labelled set whose features are computed with the settings of a library.

    The features are stored in a folder of their own below the library's home. The library itself is not changed.
    """
    settings = library.settings
    home = settings.folder / "evaluation"
    store = FeatureStore(LocalBlobs(home / "blobs", partial(local_signing_key, home)))
    from mfcc_assets.evaluation.labelled import LabelledSet

    return LabelledSet(
        store, folder, tracks, parameters=library.feature_parameters, limits=library.limits, for_each=on_all_cores
    )


def measure_quality(library: Library, version: str, *, run_id: str = "") -> Quality:
    """Measure the rankings of an index over all shards, and store the figures with the index.

    The steps of a run share one reading of the credits, if its id is given. The recall is measured once for each
    calibration, and is valid for all indexes that share it.
    """
    index = library.indexes.read(version)
    recordings = recordings_of(library, index)
    lists = present_lists(library, version, recordings, is_in_library(library, recordings.tracks))
    recall = _known_recall(library, index)
    if recall is None:
        # A run over some shards leaves out the rankings of the others, and another check says so.
        with suppress(NoPublishedIndex):
            recall = measured_recall(library, index)
    credited = credits_of_queries(credits_in_run(library, run_id), lists, recordings)
    names = ArtistNames(credit for credit in credited if credit)
    artists = codes_of(_one_spelling([names.main(credit) if credit else None for credit in credited]))
    albums = codes_of(
        " by ".join(found[0]) if credit and (found := albums_of(credit, names.of(credit))) else None
        for credit in credited
    )
    quality = Quality(
        precision_of(lists, artists),
        precision_of(lists, artists, albums),
        hubness_of(lists),
        recall,
        classes_of_formats(lists, credited),
        classes_of_bit_rates(lists, credited),
    )
    library.indexes.write_quality(version, quality.figures)
    return quality


def _one_spelling(names: Sequence[str | None]) -> list[str | None]:
    """Return each name in the spelling that counts for it; None for names that are empty."""
    one = one_artist(name for name in names if name)
    return [one[name] if name else None for name in names]


def picture_of_history(library: Library, version: str) -> bytes:
    """Return a PNG of the figures of every published index, followed by an index that was measured since.

    The picture is drawn once for each history and then stored, since importing matplotlib and drawing take long.
    """
    versions = [publication.version for publication in library.indexes.history()]
    if not versions or versions[-1] != version:
        versions.append(version)
    shown = [(name, library.indexes.read_quality(name)) for name in versions[-_MAXIMUM_VERSIONS_SHOWN:]]
    points = [(name[:_SHORT_VERSION_LENGTH], measured) for name, measured in shown if measured]
    digest = hashlib.blake2b(json.dumps(points).encode(), digest_size=8).hexdigest()

    def draw() -> bytes:
        figures = {
            label: [measured.get(name) for _, measured in points]
            for label, name in _CURVES.items()
            if any(name in measured for _, measured in points)
        }
        return history([name for name, _ in points], figures, "Quality of the published indexes and of the newest one")

    return library.indexes.drawn_once(version, f"history-{digest}.png", draw)


def credits_of_queries(
    credited: Mapping[AudioId, Credit], lists: RowLists, recordings: Recordings
) -> list[Credit | None]:
    """Return the credit (tracks,) of each query of some lists, and None for all other tracks."""
    found: list[Credit | None] = [None] * len(lists.rows)
    for row, credit in zip(recordings.tracks.rows(list(credited)).tolist(), credited.values(), strict=True):
        if row >= 0 and lists.is_query[row]:
            found[row] = credit
    return found


def _known_recall(library: Library, index: LibraryIndex) -> float | None:
    """Return the recall that was measured with the calibration of an index, or None if there is none yet."""
    published = library.indexes.published_if_usable()
    for former in (index, published):
        if (
            former is not None
            and former.is_calibrated_as(index)
            and (recall := library.indexes.read_quality(former.version).get(RECALL)) is not None
        ):
            return recall
    return None


def measured_recall(library: Library, index: LibraryIndex) -> float:
    """Return the share of the truly nearest tracks that the stored rankings contain, over a sample of the library.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    """
    tracks = list(index.tracks)
    queries = min(len(tracks), max(_MINIMUM_QUERIES, _PAIRS_PROVEN // max(1, len(tracks))))
    # Audio ids are digests. Evenly spaced ids are therefore a random sample, and the same one each time.
    sample = set(tracks[:: max(1, len(tracks) // max(1, queries))])
    found = {
        audio_id: lists.list_of(number)[:EVALUATED_COUNT]
        for shard in library.shards
        for lists in [required_lists(library, "rankings", index.version, shard)]
        for number, audio_id in enumerate(lists.queries)
        if audio_id in sample
    }
    truth = _truly_nearest(library, index, found)
    return recall(_without_distances(truth), _without_distances(found))


def _truly_nearest(
    library: Library, index: LibraryIndex, found: Mapping[AudioId, RankedList]
) -> dict[AudioId, RankedList]:
    """Return the truly nearest tracks of some queries, by the audio id of the query; `found` has their rankings."""
    # Executors read what this has found.
    recordings_of(library, index)
    queries, digits = list(found), library.settings.shard_digits
    columns = {
        "key": queries,
        "shard": [shard_of(index.tracks[audio_id], digits) for audio_id in queries],
        # Each is compared with all recordings, so the lengths of these make no difference.
        "cost": index.coarse_contours.lengths(index.rows_of(queries)).astype(float),
        "row": index.rows_of(queries),
        "candidates": pa.nulls(len(queries), pa.list_(pa.int64())),
        **known_columns(index, found.values()),
    }
    settings = settings_of_work(library.settings)
    work = Work(f"{list_work.__name__}:prove_nearest", settings, index.version, list_work.RANKED)
    failed, nearest = FailedWork(), dict[AudioId, RankedList]()
    results = compute_of(Context(library, index)).run(work, pa.table(columns, schema=list_work.TO_RANK))

    def add(audio_id: str, error: MfccError) -> None:
        failed.add(error, name_of_audio(library, AudioId(audio_id)))

    for batch in succeeded(results, add):
        nearest |= list_work.rankings_in(index, pa.Table.from_batches([batch]))
    failed.raise_first()
    return nearest


def _without_distances(ranked: dict[AudioId, RankedList]) -> dict[AudioId, list[AudioId]]:
    return {query: [audio_id for audio_id, _ in found] for query, found in ranked.items()}
