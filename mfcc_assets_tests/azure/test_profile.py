"""With the settings of the profile `azure`, the engine gives the same answers as in a folder."""

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import pytest
from pydantic import ValidationError

from mfcc_assets.definitions import build_defs
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets_tests.runs import Work, drop_upload, run_library, run_uploads
from mfcc_assets_tests.services.faulty_proxy import Exchange, FaultyProxy


def lists(library: Library) -> dict[str, list[tuple[str, float]]]:
    """Return the names and distances of the recommendations of each soundtrack, by its name."""
    return {
        track.blob_name: [(row.blob_name, row.distance) for row in library.recommendations.recommended(track.track_id)]
        for track in library.catalogue.soundtracks()
    }


def is_download(exchange: Exchange) -> bool:
    """Return True if this is the answer with the bytes of a soundtrack."""
    is_list = "comp=list" in exchange.path
    return exchange.method == "GET" and "/soundtracks/" in exchange.path and not is_list and exchange.received > 0


def test_a_library_and_an_upload_get_the_same_answers_as_in_a_folder(
    ten_tracks: Library,
    azure_library: Library,
    ten_songs: list[Path],
    instance: dg.DagsterInstance,
    blob_proxy: FaultyProxy,
) -> None:
    assert (ten_tracks.settings.profile, azure_library.settings.profile) == ("local", "azure")
    for song in ten_songs:
        azure_library.blobs.upload_file("soundtracks", song.name, song)
    first = run_library(azure_library, instance)
    fetched = Counter(urlsplit(each.path).path.rpartition("/")[2] for each in blob_proxy.exchanges if is_download(each))
    again = run_library(azure_library, instance)
    uploads = {library: drop_upload(library, ten_songs[3], "query.flac") for library in (azure_library, ten_tracks)}
    for library, upload in uploads.items():
        run_uploads(library, instance, [upload])

    assert (first.work.cepstra, first.retries) == (10, [])
    assert fetched == {song.name: 1 for song in ten_songs}, "the tags and the audio are read from one copy"
    assert again.work == Work(), "an unchanged library must not be computed or written again"
    assert lists(azure_library) == lists(ten_tracks)
    in_cloud, in_folder = (library.documents.get(upload).body for library, upload in uploads.items())
    compared = ("state", "recognised", "audio_id", "recommendations", "index_version", "seconds")
    assert {name: in_cloud[name] for name in compared} == {name: in_folder[name] for name in compared}


def test_the_resource_of_dagster_lists_the_containers(azure_library: Library) -> None:
    assert list(azure_library.blobs.list("soundtracks")) == []
    resource = (build_defs().resources or {})["azure_blob_storage"]

    @dg.op
    def containers(azure_blob_storage: dg.ResourceParam[Any]) -> list[str]:
        with azure_blob_storage.get_client() as client:
            return [container.name for container in client.list_containers()]

    @dg.job(resource_defs={"azure_blob_storage": resource})
    def look() -> None:
        containers()

    with dg.DagsterInstance.ephemeral() as instance:
        assert sorted(look.execute_in_process(instance=instance).output_for_node("containers")) == sorted(CONTAINERS)


def test_the_error_of_the_profile_names_the_missing_addresses() -> None:
    with pytest.raises(ValidationError, match="MFCC_PROFILE=azure needs MFCC_COSMOS_URL, MFCC_DATABASE_URL"):
        Settings(profile="azure", blob_url="https://account.blob.core.windows.net")


def test_the_error_of_an_unknown_recogniser_lists_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="library, audd, acrcloud, acoustid, tags, not shazam"):
        Settings(recognisers="library, shazam")
