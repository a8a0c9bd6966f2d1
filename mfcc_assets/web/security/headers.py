"""Headers that tell a browser what pages and files of this site may do."""

from flask import Flask, Response, request

_PAGES = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data: {files}",
    "media-src 'self' {files}",
    "font-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
)

FILES_POLICY = "default-src 'none'; sandbox"
"""Policy for files of listeners and libraries, so that none of them can run as a page."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Other sites learn no address of a page, which may hold the token of a shared answer. This site must be told: with
    # "no-referrer" browsers send "Origin: null" with every form, also with those of this site.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def add_headers(app: Flask, files_address: str) -> None:
    """Let every response of the app carry the headers.

    Parameters
    ----------
    app
        The app.
    files_address
        Address of the storage account whose links pages play and show; empty if this site serves its files itself.
    """
    policy = "; ".join(_PAGES).format(files=files_address).replace(" ;", ";")

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", policy)
        # A page may name a listener's upload, so no cache on the way may keep it.
        response.headers.setdefault("Cache-Control", "no-store, private")
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
