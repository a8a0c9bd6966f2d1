"""Uploads that recognition services are asked about: in the order of the settings, and answered whatever they do."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import recommend_file
from mfcc_assets.pipeline.upload_document import AnsweringRun
from mfcc_assets.pipeline.uploads import (
    analyse_uploads,
    find_upload_candidates,
    rank_uploads,
    receive_uploads,
    recognise_uploads,
    recommend_for_uploads,
)
from mfcc_assets.recognition.recogniser import LibraryRecogniser, Recognition
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import retag, write_music
from mfcc_assets_tests.runs import copied_home, drop_upload
from mfcc_assets_tests.services.recognition import (
    AcoustIdDouble,
    AcrCloudDouble,
    AudDDouble,
    sends,
    serving,
)

STEPS = [
    receive_uploads,
    analyse_uploads,
    recognise_uploads,
    find_upload_candidates,
    rank_uploads,
    recommend_for_uploads,
]


@dataclass(frozen=True)
class Services:
    audd: AudDDouble
    acrcloud: AcrCloudDouble
    acoustid: AcoustIdDouble

    def fail(self) -> None:
        """None of them is of any use from now on."""
        self.audd.error = 902
        self.acrcloud.error = 3003
        self.acoustid.faults.extend([sends(b"<html>Back soon</html>")] * 3)

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "MFCC_SECRET_AUDD_TOKEN": self.audd.token,
            "MFCC_SECRET_ACRCLOUD_KEY": self.acrcloud.key,
            "MFCC_SECRET_ACRCLOUD_SECRET": self.acrcloud.secret,
            "MFCC_SECRET_ACOUSTID_KEY": self.acoustid.key,
        }


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    services = Services(AudDDouble(), AcrCloudDouble(), AcoustIdDouble())
    with ExitStack() as serve:
        for double in (services.audd, services.acrcloud, services.acoustid):
            serve.enter_context(serving(double))
        for name, secret in services.secrets.items():
            monkeypatch.setenv(name, secret)
        yield services


@pytest.fixture
def settings(tmp_path: Path, services: Services) -> Settings:
    return Settings(
        home=tmp_path / "home",
        settle_seconds=0,
        recognisers="library,audd,acrcloud,acoustid,tags",
        audd_url=services.audd.url,
        acrcloud_url=services.acrcloud.url,
        acoustid_url=f"{services.acoustid.url}/v2/lookup",
    )


@pytest.fixture
def asking(up_to_date_home: Path, settings: Settings) -> Iterator[Library]:
    """A library of ten songs whose settings name every recogniser."""
    copied_home(up_to_date_home, settings.home)
    with Library(settings) as library:
        yield library


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """What the library does not hold, without tags."""
    return write_music(tmp_path / "query.flac", 6.0, seed=99)


def answered(library: Library, upload: str) -> dict[str, Any]:
    run = AnsweringRun("run", datetime.now(UTC), lambda _: False, 3600.0)
    for step in STEPS:
        (body,) = step(library, [upload], run=run)
    return body


def test_an_upload_that_no_service_can_be_asked_about_is_answered_as_unrecognised_with_every_reason(
    asking: Library, services: Services, song: Path
) -> None:
    services.fail()
    upload = drop_upload(asking, song, "query.flac")
    body = answered(asking, upload)

    assert (body["state"], body["recognised"], body["recommendations"]) == ("ranked", None, 5)
    assert len(asking.recommendations.recommended(upload)) == 5
    assert asking.documents.get(upload).body["recognition_failures"] == [
        {"by": "audd", "reason": "AudD: the requests of the token are used up. Extend the plan of the account."},
        {
            "by": "acrcloud",
            "reason": "ACRCloud: the requests of the project are used up. Extend the plan of the project.",
        },
        {"by": "acoustid", "reason": "AcoustID: its answer makes no sense. Check its address in the settings."},
    ]


def test_no_secret_is_in_an_uploads_document(asking: Library, services: Services, song: Path) -> None:
    services.fail()
    told = json.dumps(answered(asking, drop_upload(asking, song, "query.flac")))
    assert not [name for name, secret in services.secrets.items() if secret in told]


def test_a_service_without_its_secret_is_passed_over(
    asking: Library, services: Services, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MFCC_SECRET_AUDD_TOKEN")
    body = answered(asking, drop_upload(asking, song, "query.flac"))

    assert body["recognised"]["by"] == "acrcloud"
    (failure,) = body["recognition_failures"]
    assert failure["reason"] == "Secret audd-token: It is not configured. Set MFCC_SECRET_AUDD_TOKEN."
    assert services.audd.received == []


def test_the_first_service_that_knows_an_upload_is_the_last_that_is_asked(
    asking: Library, services: Services, song: Path
) -> None:
    services.audd.knows = False
    body = answered(asking, drop_upload(asking, song, "query.flac"))

    assert (body["recognised"]["title"], body["recognised"]["by"]) == ("Ocean", "acrcloud")
    assert body["recognition_failures"] == []
    doubles = (services.audd, services.acrcloud, services.acoustid)
    assert [len(double.received) for double in doubles] == [1, 1, 0]


def test_what_the_library_holds_is_told_to_no_service(
    asking: Library, services: Services, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Recognition("Song 3", "", "library")
    monkeypatch.setattr(LibraryRecogniser, "recognise", lambda *_: known)
    body = answered(asking, drop_upload(asking, song, "known.flac"))
    assert (body["recognised"]["title"], body["recognised"]["by"]) == ("Song 3", "library")
    assert services.audd.received == []


def test_tags_are_believed_where_every_service_fails(asking: Library, services: Services, song: Path) -> None:
    services.fail()
    retag(song, title="It says so itself")
    body = answered(asking, drop_upload(asking, song, "query.flac"))
    assert (body["recognised"]["title"], body["recognised"]["by"]) == ("It says so itself", "tags")
    assert len(body["recognition_failures"]) == 3


@pytest.mark.parametrize("order", ["tags,audd", "audd,tags"])
def test_the_order_is_a_setting(up_to_date_home: Path, settings: Settings, song: Path, order: str) -> None:
    copied_home(up_to_date_home, settings.home)
    retag(song, title="It says so itself")
    with Library(settings.model_copy(update={"recognisers": order})) as library:
        answer = recommend_file(library, song, size=3)
    assert answer.recognised is not None
    assert answer.recognised.by == order.split(",")[0]


def test_a_file_that_is_only_asked_about_is_answered_as_well(asking: Library, services: Services, song: Path) -> None:
    services.fail()
    answer = recommend_file(asking, song, size=3)
    assert answer.recognised is None
    assert len(answer.recommendations) == 3
