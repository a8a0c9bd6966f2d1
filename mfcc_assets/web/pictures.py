"""Pictures as answers of requests."""

from flask import Response, request


def sent_png(picture: bytes, cache_control: str) -> Response:
    """Send a PNG, or only its ETag if the browser has it already.

    Parameters
    ----------
    picture
        The PNG.
    cache_control
        How long the browser keeps it without asking, as the header has it.
    """
    response = Response(picture, content_type="image/png")
    response.headers["Cache-Control"] = cache_control
    response.add_etag()
    response.make_conditional(request)
    return response
