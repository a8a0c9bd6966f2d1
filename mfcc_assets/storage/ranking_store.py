"""Stores the candidates and the rankings of index versions in the container `cepstra`.

ranking_layers/<name>.heads                     the queries of some lists, which never change; the name is a digest
ranking_layers/<name>.rows                      the rows of these lists
indexes/<version>/candidates/<shard>.json       the layers of a shard; a later layer wins
indexes/<version>/rankings/<shard>.json         the same for rankings
indexes/<version>/candidates/<upload id>.npz    the list of an upload
indexes/<version>/rankings/<upload id>.npz      the same for its ranking

Versions share layers. A version that differs from a former one in a few lists adds a small layer with these lists, so
one more track costs as much as the lists that it changes, however large the library is.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Literal, TypeAlias

import numpy as np

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.blobs.json_blobs import read_json, write_short_json
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob, BlobStore
from mfcc_assets.storage.packed_arrays import packed, unpacked
from mfcc_assets.storage.ranked_lists import ListHeads, RankedLists, merged, newest, newest_heads

Stage: TypeAlias = Literal["candidates", "rankings"]
STAGES: tuple[Stage, ...] = ("candidates", "rankings")

MOST_LAYERS = 8
"""Largest number of layers of a shard. Each is a file that is read with the shard."""

LARGEST_SHARE_OUTSIDE = 0.5
"""Largest share of lists in the layers above the first, as a share of those in the first. Beyond it, all layers become
one. With a smaller share, a library that grows track by track would write the same lists more often than it changes
them; with a larger one, more is read than counts."""

_LAYERS = "ranking_layers"
_REMEDY = "The next run over the library computes those of the newest index again: `mfcc sync` starts one"

_BEING_WRITTEN = timedelta(hours=1)
"""Time for which no layer is deleted because no version uses it. The shard that will use it may not be written yet."""


@dataclass(frozen=True)
class _Layer:
    """A layer of a shard, and its number of queries."""

    name: str
    queries: int


class RankingStore:
    """Reads and writes the ranked lists of two stages, ``candidates`` and ``rankings``."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def write(self, stage: Stage, version: str, shard: str, lists: RankedLists) -> None:
        """Write the lists of a shard."""
        self._write_shard(stage, version, shard, [self._written(lists)])

    def write_changes(self, stage: Stage, version: str, shard: str, changes: RankedLists, *, former: str) -> None:
        """Write the lists of a shard as those of a former version with some changes.

        Parameters
        ----------
        stage, version, shard
            Stage, version of the index and name of the shard.
        changes
            Lists that differ. A query without rows has no list any more.
        former
            Version that has all other lists.

        Raises
        ------
        CorruptIndex
            If the lists of the former version are missing or damaged.
        """
        layers = self._layers(stage, former, shard)
        if layers is None:
            raise _damaged(stage, _shard_name(stage, former, shard))
        if not len(changes):
            self._write_shard(stage, version, shard, layers)
            return
        outside = sum(layer.queries for layer in layers[1:]) + len(changes)
        if outside > LARGEST_SHARE_OUTSIDE * layers[0].queries:
            found = merged([*self._read_layers(stage, former, shard, layers), changes])
            self.write(stage, version, shard, found)
        elif len(layers) >= MOST_LAYERS:
            # A query without rows must stay in the layer, because the first layer may still have it.
            later = newest([*self._read_layers(stage, former, shard, layers[1:]), changes])
            self._write_shard(stage, version, shard, [layers[0], self._written(later)])
        else:
            self._write_shard(stage, version, shard, [*layers, self._written(changes)])

    def read(self, stage: Stage, version: str, shard: str) -> RankedLists | None:
        """Return the lists of a shard; None if they were not computed.

        Raises
        ------
        CorruptIndex
            If a file is damaged or missing.
        """
        layers = self._layers(stage, version, shard)
        return None if layers is None else merged(self._read_layers(stage, version, shard, layers))

    def read_heads(self, stage: Stage, version: str, shard: str) -> ListHeads | None:
        """Return what is known of the lists of a shard without reading their rows; None if they were not computed.

        Raises
        ------
        CorruptIndex
            If a file is damaged or missing.
        """
        layers = self._layers(stage, version, shard)
        if layers is None:
            return None
        return newest_heads([self._read_heads(stage, version, shard, layer)[0] for layer in layers])

    def read_changes(self, stage: Stage, version: str, shard: str, *, since: str) -> RankedLists | None:
        """Return the lists of a shard that may differ from those of another version.

        Layers that both versions share are not read.

        Returns
        -------
        RankedLists or None
            A query without rows has no list any more. None if the layers do not tell which lists differ.

        Raises
        ------
        CorruptIndex
            If a file is damaged or missing.
        """
        layers, others = self._layers(stage, version, shard), self._layers(stage, since, shard)
        pairs = zip(layers or [], others or [], strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if layers is None or others is None or not shared:
            return None
        changes = newest([RankedLists.of({}), *self._read_layers(stage, version, shard, layers[shared:])])
        for layer in others[shared:]:
            heads, _ = self._read_heads(stage, since, shard, layer)
            if (changes.numbers(heads.queries) < 0).any():
                return None
        return changes

    def state(self, stage: Stage, version: str) -> frozenset[tuple[str, str]]:
        """Return a value that changes whenever the lists of a version are written again."""
        return frozenset((blob.name, blob.etag) for blob in self._blobs.list(CEPSTRA, f"indexes/{version}/{stage}/"))

    def is_stored(self, stage: Stage, version: str, shard: str) -> bool:
        """Return whether the lists of a shard were computed. Their layers are not read.

        Raises
        ------
        CorruptIndex
            If the description of the shard is damaged.
        """
        return self._layers(stage, version, shard) is not None

    def write_upload(self, stage: Stage, version: str, upload: UploadId, found: RankedList) -> None:
        """Write the list of an upload."""
        lists = RankedLists.of({AudioId(upload): found})
        content = {"upload": np.array(upload.encode()), "ids": lists.candidates.array, "distances": lists.distances}
        self._blobs.write(CEPSTRA, _upload_name(stage, version, upload), packed(content))

    def read_upload(self, stage: Stage, version: str, upload: UploadId) -> RankedList | None:
        """Return the list of an upload, best first; None if it was not computed.

        Raises
        ------
        CorruptIndex
            If the file is damaged, or is that of another upload.
        """
        name = _upload_name(stage, version, upload)
        try:
            arrays = unpacked(self._blobs.read(CEPSTRA, name))
            written_for = bytes(arrays["upload"]).decode()
            found = list(zip(IdArray[AudioId](arrays["ids"]), arrays["distances"].tolist(), strict=True))
        except BlobNotFound:
            return None
        except (KeyError, ValueError) as error:
            raise _damaged(stage, name) from error
        if written_for != upload:
            raise _damaged(stage, name)
        return found

    def stored(self) -> Iterator[Blob]:
        """Yield the files of all shards and uploads of every version. `check` checks one of them."""
        for blob in self._blobs.list(CEPSTRA, "indexes/"):
            _, *folders, name = blob.name.split("/")
            if folders[1:] and folders[1] in STAGES and name.endswith((".json", ".npz")):
                yield blob

    def check(self, blob: Blob) -> None:
        """Read a file of `stored`, and the layers that it names. Raises `CorruptIndex` if one of them is damaged."""
        _, version, stage, file = blob.name.split("/")
        name, _, kind = file.rpartition(".")
        for known in STAGES:
            if stage == known and kind == "npz":
                self.read_upload(known, version, UploadId(name))
            elif stage == known:
                self.read(known, version, name)

    def remove(self, blob: Blob) -> None:
        """Delete a file of `stored`."""
        self._blobs.delete(CEPSTRA, blob.name)

    def delete_upload(self, version: str, upload: UploadId) -> None:
        """Delete the lists of an upload in every stage, if there are any."""
        for stage in STAGES:
            self._blobs.delete(CEPSTRA, _upload_name(stage, version, upload))

    def delete_unused_layers(self) -> None:
        """Delete the layers that no version uses.

        Raises
        ------
        CorruptIndex
            If the description of a shard is damaged. Nothing is deleted then, since nobody knows what it uses.
        """
        used = {
            layer.name
            for blob in self.stored()
            if blob.name.endswith(".json")
            for layer in self._described(blob.name) or []
        }
        for blob in list(self._blobs.list(CEPSTRA, f"{_LAYERS}/")):
            name = blob.name.removeprefix(f"{_LAYERS}/").partition(".")[0]
            if name not in used and datetime.now(UTC) - blob.modified > _BEING_WRITTEN:
                self._blobs.delete(CEPSTRA, blob.name)

    def _written(self, lists: RankedLists) -> _Layer:
        """Write a layer. A damaged one with the same content is replaced."""
        rows = lists.packed_rows()
        heads = lists.heads().packed(_digest(rows))
        layer = _Layer(_digest(heads), len(lists))
        self._blobs.write(CEPSTRA, _rows_name(layer), rows)
        self._blobs.write(CEPSTRA, _heads_name(layer), heads)
        return layer

    def _write_shard(self, stage: Stage, version: str, shard: str, layers: Sequence[_Layer]) -> None:
        record = {"stage": stage, "version": version, "shard": shard, "layers": [astuple(layer) for layer in layers]}
        write_short_json(self._blobs, CEPSTRA, _shard_name(stage, version, shard), record)

    def _layers(self, stage: Stage, version: str, shard: str) -> list[_Layer] | None:
        return self._described(_shard_name(stage, version, shard))

    def _described(self, name: str) -> list[_Layer] | None:
        """Return the layers that the description of a shard names; None if there is none."""
        _, version, stage, file = name.split("/")

        def parse(record: dict[str, Any]) -> list[_Layer]:
            if [record["stage"], record["version"], record["shard"]] != [stage, version, file.removesuffix(".json")]:
                raise ValueError("it describes another shard")
            layers = [_Layer(str(name), int(queries)) for name, queries in record["layers"]]
            if not layers:
                raise ValueError("a shard has at least one layer")
            return layers

        return read_json(self._blobs, CEPSTRA, name, parse, damaged=f"the stored {stage} are damaged", remedy=_REMEDY)

    def _read_layers(self, stage: Stage, version: str, shard: str, layers: Iterable[_Layer]) -> list[RankedLists]:
        found = []
        for layer in layers:
            heads, digest = self._read_heads(stage, version, shard, layer)
            try:
                found.append(RankedLists.of_packed_rows(heads, self._read_intact(_rows_name(layer), digest)))
            except (BlobNotFound, ValueError) as error:
                raise _damaged(stage, _shard_name(stage, version, shard)) from error
        return found

    def _read_heads(self, stage: Stage, version: str, shard: str, layer: _Layer) -> tuple[ListHeads, str]:
        try:
            return ListHeads.unpacked(self._read_intact(_heads_name(layer), layer.name))
        except (BlobNotFound, ValueError) as error:
            raise _damaged(stage, _shard_name(stage, version, shard)) from error

    def _read_intact(self, name: str, digest: str) -> bytes:
        content = self._blobs.read(CEPSTRA, name)
        if _digest(content) != digest:
            raise ValueError("the layer is not what was written")
        return content


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _damaged(stage: str, name: str) -> CorruptIndex:
    return CorruptIndex(f"the stored {stage} are damaged", subject=f"{CEPSTRA}/{name}", remedy=_REMEDY)


def _heads_name(layer: _Layer) -> str:
    return f"{_LAYERS}/{layer.name}.heads"


def _rows_name(layer: _Layer) -> str:
    return f"{_LAYERS}/{layer.name}.rows"


def _shard_name(stage: Stage, version: str, shard: str) -> str:
    return f"indexes/{version}/{stage}/{shard}.json"


def _upload_name(stage: Stage, version: str, upload: UploadId) -> str:
    return f"indexes/{version}/{stage}/{upload}.npz"
