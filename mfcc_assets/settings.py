"""Everything that can be set, read from the environment. Nothing else reads the environment."""

import os
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mfcc_assets.core.audio import AudioLimits
from mfcc_assets.core.parameters import CepstraParameters, FeaturesParameters


class Settings(BaseSettings):
    """Settings of one library, each read from ``MFCC_<NAME>``.

    The defaults run everything in one folder of this machine, with no account and no server.
    """

    model_config = SettingsConfigDict(env_prefix="MFCC_", env_ignore_empty=True, frozen=True)

    home: Path = Field(Path("mfcc_data"), description="Folder of the blobs, the databases and Dagster's state")
    database_url: str = Field("", description="SQLAlchemy address of the tables; empty: SQLite in the home")
    shard_digits: Literal[1, 2] = Field(1, description="1: 16 shards; 2: 256, for over 50,000 tracks; fixed for life")

    min_seconds: float = Field(1.0, ge=0.1, description="Shorter audio is rejected")
    max_seconds: float = Field(4 * 3600.0, gt=0, description="Longer audio is rejected")
    fft_size: int | None = Field(None, gt=0, description="Points of the FFT; empty: the power of two above a frame")
    contour_rate: float = Field(2.0, gt=0, le=100, description="Frames a second that dynamic time warping compares")

    recommendations: int = Field(5, gt=0, description="Tracks recommended for a query")
    per_artist: int = Field(2, ge=0, description="Most tracks of one artist, or one album, in a list; 0: no limit")
    ranking: str = Field("fused", description="How tracks are compared: fused, timbre, dtw, or article as published")
    quality_margin: float = Field(
        0.05, ge=0, le=1, description="An index whose precision falls by more than this is not published"
    )

    settle_seconds: float = Field(2.0, ge=0, description="A file that changed so lately may still be being copied")
    sweep_seconds: int = Field(60, gt=0, description="Time between two full comparisons, which heal what was missed")
    watch_seconds: float = Field(4.0, ge=0, le=30, description="Time for which a sensor waits for uploads at one look")
    sensor_page: int = Field(100, gt=0, description="New files that a sensor takes at one look")

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.min_seconds >= self.max_seconds:
            raise ValueError("MFCC_MIN_SECONDS must be below MFCC_MAX_SECONDS")
        return self

    @cached_property
    def folder(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"

    @property
    def documents(self) -> Path:
        return self.folder / "documents.sqlite"

    @property
    def dagster_home(self) -> Path:
        return self.folder / "dagster"

    @property
    def tables_url(self) -> str:
        return self.database_url or f"sqlite:///{self.folder / 'tables.sqlite'}"

    def environment_of_processes(self) -> dict[str, str]:
        """The environment of processes that are to work on the same library, wherever they are started."""
        ours = {"MFCC_HOME": str(self.folder), "DAGSTER_HOME": str(self.dagster_home)}
        # What a step says of all its partitions is written at once: see `mfcc_assets.event_log`.
        return {**os.environ, "DAGSTER_EVENT_BATCH_SIZE": "1000", **ours}

    @property
    def limits(self) -> AudioLimits:
        return AudioLimits(min_seconds=self.min_seconds, max_seconds=self.max_seconds)

    @property
    def features(self) -> FeaturesParameters:
        return FeaturesParameters(cepstra=CepstraParameters(fft_size=self.fft_size), contour_rate=self.contour_rate)
