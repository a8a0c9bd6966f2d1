"""The container of documents in an Azure Cosmos DB account: how it is made and opened, and how calls are retried."""

import logging
from binascii import Error as UnreadableKey
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from threading import Lock
from typing import Any, TypeVar

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from azure.cosmos import ContainerProxy, CosmosClient, DatabaseProxy, PartitionKey
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceExistsError, CosmosResourceNotFoundError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from mfcc_assets.errors import StoreError

CONTAINER = "uploads"
PARTITION_KEY = "/id"

INDEXING_POLICY: dict[str, Any] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/state/?"}, {"path": "/received/?"}],
    "excludedPaths": [{"path": "/*"}],
    "compositeIndexes": [
        [{"path": path, "order": "descending"} for path in paths]
        for paths in (("/received", "/id"), ("/state", "/received", "/id"))
    ],
}
"""Indexes only the paths that queries use, so that writing the rest of a body costs nothing."""

PATIENCE_SECONDS = 90.0
"""Time from the beginning of a call until it is given up. An account may be away for half a minute or more."""

_LONGEST_PAUSE_SECONDS = 5
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_THROTTLED_TRIES = 200

# 429 is not among them: the client itself waits as long as the server asks when it is throttled.
_TRANSIENT = (408, 410, 449, 500, 502, 503, 504)

# Sub-statuses of 404: a replica lags behind this client, or there is no container. Otherwise the item is missing.
_IS_BEHIND, _HAS_NO_CONTAINER = 1002, 1003
_NEVER_EXPIRES = -1
_LONGEST_REASON = 300

_REMEDIES = {
    400: f"Compare the container's partition key and indexing policy with those in {__name__}",
    401: "Check the account's key, or that the identity belongs to the account's tenant",
    403: "Give this identity the data-plane role Cosmos DB Built-in Data Contributor, and let it through the firewall;"
    " that role makes no database and no container: deploy them",
    404: f"Deploy the database and its container {CONTAINER}, partitioned by {PARTITION_KEY}",
    413: "An item holds at most 2 MB: keep larger content in a blob",
    429: "Raise the container's throughput, or let it scale by itself",
}

