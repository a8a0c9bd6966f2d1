"""Errors of Azure Storage as ours. What the SDK says may hold a signature, and is not repeated."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from mfcc_assets.core.errors import BlobNotFound, Conflict, StoreError

_UNAUTHORISED = (401, 403)


@contextmanager
def azure_errors(subject: str, *, role: str = "Storage Blob Data Contributor") -> Iterator[None]:
    """Raise every error of the SDK as one of `mfcc_assets.core.errors`.

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
