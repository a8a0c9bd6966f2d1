"""The settings of the web pages."""

import re
from ipaddress import ip_address, ip_network
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from mfcc_assets.texts import printable

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""Names under which a browser on this machine finds the pages."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?", re.ASCII)
"""The names of hosts. Names within a network may hold underscores."""

LONGEST_SHARE_DAYS = 366
"""Longest time for which an answer can be shared."""


class WebSettings(BaseSettings):
    """Settings of the web pages. `mfcc_assets.settings.Settings` reads them with all others."""

    web_host: str = Field("127.0.0.1", description="Address at which the web pages are served")
    web_port: int = Field(8000, ge=1, le=65535, description="Port at which the web pages are served")
    web_trusted_hosts: str = Field(
        "",
        description="Names, separated by commas, under which browsers may ask for the web pages, beside this machine's"
        " own; a dot in front allows all names below it",
    )
    web_proxies: str = Field(
        "",
        description="Addresses and networks, separated by commas, of proxies whose forwarded headers the web pages"
        " believe",
    )
    web_upload_megabytes: float = Field(300.0, gt=0, le=1e6, description="Larger uploads are refused by the web pages")
    web_free_gigabytes: float = Field(
        2.0, ge=0, le=1e6, description="With less free disk than this, the web pages refuse uploads"
    )
    web_uploads_per_hour: int = Field(60, gt=0, description="Uploads that one address may send in an hour")
    web_requests_per_minute: int = Field(
        600, gt=0, description="Requests for programs that one key, or one address without a key, may send in a minute"
    )
    web_receiving_uploads: int = Field(32, gt=0, description="Uploads that the web pages receive at the same time")
    web_waiting_uploads: int = Field(200, gt=0, description="With more unanswered uploads, the web pages refuse others")
    web_streams: int = Field(
        64, gt=0, description="Pages that are told of news at once by the server; others ask every few seconds"
    )
    web_idle_seconds: float = Field(
        30.0, gt=0, le=3600, description="A connection that sends or takes nothing for this time is closed"
    )
    web_share_days: int = Field(30, gt=0, le=LONGEST_SHARE_DAYS, description="How long a shared answer can be seen")
    web_login: Literal["off", "header", "password"] = Field(
        "off", description="Who may see the web pages: off, everybody; header, whom a proxy names; password"
    )
    web_login_header: str = Field(
        "X-MS-CLIENT-PRINCIPAL-NAME", description="header: the header in which a proxy of `web_proxies` names the user"
    )
    web_paths_without_login: str = Field(
        "",
        description="header: paths, separated by commas, that the proxy passes without its log-in, such as /api/*; no"
        " user is named there, and only keys count",
    )
    web_password_secret: str = Field(
        "web-password", description="password: secret that holds the argon2id hash of the password"
    )
    dagster_url: str = Field("", description="Address of Dagster's UI, to which the web pages link; empty: no links")

    @field_validator("web_proxies")
    @classmethod
    def _of_addresses(cls, proxies: str) -> str:
        for proxy in _listed(proxies):
            ip_network(proxy)  # its error says what is wrong
        return proxies

    @field_validator("web_paths_without_login")
    @classmethod
    def _of_paths(cls, paths: str) -> str:
        for path in _listed(paths):
            if not path.startswith("/") or "*" in path[:-1]:
                raise ValueError(f"{path} is no path such as /metrics or /api/*")
        return paths

    @field_validator("web_trusted_hosts")
    @classmethod
    def _of_hosts(cls, hosts: str) -> str:
        for host in _listed(hosts):
            # One name that is none keeps the names behind it from being compared.
            if not is_host(host.removeprefix(".")):
                raise ValueError(
                    f"{printable(host)} is no name of a host; write it without https:// and without a port"
                )
        return hosts

    @field_validator("web_login_header")
    @classmethod
    def _of_a_header(cls, name: str) -> str:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError("no header can have this name")
        return name

    @property
    def web_hosts(self) -> list[str]:
        """The names under which browsers may ask for the web pages."""
        return [*LOOPBACK_NAMES, *_listed(self.web_trusted_hosts)]

    @property
    def web_proxy_addresses(self) -> list[str]:
        """The addresses and networks of the proxies that are believed."""
        return _listed(self.web_proxies)

    @property
    def web_passed_paths(self) -> list[str]:
        """The paths that the proxy passes without its log-in. An asterisk at the end stands for all below."""
        return _listed(self.web_paths_without_login)

    @property
    def web_upload_bytes(self) -> int:
        return int(self.web_upload_megabytes * 1e6)

    @property
    def web_free_bytes(self) -> int:
        return int(self.web_free_gigabytes * 1e9)


def is_host(text: str) -> bool:
    """Return True if a text can be the name of a host, or an IP address with or without brackets.

    Examples
    --------
    >>> [is_host(text) for text in ("music.example", "[::1]", "a..b", "https://music.example", "music.example:80")]
    [True, True, False, False, False]
    """
    if ":" in text:
        in_brackets = text.startswith("[") and text.endswith("]")
        return _is_address(text[1:-1] if in_brackets else text)
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return _HOST_NAME.fullmatch(name) is not None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
