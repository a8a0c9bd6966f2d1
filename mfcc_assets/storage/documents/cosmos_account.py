"""The container of documents in an Azure Cosmos DB account: how it is made, reached, and asked with patience."""

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
"""Only what documents are looked up by: the rest of a body costs no index when it is written."""

PATIENCE_SECONDS = 90
"""From a call's beginning to when it is given up: an account may be away for half a minute and more."""

_LONGEST_PAUSE_SECONDS = 5
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_THROTTLED_TRIES = 200

# Not 429: where it is throttled, the client itself waits as long as it is told to.
_PASSING = (408, 410, 449, 500, 502, 503, 504)

# Said with 404: a replica has not come as far as this client, or there is no container. Otherwise the item is missing.
_IS_BEHIND, _HAS_NO_CONTAINER = 1002, 1003
_STAYS = -1
_LONGEST_REASON = 300

_REMEDIES = {
    400: f"Compare the container's partition key and indexing policy with those in {__name__}",
    401: "Check the account's key, or that the identity is of the account's tenant",
    403: "Give this identity the data-plane role Cosmos DB Built-in Data Contributor, and let it through the firewall;"
    " that role makes no database and no container: deploy them",
    404: f"Deploy the database and its container {CONTAINER}, partitioned by {PARTITION_KEY}",
    413: "An item holds at most 2 MB: keep what is larger in a blob",
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
        Its address.
    credential
        A credential for tokens, or what returns the account's key; it is called before each request.
    database
        Name of the database. It and its container are made where the container is missing.
    retention_seconds
        The time to live that the container is to have; None: its items stay.

    Raises
    ------
    StoreError
        Here and from `ask`: the account cannot be reached, or refuses.
    """

    def __init__(
        self,
        url: str,
        credential: TokenCredential | Callable[[], str],
        database: str,
        *,
        retention_seconds: int | None,
    ) -> None:
        self._url, self._credential, self._database = url, credential, database
        self._lock = Lock()
        # Kept until the end: when a key is rotated, other threads may be using the client of the former.
        self._clients: dict[TokenCredential | str, CosmosClient] = {}
        try:
            self._patiently(lambda: self._prepare(_STAYS if retention_seconds is None else retention_seconds))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connections back; it opens again when it is used again."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def ask(self, call: Callable[[ContainerProxy], _Answer]) -> _Answer:
        """Call with the container, and again where the account is throttled or away, for up to 90 seconds."""
        return self._patiently(lambda: call(self._client_database().get_container_client(CONTAINER)))

    def _patiently(self, call: Callable[[], _Answer]) -> _Answer:
        asking = Retrying(
            retry=retry_if_exception(_passes),
            stop=stop_after_delay(PATIENCE_SECONDS),
            wait=wait_random_exponential(multiplier=0.2, max=_LONGEST_PAUSE_SECONDS),
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return asking(call)
        except (AzureError, UnreadableKey) as error:
            raise self._ours(error) from None

    def _tell(self, state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            reason = _reason(state.outcome.exception())
            _logger.warning("%s: %s; asked again for %d s", self._subject, reason, PATIENCE_SECONDS)

    def _client(self) -> CosmosClient:
        credential = self._credential if isinstance(self._credential, TokenCredential) else self._credential()
        with self._lock:
            if credential not in self._clients:
                self._clients[credential] = CosmosClient(
                    self._url,
                    credential,
                    connection_timeout=_CONNECT_SECONDS,
                    read_timeout=_READ_SECONDS,
                    # Its own repetitions give up after a few seconds, and never repeat a write that had no answer.
                    retry_connect=0,
                    retry_read=0,
                    retry_throttle_total=_THROTTLED_TRIES,
                    retry_throttle_backoff_max=PATIENCE_SECONDS,
                )
            return self._clients[credential]

    def _client_database(self) -> DatabaseProxy:
        return self._client().get_database_client(self._database)

    def _prepare(self, seconds_to_live: int) -> None:
        database = self._client_database()
        try:
            found = database.get_container_client(CONTAINER).read()
        except CosmosResourceNotFoundError:
            # Another process may be making the same.
            with suppress(CosmosResourceExistsError):
                self._client().create_database(self._database)
            with suppress(CosmosResourceExistsError):
                database.create_container(
                    CONTAINER, PartitionKey(PARTITION_KEY), indexing_policy=INDEXING_POLICY, default_ttl=seconds_to_live
                )
            found = database.get_container_client(CONTAINER).read()
        if found["partitionKey"]["paths"] != [PARTITION_KEY]:
            raise StoreError(
                f"Its container {CONTAINER} is partitioned by {', '.join(found['partitionKey']['paths'])}",
                subject=f"Database {self._database}",
                remedy=f"Name another database, or one whose container is partitioned by {PARTITION_KEY}",
            )
        if found.get("defaultTtl", _STAYS) != seconds_to_live:
            _change_time_to_live(database, found, seconds_to_live)

    @property
    def _subject(self) -> str:
        return f"Cosmos DB account {self._url}"

    def _ours(self, error: AzureError | UnreadableKey) -> StoreError:
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            what, remedy = "It does not answer", "Check its address, its firewall and the network"
        else:
            what, remedy = "It refuses", _REMEDIES.get(_status(error), _OTHER_REMEDY)
        return StoreError(f"{what} ({_reason(error)})", subject=self._subject, remedy=remedy)


def is_missing(error: CosmosResourceNotFoundError) -> bool:
    """Whether an item is not there, rather than not yet to be seen, or without a container to be in."""
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
            "Database %s: the time to live of its container %s stays %s and does not become %s (seconds; -1: items"
            " stay), as this identity may not change it. Deploy the container with it.",
            database.id,
            CONTAINER,
            container.get("defaultTtl", _STAYS),
            seconds,
        )


def _passes(error: BaseException) -> bool:
    return isinstance(error, ServiceRequestError | ServiceResponseError) or (
        isinstance(error, CosmosHttpResponseError)
        and (error.status_code in _PASSING or (error.status_code, error.sub_status) == (404, _IS_BEHIND))
    )


def _status(error: AzureError | UnreadableKey) -> int:
    if isinstance(error, UnreadableKey | ClientAuthenticationError):
        return HTTPStatus.UNAUTHORIZED
    return int(getattr(error, "status_code", None) or 0)


def _reason(error: BaseException | None) -> str:
    """What the account says, or the kind of the error: what else the client says is longer than a message."""
    if isinstance(error, CosmosHttpResponseError):
        said = str(error.message).partition("\n")[0][:_LONGEST_REASON]
        return f"{error.status_code} {said}".strip()
    return type(error).__name__
