"""Blobs in a storage account on Azure: an adapter of `BlobStore`."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobClient, BlobPrefix, BlobServiceClient, UserDelegationKey, generate_blob_sas

from mfcc_assets.errors import BlobNameError, BlobNotFound, Conflict, StoreError
from mfcc_assets.music_names import FOLDERS
from mfcc_assets.storage.blobs.azure_policy import (
    PATIENCE_SECONDS,
    PatientRetries,
    azure_errors,
    is_lost_condition,
    is_range_beyond_end,
    is_without_blocks,
)
from mfcc_assets.storage.blobs.azure_streams import BLOCK, CONNECTIONS, READ_AHEAD, WRITER, BlockSink, RangeReader
from mfcc_assets.storage.blobs.file_cache import FileCache
from mfcc_assets.storage.blobs.names import check_name
from mfcc_assets.storage.blobs.port import (
    CONTAINERS,
    LONGEST_LINK_SECONDS,
    OF_LISTENERS,
    REFUSED_NAMES,
    Blob,
    BlobStore,
    OnSkipped,
    check_container,
    check_link_seconds,
    check_own_folders,
    warn_once,
)

_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_PORTION = 1 << 20
_ATTEMPTS = 5
_LONGEST_SUFFIX = 16
_CLOCK_SKEW = timedelta(minutes=5)
_logger = logging.getLogger(__name__)


class AzureBlobs(BlobStore):
    """Blobs in five containers of a storage account. Missing containers are made.

    Requests that are throttled or lost are retried; see `mfcc_assets.storage.blobs.azure_policy`. Every write is
    conditional on the version that it replaces, so that a retried write never overwrites the work of another writer.
    Every write also stores a random id, by which it is recognised if its answer was lost.

    Parameters
    ----------
    url
        The account's address for blobs: ``https://<account>.blob.core.windows.net``, or the address of an emulator.
    credential
        An identity, or a function that returns the account's key. The function is called at each use, so that a
        rotated key takes effect.
    cache_folder
        Folder of the local copies for readers that need files.
    cache_bytes
        Largest size of all local copies together.
    page_size
        Number of blobs that one request lists. The default is Azure's limit.
    delegation
        Time for which an identity asks for a key that signs links. Links last up to an hour, so a longer time saves
        requests.
    patience_seconds
        Time from the first failure of a request until it is given up.

    Raises
    ------
    StoreError
        If the account cannot be reached or refuses, or if a container is missing and cannot be made.
    """

    def __init__(
        self,
        url: str,
        credential: TokenCredential | Callable[[], str],
        cache_folder: Path,
        cache_bytes: int,
        *,
        page_size: int = 5000,
        delegation: timedelta = timedelta(hours=8),
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._url, self._account, self._credential = url, _account(url, credential), credential
        self._page_size, self._delegation_lasts, self._patience_seconds = page_size, delegation, patience_seconds
        self._cache = FileCache(cache_folder, cache_bytes)
        self._transport = RequestsTransport(connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS)
        self._opened: tuple[str, BlobServiceClient] | None = None
        self._delegation: tuple[datetime, UserDelegationKey] | None = None
        self._lock = Lock()
        refusals = [refusal for container in CONTAINERS if (refusal := self._make(container)) is not None]
        # An identity that only reads has access to two of the five. Using another one raises its own error.
        if len(refusals) == len(CONTAINERS):
            raise refusals[0]

    def close(self) -> None:
        self._transport.close()

    def client_with(self, container: str) -> BlobServiceClient:
        """Return the client of the account, for a library that keeps blobs in a container of its own.

        The container is made if it is missing.

        Raises
        ------
        StoreError
            If this identity may neither make the container nor use it.
        """
        if (refusal := self._make(container)) is not None:
            raise refusal
        return self._service

    def list(self, container: str, prefix: str = "", on_skipped: OnSkipped | None = None) -> Iterator[Blob]:
        check_container(container)
        parent, _, _ = prefix.rpartition("/")
        if parent:
            check_name(parent)
        return self._pages(container, prefix, on_skipped or warn_once(container))

    def folders(self, container: str, folder: str) -> set[str]:
        check_own_folders(container)
        check_name(folder)
        with azure_errors(container):
            client = self._service.get_container_client(container)
            found = [each.name for each in client.walk_blobs(f"{folder}/") if isinstance(each, BlobPrefix)]
        return {name.removesuffix("/").rpartition("/")[2] for name in found}

    def stat(self, container: str, name: str) -> Blob:
        client = self._client(container, name)
        with azure_errors(f"{container}/{name}"):
            return _blob(name, client.get_blob_properties())

    def read(self, container: str, name: str) -> bytes:
        client = self._client(container, name)
        with azure_errors(f"{container}/{name}"):
            return client.download_blob().readall()

    @contextmanager
    def open(self, container: str, name: str) -> Iterator[BinaryIO]:
        client = self._client(container, name)
        with azure_errors(f"{container}/{name}"):
            try:
                first = client.download_blob(0, READ_AHEAD)
                beginning, etag = first.readall(), first.properties.etag
                size = int(str(first.properties.content_range).rpartition("/")[2])
            except HttpResponseError as error:
                if not is_range_beyond_end(error):
                    raise
                beginning, etag, size = b"", "", 0

        def fetch(start: int, stop: int) -> bytes:
            same: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            with azure_errors(f"{container}/{name}"):
                fetched: bytes = client.download_blob(start, stop - start, **same).readall()
            return fetched

        with RangeReader(fetch, size, beginning) as file:
            yield cast("BinaryIO", file)

    @contextmanager
    def writing(self, container: str, name: str) -> Iterator[BinaryIO]:
        with closing(BlockSink(self._client(container, name), f"{container}/{name}")) as sink:
            yield cast("BinaryIO", sink)
            self._overwrite(container, name, sink)

    def create(self, container: str, name: str, data: bytes | BinaryIO) -> Blob:
        with self._filled(container, name, data) as sink:
            written, _ = self._put(container, name, sink, None)
        if written is None:
            raise Conflict("the blob exists already", subject=f"{container}/{name}", remedy="Choose another name")
        return written

    def write(self, container: str, name: str, data: bytes | BinaryIO, *, if_match: str | None = None) -> Blob:
        with self._filled(container, name, data) as sink:
            if if_match is None:
                return self._overwrite(container, name, sink)
            written, _ = self._put(container, name, sink, if_match)
        if written is None:
            raise Conflict("the blob changed since it was read", subject=f"{container}/{name}", remedy="Read it again")
        return written

    def delete(self, container: str, name: str) -> None:
        client = self._client(container, name)
        try:
            with azure_errors(f"{container}/{name}"):
                client.delete_blob(delete_snapshots="include")
        except BlobNotFound:
            return

    @contextmanager
    def as_file(self, container: str, name: str) -> Iterator[Path]:
        client, blob = self._client(container, name), self.stat(container, name)

        def fetch(path: Path) -> None:
            same: dict[str, Any] = {"etag": _quoted(blob.etag), "match_condition": MatchConditions.IfNotModified}
            with path.open("xb") as file, azure_errors(f"{container}/{name}"):
                client.download_blob(max_concurrency=CONNECTIONS, **same).readinto(file)

        suffix = PurePosixPath(name).suffix
        with self._cache.file(
            f"{self._url}\n{container}\n{name}\n{blob.etag}",
            suffix=suffix if len(suffix.encode()) <= _LONGEST_SUFFIX else "",
            size=blob.size,
            fetch=fetch,
            # A purge cannot reach the disks of other machines, so they keep nothing of listeners.
            is_kept=container not in OF_LISTENERS,
        ) as path:
            yield path

    def link(self, container: str, name: str, *, seconds: int) -> str:
        """Return an address with a shared access signature, made with the account's key or else with the identity."""
        client = self._client(container, name)
        check_link_seconds(seconds)
        now = datetime.now(UTC)
        signer: dict[str, Any] = (
            {"account_key": self._credential()}
            if callable(self._credential)
            else {"user_delegation_key": self._delegation_key(now)}
        )
        signature = generate_blob_sas(
            self._account,
            container,
            name,
            permission="r",
            start=now - _CLOCK_SKEW,
            expiry=now + timedelta(seconds=seconds + 1),  # a signature cuts off fractions of a second
            protocol="https" if urlsplit(self._url).scheme == "https" else None,
            **signer,
        )
        return f"{client.url}?{signature}"

    def _delegation_key(self, now: datetime) -> UserDelegationKey:
        with self._lock, azure_errors(f"Links to {self._url}", role="Storage Blob Delegator"):
            if self._delegation is None or self._delegation[0] < now + timedelta(seconds=LONGEST_LINK_SECONDS):
                expires = now + self._delegation_lasts
                # A signature may not begin before its key.
                key = self._service.get_user_delegation_key(now - 2 * _CLOCK_SKEW, expires)
                self._delegation = expires, key
            return self._delegation[1]

    @property
    def _service(self) -> BlobServiceClient:
        if not callable(self._credential):
            self._opened = self._opened or ("", self._connected(self._credential))
        elif (key := self._credential()) != (self._opened and self._opened[0]):
            self._opened = key, self._connected({"account_name": self._account, "account_key": key})
        assert self._opened
        return self._opened[1]

    def _connected(self, credential: TokenCredential | dict[str, str]) -> BlobServiceClient:
        return BlobServiceClient(
            self._url,
            credential,
            transport=self._transport,
            retry_policy=PatientRetries(self._patience_seconds),
            max_single_put_size=BLOCK,
            max_single_get_size=BLOCK,
            max_chunk_get_size=BLOCK,
        )

    def _client(self, container: str, name: str) -> BlobClient:
        check_container(container)
        check_name(name)
        return self._service.get_blob_client(container, name)

    def _make(self, container: str) -> StoreError | None:
        """Make a container if it is missing. Return the error if this identity may neither make it nor use it."""
        client = self._service.get_container_client(container)
        with azure_errors(f"Container {container}"):
            try:
                client.create_container()
                return None  # noqa: TRY300  an else would be far from its try
            except ResourceExistsError:
                return None
            except HttpResponseError as refused:
                if refused.status_code != HTTPStatus.FORBIDDEN:
                    raise
        try:
            with azure_errors(f"Container {container}"):
                client.get_container_properties()
        except StoreError as refusal:
            return refusal
        return None

    def _pages(self, container: str, prefix: str, on_skipped: OnSkipped) -> Iterator[Blob]:
        with azure_errors(container):
            client = self._service.get_container_client(container)
            pages = client.list_blobs(prefix, results_per_page=self._page_size).by_page()
        while True:
            # A failed page must raise: if the listing ended early, the other blobs would look deleted.
            with azure_errors(container):
                page = next(pages, None)
                if page is None:
                    return
                found = [_blob(found.name, found) for found in page]
            for blob in found:
                try:
                    check_name(blob.name)
                except BlobNameError as error:
                    # The tools of Azure keep empty blobs for folders, whose names end in a slash.
                    is_folder = blob.name.endswith("/") and not blob.size
                    on_skipped(blob.name if is_folder else str(error), FOLDERS if is_folder else REFUSED_NAMES)
                else:
                    yield blob

    @contextmanager
    def _filled(self, container: str, name: str, data: bytes | BinaryIO) -> Iterator[BlockSink]:
        with closing(BlockSink(self._client(container, name), f"{container}/{name}")) as sink:
            source = io.BytesIO(data) if isinstance(data, bytes) else data
            try:
                while portion := source.read(_PORTION):
                    sink.write(portion)
            except OSError as error:
                raise StoreError(
                    f"the source of the write cannot be read ({error.strerror or error})",
                    subject=f"{container}/{name}",
                    remedy="Check the file that was to be written",
                ) from error
            yield sink

    def _overwrite(self, container: str, name: str, sink: BlockSink) -> Blob:
        seen: str | None = None  # most blobs that are written are new
        for _ in range(_ATTEMPTS):
            written, seen = self._put(container, name, sink, seen)
            if written is not None:
                return written
        raise Conflict("other writers keep changing this blob", subject=f"{container}/{name}", remedy="Try again")

    def _put(self, container: str, name: str, sink: BlockSink, seen: str | None) -> tuple[Blob | None, str | None]:
        """Write if the blob still has the ETag `seen`. Return the new blob, or None and the present ETag."""
        condition: dict[str, Any] = (
            {"match_condition": MatchConditions.IfMissing}
            if seen is None
            else {"match_condition": MatchConditions.IfNotModified, "etag": _quoted(seen)}
        )
        with azure_errors(f"{container}/{name}"):
            try:
                put = sink.put(**condition)
                return Blob(name, sink.size, put["etag"].strip('"'), put["last_modified"], whole=True), None
            except HttpResponseError as error:
                if not is_lost_condition(error):
                    raise
                are_blocks_lost = is_without_blocks(error)
        try:
            with azure_errors(f"{container}/{name}"):
                found = self._client(container, name).get_blob_properties()
        except BlobNotFound:
            return None, None
        # If the answer to the first attempt was lost, this same write changed the blob.
        if found.metadata.get(WRITER) == sink.writer:
            return _blob(name, found), None
        if are_blocks_lost:
            raise Conflict("another writer came first", subject=f"{container}/{name}", remedy="Try again")
        return None, found.etag.strip('"')


def _account(url: str, credential: object) -> str:
    address = urlsplit(url)
    if address.scheme not in ("https", "http") or not address.hostname:
        raise StoreError("this is not an address of a storage account", subject=url, remedy="Set MFCC_BLOB_URL")
    if address.scheme != "https" and not callable(credential):
        raise StoreError("a token is never sent without TLS", subject=url, remedy="Begin MFCC_BLOB_URL with https")
    # The address of an emulator has the account's name in its path.
    return address.path.strip("/") or address.hostname.partition(".")[0]


def _quoted(etag: str) -> str:
    return f'"{etag}"'


def _blob(name: str, properties: Any) -> Blob:
    etag, modified = properties.etag.strip('"'), properties.last_modified.astimezone(UTC)
    return Blob(name=name, size=properties.size, etag=etag, modified=modified, whole=True)
