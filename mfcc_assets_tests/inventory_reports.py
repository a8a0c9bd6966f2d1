"""Reports of Azure's Blob inventory in the published format, which tests write to the container `cepstra`."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from mfcc_assets.storage.blobs.port import CEPSTRA, SOUNDTRACKS, Blob, BlobStore

RULE = "soundtracks"
COLUMNS = ("Name", "Creation-Time", "Last-Modified", "Content-Length", "Etag", "BlobType")


def write_report(
    blobs: BlobStore,
    found: Iterable[Blob],
    *,
    began: datetime | None = None,
    kind: Literal["csv", "parquet"] = "csv",
    files: int = 1,
    rule: dict[str, Any] | None = None,
    content: bytes | None = None,
    **manifest: Any,
) -> str:
    """Write a report on the container `soundtracks`, and return the name of its manifest.

    Parameters
    ----------
    blobs
        Store of the report.
    found
        The blobs that the report names.
    began
        When it began. By default now.
    kind
        Format of its files.
    files
        Number of its files.
    rule
        Parts of the definition of the rule that differ.
    content
        Content of each file. By default the rows of the blobs.
    manifest
        Parts of the manifest that differ.
    """
    began = began or datetime.now(UTC)
    folder = f"{began:%Y/%m/%d/%H-%M-%S}/{RULE}"
    rows = [_row(blob) for blob in found]
    parts = {f"{folder}/{RULE}_{number}.{kind}": rows[number::files] for number in range(files)}
    written_as = _csv if kind == "csv" else _parquet
    contents = {name: written_as(part) if content is None else content for name, part in parts.items()}
    for name, each in contents.items():
        blobs.write(CEPSTRA, name, each)
    written = {
        "destinationContainer": CEPSTRA,
        "endpoint": "https://account.blob.core.windows.net",
        "files": [{"blob": name, "size": len(each)} for name, each in contents.items()],
        "inventoryCompletionTime": f"{began + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}",
        "inventoryStartTime": f"{began:%Y-%m-%dT%H:%M:%SZ}",
        "ruleDefinition": {
            "filters": {
                "blobTypes": ["blockBlob"],
                "includeBlobVersions": False,
                "includeSnapshots": False,
                "prefixMatch": [f"{SOUNDTRACKS}/"],
            },
            "format": kind,
            "objectType": "blob",
            "schedule": "daily",
            "schemaFields": COLUMNS,
            **(rule or {}),
        },
        "ruleName": RULE,
        "status": "Succeeded",
        "summary": {"objectCount": len(rows), "totalObjectSize": sum(row[3] for row in rows)},
        "version": "1.0",
        **manifest,
    }
    name = f"{folder}/{RULE}-manifest.json"
    blobs.write(CEPSTRA, name, json.dumps(written).encode())
    return name


def _row(blob: Blob) -> tuple[Any, ...]:
    return (f"{SOUNDTRACKS}/{blob.name}", blob.modified, blob.modified, blob.size, blob.etag, "BlockBlob")


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"{cell:%Y-%m-%dT%H:%M:%SZ}" if isinstance(cell, datetime) else cell for cell in row])
    return text.getvalue().encode()


def _parquet(rows: Sequence[Sequence[Any]]) -> bytes:
    moment = pa.timestamp("ms")
    kinds = (pa.string(), moment, moment, pa.int64(), pa.string(), pa.string())
    cells = [[cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell for cell in row] for row in rows]
    columns = [pa.array([row[number] for row in cells], kind) for number, kind in enumerate(kinds)]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns, names=list(COLUMNS)), sink)
    return sink.getvalue()
