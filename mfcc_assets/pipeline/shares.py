"""Links by which a listener shares the answer to an upload: unguessable, for a time, and revocable.

Who has a link sees the answer, but may neither delete the upload nor share it, so a link must not tell the id of the
upload. A token is the id, encrypted, with a signature: nobody can make one or read the id in it without the key of the
library, and a reader finds the document without a search. The document keeps the digest of each token and the time at
which it ends. So a copy of the documents opens no link, a link ends when its digest is removed, and all links of an
upload end with its document.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.web_settings import LONGEST_SHARE_DAYS

SHARES = "shares"
"""Key of a document's body. Each entry has the ``digest`` of a token, and the time at which it ``ends``."""

_NONCE_BYTES, _ID_BYTES, _SIGNATURE_BYTES = 16, 16, 32

LONGEST_SHARE_SECONDS = LONGEST_SHARE_DAYS * 24 * 3600
"""Longest time for which an answer can be shared."""

MOST_SHARES = 100
"""Number of links to one upload that can be open at the same time. With another one, the oldest ends."""


def share_upload(library: Library, upload: UploadId, *, seconds: float, now: datetime | None = None) -> str:
    """Return a token that shows the answer to an upload to everybody who has it, until its time has passed.

    Parameters
    ----------
    library
        The library.
    upload
        Id of the upload.
    seconds
        Time until the token ends, at most `LONGEST_SHARE_SECONDS`.
    now
        The present time. The default is that of the clock.

    Raises
    ------
    DocumentNotFound
        If there is no document of such an upload. A run makes one within seconds.
    ValueError
        If the time is not positive, or is too long.
    """
    if not 0 < seconds <= LONGEST_SHARE_SECONDS:
        raise ValueError(f"an answer is shared for up to {LONGEST_SHARE_SECONDS} s, not for {seconds} s")
    begun = now or datetime.now(UTC)
    token = _token(library, upload)
    share = {"digest": _digest(token), "ends": (begun + timedelta(seconds=seconds)).isoformat()}

    def shared(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, SHARES: [*_open_shares(body, begun), share][-MOST_SHARES:]}

    library.documents.update(upload, shared)
    return token


def shared_document(library: Library, token: str, *, now: datetime | None = None) -> Document:
    """Return the document of the upload whose answer a token shows.

    Raises
    ------
    DocumentNotFound
        If the token was altered or made up, if it has ended or was revoked, or if the upload is gone. The error does
        not say which.
    """
    upload = _upload_in(library, token)
    stored = library.documents.get_or_none(upload) if upload else None
    shares = _open_shares(stored.body, now or datetime.now(UTC)) if stored else []
    if stored is None or not any(hmac.compare_digest(share["digest"], _digest(token)) for share in shares):
        raise DocumentNotFound(
            "this link does not show anything, or no longer does",
            subject="A shared answer",
            remedy="Ask whoever shared it for a new link",
        )
    return stored


def revoke_shares(library: Library, upload: UploadId) -> None:
    """End all links to the answer to an upload.

    Raises
    ------
    DocumentNotFound
        If there is no document of such an upload.
    """
    library.documents.update(upload, lambda body: {key: body[key] for key in body.keys() - {SHARES}})


def shared_until(body: Mapping[str, Any], *, now: datetime | None = None) -> datetime | None:
    """Return the time at which the last link to an upload ends, given its document's body; None if there is none."""
    ends = [datetime.fromisoformat(share["ends"]) for share in _open_shares(body, now or datetime.now(UTC))]
    return max(ends, default=None)


def _open_shares(body: Mapping[str, Any], now: datetime) -> Sequence[Mapping[str, str]]:
    return [share for share in body.get(SHARES, []) if datetime.fromisoformat(share["ends"]) > now]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token(library: Library, upload: UploadId) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + _masked(library, nonce, bytes.fromhex(upload))
    return base64.urlsafe_b64encode(sealed + _signature(library, sealed)).decode().rstrip("=")


def _upload_in(library: Library, token: str) -> UploadId | None:
    """Return the upload id in a token; None if the library did not make it."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _NONCE_BYTES + _ID_BYTES + _SIGNATURE_BYTES:
        return None
    sealed, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(library, sealed)):
        return None
    nonce, masked = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    return UploadId(_masked(library, nonce, masked).hex())


def _masked(library: Library, nonce: bytes, text: bytes) -> bytes:
    """Encrypt or decrypt 16 bytes by bits that only the key gives for this nonce, which is used once."""
    mask = hmac.digest(library.key_for("share: mask"), nonce, "sha256")[: len(text)]
    return bytes(one ^ other for one, other in zip(text, mask, strict=True))


def _signature(library: Library, sealed: bytes) -> bytes:
    return hmac.digest(library.key_for("share: signature"), sealed, "sha256")
