"""A link to a blob on Azure lets its holder read one blob for a limited time."""

import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets_tests.services.azurite import Azurite, Identity
from mfcc_assets_tests.storage.blobs.samples import UNUSUAL_NAMES

ADAPTERS = ["azure_blobs_by_key", "azure_blobs_by_identity"]


class TestLinks:
    @pytest.fixture(params=ADAPTERS)
    def linked(self, request: pytest.FixtureRequest) -> AzureBlobs:
        return request.getfixturevalue(request.param)

    @pytest.fixture
    def http(self, azurite_ca: Path, azurite_with_tls: Azurite) -> Iterator[httpx.Client]:
        assert azurite_with_tls.scheme == "https"
        with httpx.Client(verify=ssl.create_default_context(cafile=azurite_ca)) as client:
            yield client

    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_a_link_opens_its_blob(self, linked, http, name):
        linked.write("artworks", name, b"0123456789")
        link = linked.link("artworks", name, seconds=60)
        assert link.isascii()
        assert http.get(link).content == b"0123456789"
        part = http.get(link, headers={"Range": "bytes=2-4"})
        assert (part.status_code, part.content) == (206, b"234")

    def test_a_link_only_allows_reading_its_blob(self, linked, http):
        for name in ("a", "b"):
            linked.write("artworks", name, b"1")
        link = linked.link("artworks", "a", seconds=60)
        put = {"x-ms-blob-type": "BlockBlob"}
        refused = {
            "write": http.put(link, content=b"2", headers=put),
            "delete": http.delete(link),
            "another blob": http.get(link.replace("/artworks/a?", "/artworks/b?")),
            "a list": http.get(link.replace("/artworks/a?", "/artworks?restype=container&comp=list&")),
            "a later end": http.get(link.replace("se=20", "se=21")),
            "more permissions": http.put(link.replace("sp=r", "sp=rw"), content=b"2", headers=put),
        }
        assert {what: answer.status_code for what, answer in refused.items()} == dict.fromkeys(refused, 403)
        assert linked.read("artworks", "a") == b"1"

    def test_a_link_states_its_permission_and_its_times(self, linked):
        before = datetime.now(UTC)
        address = urlsplit(linked.link("artworks", "a", seconds=600))
        allowed = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert (allowed["sp"], allowed["sr"]) == ("r", "b")
        assert allowed.get("spr", "http") == address.scheme
        ends, begins = (datetime.fromisoformat(allowed[time]) for time in ("se", "st"))
        assert before + timedelta(seconds=600) <= ends <= before + timedelta(seconds=610)
        assert begins < before - timedelta(minutes=1)

    def test_one_delegation_key_signs_many_links(
        self, azure_blobs_by_identity, azurite_with_tls, http, tmp_path, monkeypatch
    ):
        asked = []
        ask = BlobServiceClient.get_user_delegation_key

        def count(service: BlobServiceClient, *validity: datetime):
            asked.append(validity)
            return ask(service, *validity)

        monkeypatch.setattr(BlobServiceClient, "get_user_delegation_key", count)
        azure_blobs_by_identity.write("artworks", "a", b"1")
        for _ in range(3):
            link = azure_blobs_by_identity.link("artworks", "a", seconds=3600)
        assert http.get(link).content == b"1"
        assert len(asked) == 1
        half_an_hour = timedelta(minutes=30)
        blobs = AzureBlobs(azurite_with_tls.new_url(), Identity(), tmp_path, 1, delegation=half_an_hour)
        with closing(blobs):
            for _ in range(2):
                blobs.link("artworks", "a", seconds=3600)
        assert len(asked) == 3, "a key that expires before its links is replaced"

    def test_the_error_for_an_identity_that_may_not_sign_names_the_role(self, azure_blobs_by_identity, monkeypatch):
        def refuse(*_: object) -> None:
            error = HttpResponseError("refused")
            error.status_code = 403
            raise error

        monkeypatch.setattr(BlobServiceClient, "get_user_delegation_key", refuse)
        with pytest.raises(StoreError, match="'Storage Blob Delegator'"):
            azure_blobs_by_identity.link("artworks", "a", seconds=60)

    def test_a_player_can_continue_with_a_new_link_when_its_link_expires(self, linked, http):
        song = secrets.token_bytes(400_000)
        etag = linked.write("soundtracks", "song.flac", song).etag
        link, played, ended = linked.link("soundtracks", "song.flac", seconds=1), b"", 0
        while len(played) < len(song):
            asked = {"Range": f"bytes={len(played)}-{len(played) + 99_999}", "If-Match": f'"{etag}"'}
            answer = http.get(link, headers=asked)
            if answer.status_code == 403:
                ended += 1
                link = linked.link("soundtracks", "song.flac", seconds=60)
                continue
            assert answer.status_code == 206
            played += answer.content
            if len(played) == 200_000:
                while http.get(link, headers={"Range": "bytes=0-0"}).status_code == 206:
                    time.sleep(0.1)
        assert ended == 1
        assert played == song
