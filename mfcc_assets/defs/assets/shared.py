"""Code that all assets share: their partitions and retries, and functions that write metadata."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import dagster as dg

from mfcc_assets.defs.partitions import SHARDS, UPLOADS
from mfcc_assets.defs.private.one_library_run import LIBRARY_POOL
from mfcc_assets.ids import TrackId, shard_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.progress import Progress, Report, write_progress
from mfcc_assets.pipeline.rankings import ListsReport
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.storage.sql.records import RecommendedSoundtrack
from mfcc_assets.texts import printable

# A run costs far more than a further partition inside a run, so one run takes many partitions.
_SINGLE_RUN = dg.BackfillPolicy.single_run()

# Bad files become rejects and fail no step. A step fails by a fault of the infrastructure, so it is tried again.
_RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

# `dg launch` executes a range of shards in one run only if every asset of the job has the policy, partitioned or not.
library_asset = partial(
    dg.asset, group_name="library", retry_policy=_RETRIES, backfill_policy=_SINGLE_RUN, pool=LIBRARY_POOL
)
"""Decorator of an asset of the whole library."""

soundtrack_asset = partial(library_asset, partitions_def=SHARDS)
"""Decorator of an asset with one partition per shard."""

upload_asset = partial(
    dg.asset, group_name="uploads", retry_policy=_RETRIES, partitions_def=UPLOADS, backfill_policy=_SINGLE_RUN
)
"""Decorator of an asset with one partition per upload."""

LAST = {"dagster/priority": "-1"}
"""Tags of an asset that a run materialises after all others, because nothing of the run waits for it."""

SECONDS_BETWEEN_LOG_LINES = 10
SECONDS_BETWEEN_TAGS = 60

SECONDS_WITHOUT_PROGRESS = 86_400
"""Time after which a run hangs if it shows no progress. It is the longest run in `dagster.yaml`, too."""

PROGRESS_TAG, LIMIT_TAG = "mfcc/progress", "dagster/max_runtime"
"""Tags of a run: its progress, and the seconds after its start at which the daemon ends it."""

ROWS_SHOWN = 50
"""Largest number of rows in a table. Each table is part of an event in Dagster's database, which must stay small."""

NAMES_SHOWN = 20
"""Largest number of names of files in one row of a table."""


# Where they could mean something: underscores and colons within words are left as they are.
_MARKDOWN_SIGNS = re.compile(
    r"[\\`*\[\]<~|]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|:(?=//|[\w+-]+:)|(?<=\w)@(?=\w)|(?<=\bwww)\.", re.IGNORECASE
)


def table_as_markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """Return a table of at most `ROWS_SHOWN` rows, with a line that counts the rest."""
    every_row = list(rows)
    lines = [_row(header), _row("---" for _ in header), *(_row(row) for row in every_row[:ROWS_SHOWN])]
    if len(every_row) > ROWS_SHOWN:
        lines += ["", f"… and {len(every_row) - ROWS_SHOWN:,} more"]
    return dg.MetadataValue.md("\n".join(lines) if every_row else "none")


def column_as_markdown(header: str, cells: Iterable[object]) -> dg.MarkdownMetadataValue:
    """Return a table of one column."""
    return table_as_markdown((header,), [(cell,) for cell in cells])


def names_as_markdown(names: Mapping[str, Sequence[str]]) -> dg.MarkdownMetadataValue:
    """Return a table of names with the change of each; `names` holds the names by change."""
    return table_as_markdown(("name", "change"), [(name, change) for change, group in names.items() for name in group])


def skipped_as_markdown(names: Mapping[str, Sequence[str]]) -> dg.MarkdownMetadataValue:
    """Return a table with the number and the first names of each kind of file; `names` holds the names by kind."""
    rows = []
    for kind, group in sorted(names.items()):
        first = ", ".join(group[:NAMES_SHOWN]) + (", …" if len(group) > NAMES_SHOWN else "")
        rows.append((kind, len(group), first))
    return table_as_markdown(("skipped", "number", "names"), rows)


def add_counts(
    context: dg.AssetExecutionContext,
    outcomes: Mapping[str, str],
    kinds: Sequence[str],
    track_ids: Mapping[str, TrackId],
    *,
    digits: int,
) -> dict[str, int | str]:
    """Add to the metadata of each shard how many of its files had each outcome, and return the totals of all shards.

    Parameters
    ----------
    outcomes
        Outcome of each file, by name. Every outcome is one of `kinds`.
    kinds
        All possible outcomes.
    track_ids
        Id of the soundtrack of each file, by name.
    digits
        Number of hex digits that name a shard.
    """
    by_shard: dict[str, Counter[str]] = {}
    for name, outcome in outcomes.items():
        by_shard.setdefault(shard_of(track_ids[name], digits), Counter())[outcome] += 1
    for shard in context.partition_keys:
        counts = by_shard.get(shard, Counter())
        context.add_asset_metadata({kind: counts[kind] for kind in kinds}, partition_key=shard)
    totals = Counter(outcomes.values())
    return {
        "summary": f"{_shards(context)}: {len(outcomes):,} files, "
        + ", ".join(f"{totals[kind]:,} {kind}" for kind in kinds)
        + ".",
        **{f"total_{kind}": totals[kind] for kind in kinds},
    }


