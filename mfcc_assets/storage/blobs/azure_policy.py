"""Retries of requests to Azure Blob Storage, and the errors into which those of the SDK are translated."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import ExponentialRetry

from mfcc_assets.errors import BlobNotFound, Conflict, RightMissing, StoreError
from mfcc_assets.retry_after import seconds_asked

PATIENCE_SECONDS = 90.0
"""Time from the first failure of a request until it is given up. Storage may be away for half a minute or more."""

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 10.0
_LONGEST_RETRY_AFTER_SECONDS = 30.0
_RETRIED_STATUSES = (408, 429, 500, 502, 503, 504)
_UNAUTHORISED_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_logger = logging.getLogger(__name__)


class PatientRetries(ExponentialRetry):
    """Retries requests that were throttled, refused for the moment, or lost on the way.

    The policy of the SDK that this one replaces waits 15 s and then 27 s, ignores ``Retry-After``, and never retries
    a 429.

    Parameters
    ----------
    patience_seconds
        Time from the first failure of a request until it is given up.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        super().__init__()
        self._patience_seconds = patience_seconds

    def send(self, request: Any) -> Any:
        settings = self.configure_retries(request)
        gives_up_at, retries = 0.0, 0
        while True:
            response: Any = None
            lost: AzureError | None = None
            try:
                response = self.next.send(request)
            except (ServiceRequestError, ServiceResponseError) as error:
                lost = error
            if lost is None and response.http_response.status_code not in _RETRIED_STATUSES:
                break
            gives_up_at = gives_up_at or time.monotonic() + self._patience_seconds
            wait = _seconds_to_wait(response, retries)
            if time.monotonic() + wait > gives_up_at:
                break
            if not retries:
                reason = type(lost).__name__ if lost else f"status {response.http_response.status_code}"
                _logger.warning("Storage does not answer (%s); retrying for %.0f s", reason, self._patience_seconds)
            time.sleep(wait)
            retries += 1
        if lost is not None:
            raise lost
        # The code of the SDK that reads the response needs to know which location of the account sent it.
        response.http_response.location_mode = settings["mode"]
        return response


@contextmanager
def azure_errors(subject: str, *, role: str = "Storage Blob Data Contributor") -> Iterator[None]:
    """Raise every error of the SDK as one of `mfcc_assets.errors`.

    Parameters
    ----------
    subject
        Name of the thing that the request is about: ``container/name``.
    role
        Role that an identity needs for the request.
    """
    try:
        yield
    except AzureError as error:
        raise _translated(error, subject, role) from None


def is_lost_condition(error: HttpResponseError) -> bool:
    """Return whether a write was refused because another write came first, perhaps an earlier attempt of the same."""
    return (
        error.status_code == HTTPStatus.PRECONDITION_FAILED
        or _code(error) == "BlobAlreadyExists"
        or is_without_blocks(error)
    )


def is_without_blocks(error: HttpResponseError) -> bool:
    """Return whether the blocks of a write are gone: a commit drops the blocks that other writers sent for the blob."""
    return _code(error) == "InvalidBlockList"


def is_range_beyond_end(error: HttpResponseError) -> bool:
    """Return whether a requested range begins behind the end of the blob."""
    return error.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


def _seconds_to_wait(response: Any, retries: int) -> float:
    """Return the time that the server asks for, or else a random time that doubles with each retry."""
    asked = seconds_asked(response.http_response.headers.get("Retry-After", "")) if response else None
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_RETRY_AFTER_SECONDS)
    doubled = min(_FIRST_WAIT_SECONDS * 2.0 ** min(retries, 10), _LONGEST_WAIT_SECONDS)
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311  it need not be secret


def _translated(error: AzureError, subject: str, role: str) -> StoreError:
    code, status = _code(error), getattr(error, "status_code", None)
    if code == "ContainerNotFound":
        return StoreError(
            "there is no such container",
            subject=subject,
            remedy=f"Deploy it, or give this identity the role {role!r}, which lets it make the container",
        )
    if isinstance(error, ResourceNotFoundError):
        return BlobNotFound("there is no such blob", subject=subject, remedy="List the container")
    if isinstance(error, ResourceModifiedError):
        return Conflict("the blob changed while it was read", subject=subject, remedy="Read it again")
    if isinstance(error, ClientAuthenticationError) or status in _UNAUTHORISED_STATUSES:
        return RightMissing(
            f"the storage account refuses the request ({code or status or type(error).__name__})",
            subject=subject,
            remedy=f"Give this identity the role {role!r}, or check the account's key, its firewall and the clock",
        )
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return StoreError(
            f"the storage account cannot be reached ({type(error).__name__})",
            subject=subject,
            remedy="Check its address and the network, and try again",
        )
    return StoreError(
        f"the storage account failed ({code or status or type(error).__name__})",
        subject=subject,
        remedy="Look at the account in the Azure portal, and try again",
    )


def _code(error: AzureError) -> str:
    """Return Azure's name for an error, as ``InvalidBlockList``; empty if the error has none."""
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))
