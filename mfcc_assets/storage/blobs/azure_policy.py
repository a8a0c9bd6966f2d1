"""How requests to Azure are repeated, and how its errors become ours."""

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
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

from mfcc_assets.errors import BlobNotFound, Conflict, StoreError
from mfcc_assets.retry_after import seconds_asked

PATIENCE_SECONDS = 90.0
"""From the first failure of a request to when it is given up: storage may be away for half a minute and more."""

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 10.0
_LONGEST_ASKED_SECONDS = 30.0
_REPEATED = (408, 429, 500, 502, 503, 504)
_logger = logging.getLogger(__name__)


class PatientRetries(ExponentialRetry):
    """Repeats what was throttled, refused or lost on the way.

    The policy it replaces first waits 15 s, then 27 s, does not look at ``Retry-After``, and never repeats a 429.
    """

    def send(self, request: Any) -> Any:
        settings = self.configure_retries(request)
        gives_up_at, repeated = 0.0, 0
        while True:
            response: Any = None
            lost: AzureError | None = None
            try:
                response = self.next.send(request)
            except (ServiceRequestError, ServiceResponseError) as error:
                lost = error
            if lost is None and response.http_response.status_code not in _REPEATED:
                break
            gives_up_at = gives_up_at or time.monotonic() + PATIENCE_SECONDS
            wait = _wait(response, repeated)
            if time.monotonic() + wait > gives_up_at:
                break
            if not repeated:
                reason = type(lost).__name__ if lost else f"status {response.http_response.status_code}"
                _logger.warning("Storage does not answer (%s); asked again for %.0f s", reason, PATIENCE_SECONDS)
            time.sleep(wait)
            repeated += 1
        if lost is not None:
            raise lost
        # Who reads the answer asks which of an account's two places it came from.
        response.http_response.location_mode = settings["mode"]
        return response


def _wait(response: Any, repeated: int) -> float:
    """Seconds to wait: what the server asks for, otherwise twice as long each time, and not all clients at once."""
    asked = seconds_asked(response.http_response.headers.get("Retry-After", "")) if response else None
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_ASKED_SECONDS)
    doubled = min(_FIRST_WAIT_SECONDS * 2.0 ** min(repeated, 10), _LONGEST_WAIT_SECONDS)
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311  it need not be secret


_UNAUTHORISED = (401, 403)


@contextmanager
def azure_errors(subject: str, *, role: str = "Storage Blob Data Contributor") -> Iterator[None]:
    """Raise every error of the SDK as one of `mfcc_assets.errors`.

    Parameters
    ----------
    subject
        What it happens to: ``container/name``.
    role
        What an identity needs that may not do this.
    """
    try:
        yield
    except AzureError as error:
        raise _ours(error, subject, role) from None


def is_lost_condition(error: HttpResponseError) -> bool:
    """Whether a write was refused because another one came before it, or because it had happened already."""
    return error.status_code == 412 or _code(error) == "BlobAlreadyExists" or is_without_blocks(error)


def is_without_blocks(error: HttpResponseError) -> bool:
    """Whether the blocks of a write are gone: whoever commits drops those that others have sent for the same blob."""
    return _code(error) == "InvalidBlockList"


def is_range_beyond_end(error: HttpResponseError) -> bool:
    return error.status_code == 416


def _ours(error: AzureError, subject: str, role: str) -> StoreError:
    code, status = _code(error), getattr(error, "status_code", None)
    if code == "ContainerNotFound":
        return StoreError(
            "There is no such container",
            subject=subject,
            remedy=f"Deploy it, or give this identity the role {role!r}, by which it is made",
        )
    if isinstance(error, ResourceNotFoundError):
        return BlobNotFound("There is no such blob", subject=subject, remedy="List the container")
    if isinstance(error, ResourceModifiedError):
        return Conflict("The blob changed while it was read", subject=subject, remedy="Read it again")
    if isinstance(error, ClientAuthenticationError) or status in _UNAUTHORISED:
        return StoreError(
            f"The storage account refuses it ({code or status or type(error).__name__})",
            subject=subject,
            remedy=f"Give this identity the role {role!r}, or check the account's key, its firewall and the clock",
        )
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return StoreError(
            f"The storage account cannot be reached ({type(error).__name__})",
            subject=subject,
            remedy="Check its address and the network, and try again",
        )
    return StoreError(
        f"The storage account did not do it ({code or status or type(error).__name__})",
        subject=subject,
        remedy="Look at the account in the Azure portal, and try again",
    )


def _code(error: AzureError) -> str:
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))
