"""The reports of Azure's Blob inventory, which name the blobs of a large container without listing it.

A rule in the storage account writes a report every day or every week, to the container `cepstra`:

    YYYY/MM/DD/HH-MM-SS/<rule>/<rule>-manifest.json   what the rule is, whether the report is complete, and its files
    YYYY/MM/DD/HH-MM-SS/<rule>/….csv or ….parquet     a row for each blob, in any order

A report tells what was there when it began. What came, changed or went since is in a later one.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from mfcc_assets.errors import BlobNameError, BlobNotFound, StoreError
from mfcc_assets.music_names import FOLDERS
from mfcc_assets.storage.blobs.names import check_name
from mfcc_assets.storage.blobs.port import CEPSTRA, REFUSED_NAMES, Blob, BlobStore, OnSkipped

OLDEST = timedelta(days=14)
"""Greatest age of a report that is used. A weekly rule takes up to six days for its report."""

_NEEDED = ("name", "last-modified", "etag", "content-length")
_TELLING = ("snapshot", "iscurrentversion", "deleted", "hdi_isfolder")
"""Columns that a report may have too, and that tell which rows are no blobs that can be read."""

_MOMENT = "%Y/%m/%d/%H-%M-%S"
_COMPLETE = "Succeeded"
_REMEDY = (
    "Correct the inventory rule in the storage account, or unset MFCC_BLOB_INVENTORY to list the container instead"
)


@dataclass(frozen=True)
class Inventory:
    """A complete report.

    Attributes
    ----------
    began
        When the report began. What happened later may not be in it.
    blobs
        The blobs of the container, in any order. They are read from the report meanwhile.
    """

    began: datetime
    blobs: Iterator[Blob]


class BlobInventory:
    """The reports of one rule.

    Parameters
    ----------
    blobs
        Store with the container `cepstra`, which the reports lie in.
    rule
        Name of the rule.
    """

    def __init__(self, blobs: BlobStore, rule: str) -> None:
        self._blobs, self._rule = blobs, rule

    def newest(self, container: str, on_skipped: OnSkipped, now: datetime | None = None) -> Inventory:
        """Return the newest complete report on a container.

        Parameters
        ----------
        container
            The container whose blobs are wanted. A report may name those of others too.
        on_skipped
            Is told the name and the kind of each row that is no blob.
        now
            The present time. A report that began more than `OLDEST` ago is not used.

        Raises
        ------
        StoreError
            If there is no report that is complete and new enough, if its rule leaves out blobs of the container, or if
            it is damaged: also while the blobs are read.
        """
        for name in self._manifests(now or datetime.now(UTC)):
            try:
                manifest = json.loads(self._blobs.read(CEPSTRA, name))
                is_complete = manifest["status"] == _COMPLETE
            except BlobNotFound:
                continue  # another rule began then
            except (ValueError, KeyError, TypeError) as error:
                raise _unusable(name, "it is no manifest of a Blob inventory") from error
            if is_complete:
                return self._report(name, manifest, container, on_skipped)
        raise StoreError(
            f"there is no complete report of the inventory rule {self._rule} from the last {OLDEST.days} days",
            subject=f"the container {CEPSTRA}",
            remedy=_REMEDY,
        )

    def _manifests(self, now: datetime) -> Iterator[str]:
        """Yield the possible names of manifests, the newest first."""
        for year in (now.year, now.year - 1):
            for folder in self._descending(str(year), 3):
                try:
                    began = datetime.strptime(folder, _MOMENT).replace(tzinfo=UTC)
                except ValueError:
                    continue  # no time of a report
                if began < now - OLDEST:
                    return
                yield f"{folder}/{self._rule}/{self._rule}-manifest.json"

    def _descending(self, folder: str, levels: int) -> Iterator[str]:
        if levels == 0:
            yield folder
            return
        for name in sorted(self._blobs.folders(CEPSTRA, folder), reverse=True):
            yield from self._descending(f"{folder}/{name}", levels - 1)

    def _report(self, name: str, manifest: Mapping[str, Any], container: str, on_skipped: OnSkipped) -> Inventory:
        try:
            began = datetime.fromisoformat(manifest["inventoryStartTime"]).astimezone(UTC)
            files = [(str(file["blob"]), int(file["size"])) for file in manifest["files"]]
            rows = int(manifest["summary"]["objectCount"])
            fault = _fault_of_rule(manifest["ruleDefinition"], container)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unusable(name, f"its manifest lacks what is needed ({error!r})") from error
        if fault:
            raise _unusable(name, fault)
        return Inventory(began, self._blobs_of(name, files, rows, container, on_skipped))

    def _blobs_of(
        self, manifest: str, files: list[tuple[str, int]], rows: int, container: str, on_skipped: OnSkipped
    ) -> Iterator[Blob]:
        read = 0
        for name, size in files:
            try:
                with self._blobs.as_file(CEPSTRA, name) as path:
                    if path.stat().st_size != size:
                        raise _unusable(name, f"it has {path.stat().st_size:,} bytes, and its manifest says {size:,}")
                    for row in _rows(path, name):
                        read += 1
                        blob = _blob(row, container)
                        if blob is not None and _has_good_name(blob, on_skipped):
                            yield blob
            except BlobNotFound as error:
                raise _unusable(name, "the manifest names it, and it is not there") from error
            except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
                raise _unusable(name, f"a row cannot be read ({error})") from error
        if read != rows:
            raise _unusable(manifest, f"its files have {read:,} rows, and it says {rows:,}")


def _fault_of_rule(rule: Mapping[str, Any], container: str) -> str:
    """Return why a report leaves out blobs of a container; nothing if it names all of them."""
    filters = rule.get("filters") or {}
    prefixes, left_out = filters.get("prefixMatch") or [""], filters.get("excludePrefix") or []
    types = {kind.lower() for kind in filters.get("blobTypes") or ["blockBlob"]}
    columns = {str(column).lower() for column in rule["schemaFields"]}
    if str(rule["objectType"]).lower() != "blob":
        return "its rule reports containers, and not blobs"
    if "blockblob" not in types:
        return "its rule leaves out block blobs"
    if not any(f"{container}/".startswith(prefix) for prefix in prefixes):
        return f"its rule leaves out blobs of the container {container}"
    if any(f"{container}/".startswith(prefix) or prefix.startswith(f"{container}/") for prefix in left_out):
        return f"its rule leaves out blobs of the container {container}"
    if filters.get("creationTime"):
        return "its rule names only blobs that were made lately"
    missing = [column for column in _NEEDED if column not in columns]
    return f"its rule has no fields {', '.join(missing)}" if missing else ""


def _rows(path: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file. Their columns have names in lower case, since Azure spells them in two ways."""
    for batch in _csv_batches(path) if name.lower().endswith(".csv") else _parquet_batches(path):
        yield from batch.rename_columns([column.lower() for column in batch.schema.names]).to_pylist()


