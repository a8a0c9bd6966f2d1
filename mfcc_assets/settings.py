"""Everything that can be set: by the environment or by a settings file. Only this module reads the environment."""

import os
import warnings
from collections.abc import MutableMapping
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mfcc_assets.databricks_settings import DatabricksSettings, check_job
from mfcc_assets.ranking_names import DEFAULT_RANKING, PRESENT_NAMES, RANKING_NAMES
from mfcc_assets.settings_files import SettingsFile, files_of_settings, read_settings_file, unknown_variables
from mfcc_assets.texts import printable
from mfcc_assets.web_settings import WebSettings, is_host

_SPARE_DAYS = 7

_LONGEST_RETENTION = 20_000
"""Largest number of days, about 55 years. Cosmos DB counts the lifetime of a document in seconds, in 32 bits."""

RECOGNISERS = ("library", "audd", "acrcloud", "acoustid", "tags")


BETWEEN_FOLDERS = "Colons separate folders; `mfcc add --in-place` takes a folder whose name has one"
"""What to do if a part of the setting `music` leads nowhere."""


class Settings(DatabricksSettings, WebSettings):
    """Settings of one library. Each is read from the variable ``MFCC_<NAME>``, or from its line in a settings file.

    The environment comes before the file `mfcc.toml` in the current folder, and this one before the file of the user.
    With the defaults everything lies in one folder of this machine; no account and no server is needed.

    Examples
    --------
    >>> Settings(ranking="dtw").ranking
    'dtw'
    """

    model_config = SettingsConfigDict(env_prefix="MFCC_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    home: Path = Field(Path("mfcc_data"), description="Folder of the blobs, the databases and Dagster's state")
    profile: Literal["local", "azure"] = Field(
        "local", description="Where blobs and documents are kept: local, or azure"
    )
    music: str = Field("", description="local: folders of music that the library uses in place, separated by colons")
    database_url: str = Field("", description="SQLAlchemy address of the database; empty: SQLite in the home")
    database_password_secret: str = Field(
        "", description="Secret that holds the database's password; empty: no password is needed"
    )
    shard_digits: Literal[1, 2] = Field(
        1, description="1: 16 shards; 2: 256 shards, for more than 50,000 tracks; it cannot be changed later"
    )

    min_seconds: float = Field(1.0, ge=0.1, description="Shorter audio is rejected")
    max_seconds: float = Field(4 * 3600.0, gt=0, description="Longer audio is rejected")
    max_upload_gigabytes: float = Field(4.0, gt=0, le=1e6, description="Larger uploads are rejected")
    fft_size: int | None = Field(
        None, gt=0, le=2**16, description="Points of the FFT; empty: the smallest power of two that holds a frame"
    )
    contour_rate: float = Field(
        2.0, ge=0.01, le=100, description="Frames per second that dynamic time warping compares"
    )

    recommendations: int = Field(5, gt=0, description="Number of tracks recommended for a query")
    per_artist: int = Field(
        2,
        ge=0,
        description="Number of tracks of one artist, or of one album, after which others are preferred; 0: no limit",
    )
    first_index_tracks: int = Field(
        200,
        gt=0,
        description="A first load publishes an index of this many tracks, and another one whenever it has doubled",
    )
    ranking: str = Field(DEFAULT_RANKING, description="How tracks are compared: fused, gaussian, dtw or article")
    quality_margin: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Largest amount by which the precision, or the share of tracks never recommended, may be worse than"
        " in the published index",
    )

    recognisers: str = Field(
        "library,tags",
        description="Recognisers in the order in which they are asked: library, audd, acrcloud, acoustid, tags",
    )
    audd_url: str = Field("https://api.audd.io/", description="Address of AudD; needs the secret audd-token")
    acrcloud_url: str = Field(
        "", description="Address of the ACRCloud project; needs the secrets acrcloud-key and acrcloud-secret"
    )
    acoustid_url: str = Field(
        "https://api.acoustid.org/v2/lookup", description="Address of AcoustID; needs the secret acoustid-key"
    )

    blob_url: str = Field("", description="azure: address of the storage account's blobs")
    blob_key_secret: str = Field("", description="azure: secret that holds the account's key; empty: managed identity")
    blob_inventory: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]*$",
        description="azure: rule of the Blob inventory whose reports name the soundtracks; empty: they are listed",
    )
    cosmos_url: str = Field("", description="azure: address of the Cosmos DB account")
    cosmos_database: str = Field("mfcc", description="azure: database of the documents")
    cosmos_key_secret: str = Field(
        "", description="azure: secret that holds the account's key; empty: managed identity"
    )
    cache_gigabytes: float = Field(
        20.0, gt=0, le=1e6, description="azure: largest size of the cache of blobs on this disk"
    )
    key_vault_url: str = Field("", description="Address of the Key Vault; empty: secrets are MFCC_SECRET_<NAME>")
    secret_seconds: float = Field(
        300.0, ge=0, description="A secret is read again after this time, because it may be rotated"
    )
    link_seconds: int = Field(600, gt=0, le=3600, description="How long a link to a blob is valid")
    retention_days: int = Field(
        0,
        ge=0,
        le=_LONGEST_RETENTION,
        description="Uploads, and all that was computed from them, are purged after this many days; 0: never",
    )
    history_days: int = Field(
        30,
        ge=0,
        le=_LONGEST_RETENTION,
        description="Dagster deletes runs, with their events, logs and pictures, after this many days, except the last "
        "run of each asset; 0: never",
    )

    compute: Literal["local", "spark", "databricks"] = Field(
        "local",
        description="Where heavy work runs: local, on all cores of this machine; spark; or databricks",
    )
    spark_master: str = Field(
        "local[*,4]",
        pattern=r"^(local(\[.+\])?|local-cluster\[.+\]|yarn|(spark|k8s|sc)://.+)$",
        description="spark: master, such as spark://HOST:7077, or the address sc://HOST of a Spark Connect server",
    )

    automation: Literal["sensors", "conditions"] = Field(
        "sensors",
        description="What brings the library up to date in Dagster: sensors, or automation conditions of the assets",
    )
    settle_seconds: float = Field(
        2.0, ge=0, le=3600, description="A file that changed within this time may still be being copied"
    )
    sweep_seconds: int = Field(60, gt=0, description="Time between two sweeps for uploads that were left half-way")
    library_sweep_seconds: int = Field(
        60, gt=0, description="Time between two sweeps for soundtracks; each sweep asks the database"
    )
    watch_seconds: float = Field(4.0, ge=0, le=30, description="How long a sensor waits for uploads in one tick")
    claim_seconds: float = Field(
        600.0, ge=0, le=1e6, description="An upload is taken over from a run that gave no sign of life for this time"
    )
    sensor_page: int = Field(100, gt=0, description="Largest number of new files that a sensor takes in one tick")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  there is none
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  there is none
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in the order in which they count. Pydantic calls this."""
        files = (SettingsFile(settings_cls, path) for path in settings_files())
        return init_settings, env_settings, *files

    @field_validator("home")
    @classmethod
    def _of_a_known_user(cls, home: Path) -> Path:
        _check_user(home)
        return home

    @field_validator("music")
    @classmethod
    def _of_absolute_folders(cls, music: str) -> str:
        for folder in filter(None, music.split(os.pathsep)):
            _check_user(Path(folder))
            if not Path(folder).expanduser().is_absolute():
                raise ValueError(
                    f"{printable(folder)} is no absolute path, and would be another folder from each place. "
                    f"{BETWEEN_FOLDERS}"
                )
        return music

    @field_validator(
        "blob_url",
        "cosmos_url",
        "key_vault_url",
        "audd_url",
        "acrcloud_url",
        "acoustid_url",
        "dagster_url",
        "databricks_url",
    )
    @classmethod
    def _of_server(cls, address: str) -> str:
        try:
            parts = urlsplit(address)
        except ValueError as error:
            raise ValueError(f"it is no address ({error})") from None
        try:
            parts.port  # noqa: B018  reading it checks it
        except ValueError:
            raise ValueError("the port in the address is not a number from 0 to 65535") from None
        # Addresses are split without their control characters, and would be used with them.
        is_plain = address.isprintable() and not any(map(str.isspace, address))
        if address and (not is_plain or parts.scheme not in ("https", "http") or not is_host(parts.hostname or "")):
            raise ValueError("it is no address such as https://HOST")
        return address

    @field_validator("database_url")
    @classmethod
    def _not_in_memory(cls, address: str) -> str:
        if address.startswith("sqlite") and (":memory:" in address or "mode=memory" in address):
            raise ValueError(
                "a database in memory is lost when a command ends; name a file, such as sqlite:////home/me/tables.sqlite"
            )
        return address

    @field_validator("ranking")
    @classmethod
    def _with_present_name(cls, ranking: str) -> str:
        present = PRESENT_NAMES.get(ranking, ranking)
        if present not in RANKING_NAMES:
            raise ValueError(f"there is no such ranking; choose one of {', '.join(RANKING_NAMES)}")
        if present != ranking:
            message = f"The ranking {ranking} is now called {present}: set MFCC_RANKING={present}."
            warnings.warn(message, FutureWarning, stacklevel=2)
        return present

    @model_validator(mode="after")
    def _warn_of_unknown_variables(self) -> Self:
        for sentence in unknown_variables(os.environ, type(self).model_fields):
            warnings.warn(sentence, UserWarning, stacklevel=2)
        return self

    @model_validator(mode="after")
    def _check_home(self) -> Self:
        # The home may be relative, so the whole path counts. Addresses of databases are UTF-8.
        try:
            str(self.folder).encode()
        except UnicodeEncodeError as error:
            shown = os.fsencode(self.folder).decode(errors="backslashreplace")
            raise ValueError(
                f"MFCC_HOME: the path {shown} is not valid UTF-8; choose a folder whose whole path is valid UTF-8"
            ) from error
        return self

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.min_seconds >= self.max_seconds:
            raise ValueError("MFCC_MIN_SECONDS must be below MFCC_MAX_SECONDS")
        return self

    @model_validator(mode="after")
    def _check_recognisers(self) -> Self:
        unknown = sorted(set(self.recogniser_names) - set(RECOGNISERS))
        if unknown:
            raise ValueError(f"MFCC_RECOGNISERS knows {', '.join(RECOGNISERS)}, not {printable(', '.join(unknown))}")
        return self

    @model_validator(mode="after")
    def _check_profile(self) -> Self:
        needed = {"blob_url": self.blob_url, "cosmos_url": self.cosmos_url, "database_url": self.database_url}
        missing = [f"MFCC_{name.upper()}" for name, address in needed.items() if not address]
        if self.profile == "azure" and missing:
            raise ValueError(f"MFCC_PROFILE=azure needs {', '.join(missing)}")
        if self.profile == "azure" and self.music_folders:
            raise ValueError("MFCC_PROFILE=azure cannot use folders in place; unset MFCC_MUSIC")
        if self.compute == "databricks":
            check_job(self.profile, self.databricks_url, self.databricks_job)
        if self.profile == "local" and self.blob_inventory:
            raise ValueError("MFCC_BLOB_INVENTORY needs MFCC_PROFILE=azure; folders have no inventory")
        return self

    @cached_property
    def folder(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def music_folders(self) -> list[Path]:
        """The folders that `music` names."""
        return [Path(path).expanduser() for path in self.music.split(os.pathsep) if path]

    @property
    def holds_library(self) -> bool:
        """Whether the home holds a library."""
        return any(path.exists() for path in (self.blobs, self.documents, self.tables))

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def documents(self) -> Path:
        return self.folder / "documents.sqlite"

    @property
    def tables(self) -> Path:
        return self.folder / "tables.sqlite"

    @property
    def sessions(self) -> Path:
        return self.folder / "sessions.sqlite"

    @property
    def dagster_home(self) -> Path:
        return self.folder / "dagster"

    @property
    def progress_file(self) -> Path:
        return self.folder / "progress.json"

    @property
    def tables_url(self) -> str:
        """Address of the database. What has a meaning in addresses, as a question mark, is escaped in it."""
        if self.database_url:
            return self.database_url
        from sqlalchemy import URL

        return URL.create("sqlite", database=str(self.tables)).render_as_string()

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def cache_bytes(self) -> int:
        return int(self.cache_gigabytes * 1e9)

    @property
    def document_seconds(self) -> int | None:
        """Seconds after which a document disappears by itself; None if never.

        The time is longer than that of the retention, because a purge needs the document.
        """
        return (self.retention_days + _SPARE_DAYS) * 24 * 3600 if self.retention_days else None

    @property
    def max_upload_bytes(self) -> int:
        return int(self.max_upload_gigabytes * 1e9)

    @property
    def blobs_address(self) -> str:
        """Address of the containers, as people read it."""
        return self.blob_url if self.profile == "azure" else str(self.blobs)

    @property
    def documents_address(self) -> str:
        """Address of the documents, as people read it."""
        return f"{self.cosmos_url}, {self.cosmos_database}" if self.profile == "azure" else str(self.documents)

    @property
    def recogniser_names(self) -> list[str]:
        return [name.strip() for name in self.recognisers.split(",") if name.strip()]

    @property
    def environment(self) -> MutableMapping[str, str]:
        """Variables of this process, which hold the secrets if there is no vault."""
        return os.environ

    @property
    def environment_of_children(self) -> dict[str, str]:
        """Variables for the processes that this one starts, which find no settings file in another folder."""
        in_files = {name for path in settings_files() for name in read_settings_file(path)}
        values = {f"MFCC_{name.upper()}": str(getattr(self, name)) for name in sorted(in_files)}
        return {**os.environ, **values, "MFCC_HOME": str(self.folder)}


def settings_files() -> tuple[Path, ...]:
    """Return the paths at which a settings file is looked for, whether or not it exists. The first one counts most."""
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    # Unlike Path.expanduser, this does not fail for a user without a home directory.
    return files_of_settings(Path(configured or os.path.expanduser("~/.config")))  # noqa: PTH111


def where_set(name: str) -> str:
    """Return the variable that sets a setting or, if a settings file does, the name of the setting and the file."""
    variable = f"MFCC_{name.upper()}"
    path = next((path for path in settings_files() if name in read_settings_file(path)), None)
    return variable if path is None or os.environ.get(variable) else f"{name} in {path}"


def _check_user(path: Path) -> None:
    try:
        path.expanduser()
    except RuntimeError:
        raise ValueError(f"the user in {printable(str(path))} has no home directory") from None
