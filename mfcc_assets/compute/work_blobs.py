"""The blobs by which work gets to a job in the cloud, and its results come back.

Both are Arrow files, so whoever can write them can name a function, but cannot hand over code: nothing is pickled.
"""

import io
import json
from base64 import b64decode, b64encode

import pyarrow as pa

from mfcc_assets.compute.port import Work
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore

_WORK = b"work"
_ITEMS, _RESULTS, _SUFFIX = "items", "results", ".arrow"
_END, _SIGN = "end", "sign"


class WorkBlobs:
    """The items of one job, which come in parts, and the results that it has written so far.

    Parameters
    ----------
    blobs
        The blobs of the library.
    folder
        Folder in the container `cepstra`, which no other job has.
    """

    def __init__(self, blobs: BlobStore, folder: str) -> None:
        self._blobs, self.folder = blobs, folder

    def write_items(self, name: str, work: Work, items: pa.Table) -> None:
        """Write a part of what is to be done."""
        described = {
            "function": work.function,
            "settings": dict(work.settings),
            "version": work.version,
            "columns": b64encode(work.columns.serialize()).decode(),
            "at_once": work.at_once,
        }
        self._write(f"{_ITEMS}/{name}", items.replace_schema_metadata({_WORK: json.dumps(described)}))

    def write_end(self) -> None:
        """Tell that all parts are written."""
        self._blobs.write(CEPSTRA, f"{self.folder}/{_END}", b"")

    def has_end(self) -> bool:
        """Return whether all parts are written."""
        return self._blobs.exists(CEPSTRA, f"{self.folder}/{_END}")

    def item_names(self) -> list[str]:
        """Return the names of the parts that are written, in the order of the names."""
        return self._names(_ITEMS)

    def read_items(self, name: str) -> tuple[Work, pa.Table]:
        """Read a part of what is to be done."""
        items = self._read(f"{_ITEMS}/{name}")
        described = json.loads(items.schema.metadata[_WORK])
        columns = pa.ipc.read_schema(pa.py_buffer(b64decode(described["columns"])))
        return Work(**{**described, "columns": columns}), items.replace_schema_metadata(None)

    def write_sign(self, number: int) -> None:
        """Give the job a sign that its results are still wanted, with another number than the sign before."""
        self._blobs.write(CEPSTRA, f"{self.folder}/{_SIGN}", str(number).encode())

    def read_sign(self) -> int | None:
        """Return the number of the last sign; None if there is none yet, or everything is deleted."""
        name = f"{self.folder}/{_SIGN}"
        return int(self._blobs.read(CEPSTRA, name)) if self._blobs.exists(CEPSTRA, name) else None

    def write_results(self, name: str, results: pa.Table) -> None:
        """Write some of the results. They are seen whole or not at all."""
        self._write(f"{_RESULTS}/{name}", results)

    def result_names(self) -> list[str]:
        """Return the names of the results that are written, in the order of the names."""
        return self._names(_RESULTS)

    def read_results(self, name: str) -> pa.Table:
        """Read some of the results."""
        return self._read(f"{_RESULTS}/{name}")

    def delete(self) -> None:
        """Delete everything."""
        for name in [blob.name for blob in self._blobs.list(CEPSTRA, f"{self.folder}/")]:
            self._blobs.delete(CEPSTRA, name)

    def _names(self, kind: str) -> list[str]:
        prefix = f"{self.folder}/{kind}/"
        found = (blob.name for blob in self._blobs.list(CEPSTRA, prefix))
        return sorted(name.removeprefix(prefix).removesuffix(_SUFFIX) for name in found)

    def _write(self, name: str, table: pa.Table) -> None:
        sink = io.BytesIO()
        with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
        self._blobs.write(CEPSTRA, f"{self.folder}/{name}{_SUFFIX}", sink.getvalue())

    def _read(self, name: str) -> pa.Table:
        return pa.ipc.open_file(pa.py_buffer(self._blobs.read(CEPSTRA, f"{self.folder}/{name}{_SUFFIX}"))).read_all()