def _csv_batches(path: Path) -> Iterator[pa.RecordBatch]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        columns = _wanted(next(csv.reader(file), []))
    convert = pa.csv.ConvertOptions(include_columns=columns, column_types=dict.fromkeys(columns, pa.string()))
    yield from pa.csv.open_csv(
        path, convert_options=convert, parse_options=pa.csv.ParseOptions(newlines_in_values=True)
    )


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.parquet.ParquetFile(path) as file:
        yield from file.iter_batches(columns=_wanted(file.schema_arrow.names))


def _wanted(columns: list[str]) -> list[str]:
    if missing := [column for column in _NEEDED if column not in map(str.lower, columns)]:
        raise ValueError(f"there is no column {', '.join(missing)}")
    return [column for column in columns if column.lower() in (*_NEEDED, *_TELLING)]


def _blob(row: Mapping[str, Any], container: str) -> Blob | None:
    """Return the blob of a row; None if it is in another container, or is no present blob."""
    of, _, name = row["name"].partition("/")
    is_past = row.get("snapshot") or _says(row.get("deleted"), "true") or _says(row.get("iscurrentversion"), "false")
    if of != container or is_past or _says(row.get("hdi_isfolder"), "true"):
        return None
    modified = row["last-modified"]
    if isinstance(modified, str):
        modified = _time(modified)
    if modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)
    # A listing and the properties of a blob have whole seconds.
    return Blob(
        name,
        int(row["content-length"]),
        row["etag"].strip('"'),
        modified.astimezone(UTC).replace(microsecond=0),
        whole=True,
    )


def _says(value: object, word: str) -> bool:
    return value is not None and str(value).lower() == word


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def _has_good_name(blob: Blob, on_skipped: OnSkipped) -> bool:
    try:
        check_name(blob.name)
    except BlobNameError as error:
        # The tools of Azure keep empty blobs for folders, whose names end in a slash.
        is_folder = blob.name.endswith("/") and not blob.size
        on_skipped(blob.name if is_folder else str(error), FOLDERS if is_folder else REFUSED_NAMES)
        return False
    return True


def _unusable(name: str, what: str) -> StoreError:
    return StoreError(
        f"the report of the Blob inventory cannot be used: {what}", subject=f"{CEPSTRA}/{name}", remedy=_REMEDY
    )
