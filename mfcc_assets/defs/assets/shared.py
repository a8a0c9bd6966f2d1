"""What all assets share: how they are divided and retried, and how metadata is shown."""

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import dagster as dg

from mfcc_assets.defs.partitions import SHARDS, UPLOADS
from mfcc_assets.ids import shard_of, track_id
from mfcc_assets.pipeline.upload_document import UploadDocument

# A run costs about 6 CPU-seconds, a partition inside a run 40 ms an asset: few, fat runs.
_SINGLE_RUN = dg.BackfillPolicy.single_run()

# Bad files are rejects, so what fails a step is infrastructure: it is worth another try.
_RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

library_asset = partial(dg.asset, group_name="library", retry_policy=_RETRIES)
"""An asset of the whole library."""

soundtrack_asset = partial(library_asset, partitions_def=SHARDS, backfill_policy=_SINGLE_RUN)
"""An asset with a partition a shard."""

upload_asset = partial(
    dg.asset, group_name="uploads", retry_policy=_RETRIES, partitions_def=UPLOADS, backfill_policy=_SINGLE_RUN
)
"""An asset with a partition an upload."""

ROWS_SHOWN = 50
"""A table of ten thousand rows would make an event of a megabyte."""


def table_as_markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """A table of at most `ROWS_SHOWN` rows, with a line that counts the rest."""
    every_row = list(rows)
    lines = [_row(header), _row("---" for _ in header), *(_row(row) for row in every_row[:ROWS_SHOWN])]
    if len(every_row) > ROWS_SHOWN:
        lines += ["", f"… and {len(every_row) - ROWS_SHOWN:,} more"]
    return dg.MetadataValue.md("\n".join(lines) if every_row else "none")


def names_as_markdown(names: Mapping[str, Sequence[str]]) -> dg.MarkdownMetadataValue:
    """A table of names, each with what became of it."""
    return table_as_markdown(("name", "change"), [(name, change) for change, group in names.items() for name in group])


def add_counts(
    context: dg.AssetExecutionContext, outcomes: Mapping[str, str], kinds: Sequence[str], *, digits: int
) -> None:
    """Tell of each shard how many of its files came to what.

    Parameters
    ----------
    outcomes
        By file what became of it, one of `kinds`.
    digits
        Hex digits of a shard.
    """
    by_shard: dict[str, Counter[str]] = {}
    for name, outcome in outcomes.items():
        by_shard.setdefault(shard_of(track_id(name), digits), Counter())[outcome] += 1
    for shard in context.partition_keys:
        counts = by_shard.get(shard, Counter())
        context.add_asset_metadata({kind: counts[kind] for kind in kinds}, partition_key=shard)


def add_seconds(context: dg.AssetExecutionContext, seconds: Mapping[str, float], *, digits: int) -> None:
    """Tell of each shard how many seconds of audio its files came to; `seconds` are by file."""
    by_shard: dict[str, float] = {}
    for name, length in seconds.items():
        shard = shard_of(track_id(name), digits)
        by_shard[shard] = by_shard.get(shard, 0.0) + length
    for shard in context.partition_keys:
        context.add_asset_metadata({"seconds_of_audio": round(by_shard.get(shard, 0.0), 1)}, partition_key=shard)


def uploads_as_markdown(documents: Iterable[UploadDocument]) -> dg.MarkdownMetadataValue:
    """Return a table of uploads with the state, the recognised title and the failure of each."""
    return table_as_markdown(
        ("file", "state", "recognised as", "reason"),
        [
            (
                document.file_name,
                document.state,
                document.recognised.title if document.recognised else "",
                document.failure.reason if document.failure else "",
            )
            for document in documents
        ],
    )


def pictures_as_markdown(pictures: Iterable[bytes]) -> dg.MarkdownMetadataValue:
    """PNG pictures, one below the other."""
    encoded = (base64.b64encode(picture).decode() for picture in pictures)
    return dg.MetadataValue.md("\n\n".join(f"![](data:image/png;base64,{picture})" for picture in encoded) or "none")


def _row(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
