"""Smaller answers for browsers that can unpack them."""

import gzip

from flask import Response, request


def compressed(response: Response) -> Response:
    """Compress the body of a response if the browser takes that.

    This is for data that many listeners share. An answer with a secret of one of them next to text of another must not
    be compressed, because its size would tell something about the secret.
    """
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"]:
        response.data = gzip.compress(response.data, compresslevel=6, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    return response
