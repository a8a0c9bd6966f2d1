"""The commands of `dg`, which people who work on Dagster projects expect."""

import os
import subprocess
import sys
from pathlib import Path

from mfcc_assets.defs.launch import dagster_environment, prepare_dagster_home
from mfcc_assets.ids import shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets_tests.services.processes import REPOSITORY


def dg(library: Library, *arguments: str) -> str:
    """Run a command of `dg` in the repository, over a library, and return what it printed: no warning."""
    prepare_dagster_home(library.settings)
    environment = {
        **os.environ,
        **dagster_environment(library.settings),
        "VIRTUAL_ENV": sys.prefix,
        # dg looks at what it could make with each package of Dagster, and dagster-databricks warns of that.
        "PYTHONWARNINGS": "ignore:Class `SparkDeclarativePipelineScaffolder` is currently in preview",
    }
    ran = subprocess.run(
        [Path(sys.executable).with_name("dg"), *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Warning" not in ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_dg_checks_the_definitions(library: Library) -> None:
    assert "All definitions loaded successfully" in dg(library, "check", "defs")


def test_dg_lists_the_definitions(library: Library) -> None:
    listed = dg(library, "list", "defs", "--json")

    for name in ("soundtrack_cepstra", "upload_recommendations", "features_match_reference", "soundtracks_sensor"):
        assert f'"{name}"' in listed


def test_dg_launches_an_asset(library: Library, ten_songs: list[Path]) -> None:
    library.blobs.upload_file("soundtracks", "song.flac", ten_songs[0])
    shard = shard_of(track_id("song.flac"), library.settings.shard_digits)

    dg(library, "launch", "--assets", "raw_soundtracks", "--partition", shard)

    assert [track.blob_name for track in library.catalogue.soundtracks()] == ["song.flac"]
