"""Smaller answers for browsers that can unpack them."""

import gzip
import hashlib

from flask import Response, request

from mfcc_assets.web.kept_lately import KeptLately

_KEPT_BYTES = 16 << 20
_packed = KeptLately[bytes](_KEPT_BYTES, len)


def compressed(response: Response) -> Response:
    """Compress the body of a response if the browser takes that. The same bytes are compressed once.

    This is for data that many listeners share. An answer with a secret of one of them next to text of another must not
    be compressed, because its size would tell something about the secret.
    """
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"]:
        plain = response.data
        key = hashlib.blake2b(plain, digest_size=16).digest()
        response.data = _packed.get_or_make(key, lambda: gzip.compress(plain, compresslevel=6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        tag, is_weak = response.get_etag()
        if tag:
            # A tag that is not weak names bytes, and these are others.
            response.set_etag(f"{tag}-gzip", weak=bool(is_weak))
    return response