_OTHER_REMEDY = "Look at the account in the Azure portal, and try again"
_logger = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class CosmosAccount:
    """An account with the container of documents.

    Parameters
    ----------
    url
        Address of the account.
    credential
        A credential for tokens, or a function that returns the account's key and is called before each request.
    database
        Name of the database. If the container is missing, it is made, and the database if necessary.
    retention_seconds
        Time to live of the items in the container. None keeps all items.
    patience_seconds
        Time from the beginning of a call until it is given up.

    Raises
    ------
    StoreError
        From the constructor and from `ask`, if the account cannot be reached or refuses.
    """

    def __init__(
        self,
        url: str,
        credential: TokenCredential | Callable[[], str],
        database: str,
        *,
        retention_seconds: int | None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._url, self._credential, self._database = url, credential, database
        self._lock = Lock()
        # Old clients are kept open: when a key is rotated, other threads may still use the client of the old key.
        self._clients: dict[TokenCredential | str, CosmosClient] = {}
        try:
            self._patiently(lambda: self._prepare(_NEVER_EXPIRES if retention_seconds is None else retention_seconds))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections. They are opened again on the next use."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def ask(self, call: Callable[[ContainerProxy], _Answer]) -> _Answer:
        """Call a function with the container, and retry it patiently while the account is throttled or away."""
        return self._patiently(lambda: call(self._client_database().get_container_client(CONTAINER)))

    def _patiently(self, call: Callable[[], _Answer]) -> _Answer:
        retrying = Retrying(
            retry=retry_if_exception(_is_transient),
            stop=stop_after_delay(self._patience_seconds),
            wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_SECONDS),
            before_sleep=self._log_first_failure,
            reraise=True,
        )
        try:
            return retrying(call)
        except (AzureError, UnreadableKey) as error:
            raise self._translated(error) from None

    def _log_first_failure(self, state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            reason = _reason(state.outcome.exception())
            _logger.warning("%s: %s; retrying for %d s", self._subject, reason, self._patience_seconds)

    def _client(self) -> CosmosClient:
        credential = self._credential if isinstance(self._credential, TokenCredential) else self._credential()
        with self._lock:
            if credential not in self._clients:
                self._clients[credential] = CosmosClient(
                    self._url,
                    credential,
                    connection_timeout=_CONNECT_SECONDS,
                    read_timeout=_READ_SECONDS,
                    # The client's own retries give up after a few seconds and never repeat a write without an answer.
                    retry_connect=0,
                    retry_read=0,
                    retry_throttle_total=_THROTTLED_TRIES,
                    retry_throttle_backoff_max=self._patience_seconds,
                )
            return self._clients[credential]

    def _client_database(self) -> DatabaseProxy:
        return self._client().get_database_client(self._database)

    def _prepare(self, seconds_to_live: int) -> None:
        database = self._client_database()
        try:
            found = database.get_container_client(CONTAINER).read()
        except CosmosResourceNotFoundError:
            # Another process may make them at the same time.
            with suppress(CosmosResourceExistsError):
                self._client().create_database(self._database)
            with suppress(CosmosResourceExistsError):
                database.create_container(
                    CONTAINER, PartitionKey(PARTITION_KEY), indexing_policy=INDEXING_POLICY, default_ttl=seconds_to_live
                )
            found = database.get_container_client(CONTAINER).read()
        if found["partitionKey"]["paths"] != [PARTITION_KEY]:
            raise StoreError(
                f"its container {CONTAINER} is partitioned by {', '.join(found['partitionKey']['paths'])}",
                subject=f"Database {self._database}",
                remedy=f"Name another database, or one whose container is partitioned by {PARTITION_KEY}",
            )
        if found.get("defaultTtl", _NEVER_EXPIRES) != seconds_to_live:
            _change_time_to_live(database, found, seconds_to_live)

    @property
    def _subject(self) -> str:
        return f"Cosmos DB account {self._url}"

    def _translated(self, error: AzureError | UnreadableKey) -> StoreError:
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            what, remedy = "it does not answer", "Check its address, its firewall and the network"
        else:
            what, remedy = "it refuses", _REMEDIES.get(_status(error), _OTHER_REMEDY)
        return StoreError(f"{what} ({_reason(error)})", subject=self._subject, remedy=remedy)


def is_missing(error: CosmosResourceNotFoundError) -> bool:
    """Return whether the item itself is missing, and not its container or an up-to-date replica."""
    return error.sub_status not in (_IS_BEHIND, _HAS_NO_CONTAINER)


def _change_time_to_live(database: DatabaseProxy, container: Mapping[str, Any], seconds: int) -> None:
    try:
        database.replace_container(
            CONTAINER,
            PartitionKey(PARTITION_KEY),
            indexing_policy=container["indexingPolicy"],
            conflict_resolution_policy=container.get("conflictResolutionPolicy"),
            default_ttl=seconds,
        )
    except CosmosHttpResponseError as error:
        if error.status_code != HTTPStatus.FORBIDDEN:
            raise
        _logger.warning(
            "Database %s: this identity may not change the time to live of container %s from %s to %s seconds"
            " (-1: items never expire). Deploy the container with it.",
            database.id,
            CONTAINER,
            container.get("defaultTtl", _NEVER_EXPIRES),
            seconds,
        )


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, ServiceRequestError | ServiceResponseError) or (
        isinstance(error, CosmosHttpResponseError)
        and (error.status_code in _TRANSIENT or (error.status_code, error.sub_status) == (404, _IS_BEHIND))
    )


def _status(error: AzureError | UnreadableKey) -> int:
    if isinstance(error, UnreadableKey | ClientAuthenticationError):
        return HTTPStatus.UNAUTHORIZED
    return int(getattr(error, "status_code", None) or 0)


def _reason(error: BaseException | None) -> str:
    """Return the first line of the account's answer, or the type of the error."""
    if isinstance(error, CosmosHttpResponseError):
        said = str(error.message).partition("\n")[0][:_LONGEST_REASON]
        return f"{error.status_code} {said}".strip()
    return type(error).__name__
