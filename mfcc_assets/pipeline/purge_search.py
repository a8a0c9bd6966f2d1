"""Find everything that is stored of uploads, for their purge.

For a few uploads, their own folders and names are asked for, so that the work does not grow with the library.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from mfcc_assets.errors import BlobNotFound
from mfcc_assets.ids import AudioId, UploadId, upload_id_in
from mfcc_assets.library import Library
from mfcc_assets.music_names import is_companion
from mfcc_assets.pipeline.upload_register import UploadRegister
from mfcc_assets.storage.blobs.port import BATCH, CEPSTRA, UPLOADS, Blob
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.storage.ranking_store import STAGES

COPY = re.compile(r"([^/]+)/.+")
"""Whole name of a copy in `batch`. The group is the id of its upload."""

_FEATURES = ("frames", "timbre", "summaries", "chroma", "waveforms")
"""Folders that have a folder of each version, with the features of each audio."""

_FEW = 16
"""Number of ids whose files are asked for one by one. For more of them, whole folders are listed."""

_Id = TypeVar("_Id", bound=str)


def recorded_files(library: Library, stored: Mapping[UploadId, Document | None]) -> dict[UploadId, str] | None:
    """Return the file of each of a few uploads, if their documents alone tell where their files are; otherwise None.

    A document does not tell it if it is lost or of an older version, if its file has changed since, or if there is
    other music in the folder of the upload: then the documents of all uploads tell whose a file is.
    """
    if len(stored) > _FEW:
        return None
    names = {}
    for upload, document in stored.items():
        body = document.body if document else {}
        if not body.get("blob") or body.get("content") is None:
            return None
        names[upload] = name = str(body["blob"])
        if any(blob.name != name and not is_companion(blob.name) for blob in _folder_of(library, upload)):
            return None
        with suppress(BlobNotFound):
            if library.blobs.stat(UPLOADS, name).etag != body.get("etag"):
                return None
    return names


def _folder_of(library: Library, upload: UploadId) -> Iterable[Blob]:
    return library.blobs.list(UPLOADS, f"{upload}/")


def files_of(
    library: Library, register: UploadRegister, uploads: Collection[UploadId], names: Mapping[UploadId, str] | None
) -> dict[UploadId, list[Blob]]:
    """Return the files of each upload in `uploads`, whatever their versions are now, and what lies beside them.

    If their names are known, nothing else is listed but the folders of the uploads.
    """
    files: dict[UploadId, list[Blob]] = {upload: [] for upload in uploads}
    listed = library.blobs.list(UPLOADS) if names is None else _named_files(library, names)
    for blob in listed:
        try:
            upload = upload_id_in(blob.name) if is_companion(blob.name) else register.upload_of(blob)
        except BlobNotFound:
            continue  # it went since it was listed
        if upload in files:
            files[upload].append(blob)
    return files


def _named_files(library: Library, names: Mapping[UploadId, str]) -> Iterable[Blob]:
    found = {}
    for upload, name in names.items():
        found.update({blob.name: blob for blob in _folder_of(library, upload)})
        with suppress(BlobNotFound):
            found[name] = library.blobs.stat(UPLOADS, name)
    return found.values()


def copies_of(library: Library, uploads: Collection[UploadId]) -> dict[UploadId, list[Blob]]:
    """Return the copies of each upload on which runs work."""
    if len(uploads) <= _FEW:
        return {upload: list(library.blobs.list(BATCH, f"{upload}/")) for upload in uploads}
    found: dict[UploadId, list[Blob]] = {upload: [] for upload in uploads}
    for blob in library.blobs.list(BATCH):
        if (match := COPY.fullmatch(blob.name)) and match[1] in found:
            found[UploadId(match[1])].append(blob)
    return found


def lists_of(library: Library, uploads: Collection[UploadId]) -> dict[UploadId, list[Blob]]:
    """Return the candidates and rankings of each upload, of every index."""
    versions = library.blobs.folders(CEPSTRA, "indexes")
    folders = [f"indexes/{version}/{stage}" for version in versions for stage in STAGES]
    # Older versions of this program stored lists as Parquet.
    return _in_folders(library, folders, uploads, suffixes=("npz", "parquet"))


def features_of(library: Library, audio_ids: Collection[AudioId]) -> dict[AudioId, list[Blob]]:
    """Return the features of each audio, of every version."""
    if not audio_ids:
        return {}
    folders = [f"{kind}/{version}" for kind in _FEATURES for version in library.blobs.folders(CEPSTRA, kind)]
    return _in_folders(library, folders, audio_ids)


def _in_folders(
    library: Library, folders: Iterable[str], ids: Collection[_Id], suffixes: Sequence[str] = ("parquet",)
) -> dict[_Id, list[Blob]]:
    """Return what is stored under each of these ids in some folders of what is computed."""
    found: dict[_Id, list[Blob]] = {one: [] for one in ids}
    for folder in folders:
        names = {f"{folder}/{one}.{suffix}": one for one in ids for suffix in suffixes}
        if len(ids) > _FEW:
            for blob in library.blobs.list(CEPSTRA, f"{folder}/"):
                if blob.name in names:
                    found[names[blob.name]].append(blob)
            continue
        for name, one in names.items():
            with suppress(BlobNotFound):
                found[one].append(library.blobs.stat(CEPSTRA, name))
    return found


def computed_of(
    library: Library, uploads: Collection[UploadId], audio_ids: Mapping[UploadId, Collection[AudioId]]
) -> list[Blob]:
    """Return the lists of uploads and the features of their audio."""
    features = features_of(library, set().union(*audio_ids.values()))
    return [blob for blobs in [*lists_of(library, uploads).values(), *features.values()] for blob in blobs]
