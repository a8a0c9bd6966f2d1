"""The server of the pages: gunicorn, with one process and many threads.

One process, because it counts the uploads that it receives and tells all open pages of news. Every upload and every
open page that is told of news holds a thread.
"""

import os
import socket
import webbrowser
from collections.abc import Callable, Mapping
from typing import Any

from gunicorn.app.base import BaseApplication

from mfcc_assets.errors import SettingsError
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.texts import printable
from mfcc_assets.web.app import create_app
from mfcc_assets.web.security.addresses import KnownAddresses
from mfcc_assets.web.security.login import check_login
from mfcc_assets.web.security.logs import LogWithoutSecrets
from mfcc_assets.web.timed_sockets import OpenConnections, TimedSocket, TimedThreadWorker, WaitingThreads
from mfcc_assets.web.uploads.blueprints import prepare_uploads

_SPARE_THREADS = 64
_GRACE_SECONDS = 2


def serve(settings: Settings, *, open_browser: bool = False, say: Callable[[str], None] = print) -> None:
    """Serve the pages of a library until the process is told to end.

    Parameters
    ----------
    settings
        Settings of the library and of the pages.
    open_browser
        Show the pages in the browser of this machine once they are served.
    say
        Prints a sentence for the person who started the server.

    Raises
    ------
    SettingsError
        If the address cannot be used, or nobody could log in with these settings.
    StoreError
        If the library cannot be opened.
    """
    with Library(settings) as library:
        # The server tells errors in a log. Here they are told to the person who starts it.
        _ = library.blobs, library.database
        check_login(library)
    listener = _listener(settings)
    address = f"http://{_named(settings.web_host)}:{settings.web_port}"

    def tell(_: object) -> None:
        say(f"The pages are at {address}. Ctrl-C ends them.")
        if open_browser:
            webbrowser.open(address)

    TimedSocket.idle_seconds = settings.web_idle_seconds
    # Many listeners share the address of a proxy. One on this machine need not be in the settings.
    shared = KnownAddresses([*settings.web_proxy_addresses, "127.0.0.1", "::1"])
    TimedThreadWorker.connections = OpenConnections(shared)
    threads = settings.web_streams + settings.web_receiving_uploads + _SPARE_THREADS
    # As many threads as uploads need may wait for their senders.
    TimedSocket.waiting = WaitingThreads(settings.web_receiving_uploads + _SPARE_THREADS // 4)
    options = {
        "bind": f"fd://{listener.fileno()}",
        "worker_class": "mfcc_assets.web.timed_sockets.TimedThreadWorker",
        "workers": 1,
        "threads": threads,
        "worker_connections": 8 * threads,
        # The worker's main thread says every second that it lives. A long DTW does not keep it from that.
        "timeout": 120,
        "graceful_timeout": _GRACE_SECONDS,
        "keepalive": 15,
        "loglevel": "warning",
        "logger_class": LogWithoutSecrets,
        "when_ready": tell,
        "control_socket_disable": True,
        "proc_name": "mfcc web",
        # Gunicorn would take addresses from a variable of the environment, and believe what they say of a request.
        # `KnownProxies` alone decides whom the pages believe.
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "forwarder_headers": "",
    }
    _Server(settings, options).run()


class _Server(BaseApplication):
    """Gunicorn with settings from here, and none from its files and variables."""

    def __init__(self, settings: Settings, options: Mapping[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Open the library in the worker, because connections to databases must not be shared by processes."""
        app = create_app(Library(self._settings))
        prepare_uploads(app)
        return app


def _listener(settings: Settings) -> socket.socket:
    host, port = settings.web_host, settings.web_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError, TypeError) as error:
        # A name that is no name of a host is a TypeError of the standard library.
        listener.close()
        number = error.errno if isinstance(error, OSError) else None
        raise SettingsError(
            f"the pages cannot be served there ({os.strerror(number) if number else error})",
            subject=f"{printable(host)}:{port}",
            remedy="Choose another address with MFCC_WEB_HOST and MFCC_WEB_PORT",
        ) from error
    return listener


def _named(host: str) -> str:
    """Return an address as a browser of this machine can ask for it."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  it is compared, not listened to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