def add_seconds(
    context: dg.AssetExecutionContext, seconds: Mapping[str, float], track_ids: Mapping[str, TrackId], *, digits: int
) -> None:
    """Add to the metadata of each shard the total length of its files; the parameters are as for `add_counts`."""
    by_shard: dict[str, float] = {}
    for name, length in seconds.items():
        shard = shard_of(track_ids[name], digits)
        by_shard[shard] = by_shard.get(shard, 0.0) + length
    for shard in context.partition_keys:
        context.add_asset_metadata({"seconds_of_audio": round(by_shard.get(shard, 0.0), 1)}, partition_key=shard)


def add_lists(
    context: dg.AssetExecutionContext, reports: Iterable[tuple[str, ListsReport]], stored: str
) -> dict[str, int | str]:
    """Add to the metadata of each shard how many pairs were handled, and return the totals of all shards.

    Parameters
    ----------
    reports
        Report of each shard. It is computed while it is read.
    stored
        What is stored, such as ``candidates``.
    """
    totals = Counter[str]()
    for shard, report in reports:
        figures = {
            "dagster/row_count": report.kept,
            "pairs_computed": report.compared,
            "damaged_files_repaired": report.repaired,
        }
        context.add_asset_metadata(figures, partition_key=shard)
        totals.update(figures)
    kept, compared = totals["dagster/row_count"], totals["pairs_computed"]
    return {
        "summary": f"{_shards(context)}. Pairs of tracks that were compared: {compared:,}. Pairs stored: {kept:,}.",
        f"total_{stored}": kept,
        "total_pairs_computed": compared,
    }


def _shards(context: dg.AssetExecutionContext) -> str:
    """Return which shards the figures of a run are totals of."""
    run, every = len(context.partition_keys), len(SHARDS.get_partition_keys())
    return f"All {every} shards" if run == every else f"{run} of {every} shards"


def progress_log(context: dg.AssetExecutionContext, library: Library) -> Report:
    """Return a function that shows progress: in a file for other processes, in the log, and in a tag of the run.

    The tag is seen in Dagster's list of runs. With it the run gets another day: the daemon ends a run that shows no
    progress for `SECONDS_WITHOUT_PROGRESS`, which hangs, and lets one go on that works for many days.
    """
    last_line = last_tag = time.monotonic()
    has_tag = False

    def show(progress: Progress) -> None:
        nonlocal last_line, last_tag, has_tag
        write_progress(library.settings.progress_file, progress)
        if time.monotonic() - last_line > SECONDS_BETWEEN_LOG_LINES:
            last_line = time.monotonic()
            context.log.info(str(progress))
        # A tag must not tell for ever that a finished phase is at work.
        if time.monotonic() - last_tag > SECONDS_BETWEEN_TAGS or (has_tag and progress.is_complete):
            last_tag, has_tag = time.monotonic(), True
            _tag_run(context, progress)

    return show


def _tag_run(context: dg.AssetExecutionContext, progress: Progress) -> None:
    run_id = context.run.run_id
    (record,) = context.instance.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    began = record.start_time or time.time()
    limit = time.time() - began + SECONDS_WITHOUT_PROGRESS
    context.instance.add_run_tags(run_id, {PROGRESS_TAG: str(progress), LIMIT_TAG: str(round(limit))})


_STATES = {State.CANDIDATES: "candidates found", State.RANKED: "answered", State.FAILED: "no answer"}
"""The states of uploads that say too little by their own names."""


def uploads_as_markdown(documents: Iterable[UploadDocument]) -> dg.MarkdownMetadataValue:
    """Return a table of uploads with the state in words, the recognised title and the failure of each."""
    return table_as_markdown(
        ("file", "state", "recognised as", "reason"),
        [
            (
                document.file_name,
                _STATES.get(document.state, document.state),
                document.recognised.title if document.recognised else "",
                document.failure.reason if document.failure else "",
            )
            for document in documents
        ],
    )


def recommendations_as_table(rows: Iterable[RecommendedSoundtrack]) -> dg.TableMetadataValue:
    """Return the recommended tracks of a query as a table with rank, title, artist and distance."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "rank": row.rank,
                    "title": printable(row.title or row.blob_name),
                    "artist": printable(row.artist),
                    "distance": round(row.distance, 3),
                }
            )
            for row in rows
        ],
        dg.TableSchema(
            [
                dg.TableColumn("rank", "int"),
                dg.TableColumn("title", "string"),
                dg.TableColumn("artist", "string"),
                dg.TableColumn("distance", "float", "Corrected distance; 0 is the same sound."),
            ]
        ),
    )


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(_as_markdown(str(cell)) for cell in cells) + " |"


def _as_markdown(text: str) -> str:
    """Return Markdown that shows a text as it is, whatever it contains: no link, no picture, no HTML, no emphasis."""
    return _MARKDOWN_SIGNS.sub(r"\\\g<0>", printable(text))
