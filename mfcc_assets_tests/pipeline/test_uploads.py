"""The steps that answer uploads: which services are asked, what is read, and whose failure it is."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from unittest.mock import Mock

import pytest

from mfcc_assets.ids import AudioId, digest_of_file
from mfcc_assets.library import Library
from mfcc_assets.pipeline import uploads as upload_steps
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.pipeline.upload_document import State, UploadDocument
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
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets_tests.audio_samples import retag, write_music
from mfcc_assets_tests.runs import copied_home, drop_upload
from mfcc_assets_tests.services.recognition import (
    AcoustIdDouble,
    AcrCloudDouble,
    AudDDouble,
    sends,
    serving,
)
from mfcc_assets_tests.upload_steps import answer_uploads, answering_run


@dataclass(frozen=True)
class Services:
    audd: AudDDouble
    acrcloud: AcrCloudDouble
    acoustid: AcoustIdDouble

    def fail(self) -> None:
        """Let every service answer with an error from now on."""
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
    """A song that the library does not hold, without tags."""
    return write_music(tmp_path / "query.flac", 6.0, seed=99)


def recognised(document: UploadDocument) -> tuple[str, str]:
    """Title of the recording that an upload was recognised as, and name of the recogniser."""
    assert document.recognised is not None
    return document.recognised.title, document.recognised.by


def test_an_upload_is_answered_without_a_title_if_every_service_fails_and_the_reasons_are_kept(
    asking: Library, services: Services, song: Path
) -> None:
    services.fail()
    upload = drop_upload(asking, song, "query.flac")
    (document,) = answer_uploads(asking, [upload])

    assert (document.state, document.recognised, document.recommendations) == (State.RANKED, None, 5)
    assert len(asking.recommendations.recommended(upload)) == 5
    assert asking.documents.get(upload).body["recognition_failures"] == [
        {"by": "audd", "reason": "AudD: the requests of the token are used up. Extend the plan of the account."},
        {
            "by": "acrcloud",
            "reason": "ACRCloud: the requests of the project are used up. Extend the plan of the project.",
        },
        {"by": "acoustid", "reason": "AcoustID: its answer makes no sense. Check its address in the settings."},
    ]


def test_the_document_of_an_upload_holds_no_secret(asking: Library, services: Services, song: Path) -> None:
    services.fail()
    (document,) = answer_uploads(asking, [drop_upload(asking, song, "query.flac")])
    stored = json.dumps(document.body)
    assert not [name for name, secret in services.secrets.items() if secret in stored]


def test_a_service_without_its_secret_is_skipped(
    asking: Library, services: Services, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MFCC_SECRET_AUDD_TOKEN")
    (document,) = answer_uploads(asking, [drop_upload(asking, song, "query.flac")])

    assert document.recognised is not None
    assert document.recognised.by == "acrcloud"
    (failure,) = document.recognition_failures
    assert failure.reason == "Secret audd-token: it is not configured. Set MFCC_SECRET_AUDD_TOKEN."
    assert services.audd.received == []


def test_no_service_is_asked_after_one_that_knows_the_upload(asking: Library, services: Services, song: Path) -> None:
    services.audd.knows = False
    (document,) = answer_uploads(asking, [drop_upload(asking, song, "query.flac")])

    assert recognised(document) == ("Ocean", "acrcloud")
    assert document.recognition_failures == ()
    doubles = (services.audd, services.acrcloud, services.acoustid)
    assert [len(double.received) for double in doubles] == [1, 1, 0]


def test_a_recording_of_the_library_is_sent_to_no_service(
    asking: Library, services: Services, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Recognition("Song 3", "", "library")
    monkeypatch.setattr(LibraryRecogniser, "recognise", lambda *_: known)
    (document,) = answer_uploads(asking, [drop_upload(asking, song, "known.flac")])
    assert recognised(document) == ("Song 3", "library")
    assert services.audd.received == []


def test_the_tags_are_believed_if_every_service_fails(asking: Library, services: Services, song: Path) -> None:
    services.fail()
    retag(song, title="It says so itself")
    (document,) = answer_uploads(asking, [drop_upload(asking, song, "query.flac")])
    assert recognised(document) == ("It says so itself", "tags")
    assert len(document.recognition_failures) == 3


@pytest.mark.parametrize("order", ["tags,audd", "audd,tags"])
def test_the_settings_order_the_recognisers(up_to_date_home: Path, settings: Settings, song: Path, order: str) -> None:
    copied_home(up_to_date_home, settings.home)
    retag(song, title="It says so itself")
    with Library(settings.model_copy(update={"recognisers": order})) as library:
        answer = recommend_file(library, song, count=3)
    assert answer.recognised is not None
    assert answer.recognised.by == order.split(",", maxsplit=1)[0]


def test_a_file_that_is_not_uploaded_is_answered_too_if_every_service_fails(
    asking: Library, services: Services, song: Path
) -> None:
    services.fail()
    answer = recommend_file(asking, song, count=3)
    assert answer.recognised is None
    assert len(answer.recommendations) == 3


class CountingBlobs(LocalBlobs):
    """Local blobs that count how often each blob of the container `batch` is read."""

    def __init__(self, library: Library) -> None:
        super().__init__(library.settings.blobs, lambda: library.signing_key)
        self.reads: Counter[str] = Counter()

    @contextmanager
    def as_file(self, container: str, name: str) -> Iterator[Path]:
        self._count(container, name)
        with super().as_file(container, name) as path:
            yield path

    @contextmanager
    def open(self, container: str, name: str) -> Iterator[BinaryIO]:
        self._count(container, name)
        with super().open(container, name) as file:
            yield file

    def _count(self, container: str, name: str) -> None:
        if container == "batch":
            self.reads[name] += 1


def test_a_run_reads_an_upload_once_to_analyse_it_and_once_to_recognise_it_and_digests_it_once(
    ten_tracks: Library, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = drop_upload(ten_tracks, song, "query.flac")
    ten_tracks.blobs = blobs = CountingBlobs(ten_tracks)
    digests = Mock(wraps=digest_of_file)
    monkeypatch.setattr(upload_steps, "digest_of_file", digests)

    (document,) = answer_uploads(ten_tracks, [upload])

    assert document.state is State.RANKED
    assert blobs.reads == {document.batch: 2}
    assert digests.call_count == 1


def test_an_upload_whose_features_were_deleted_meanwhile_is_analysed_again(ten_tracks: Library, song: Path) -> None:
    upload, run = drop_upload(ten_tracks, song, "query.flac"), answering_run("run")
    for step in (receive_uploads, analyse_uploads, recognise_uploads):
        (document,) = step(ten_tracks, [upload], run=run)
    ten_tracks.features.delete(AudioId(str(document.audio_id)), ten_tracks.feature_parameters)

    for step in (find_upload_candidates, rank_uploads, recommend_for_uploads):
        (document,) = step(ten_tracks, [upload], run=run)

    assert (document.state, document.recommendations) == (State.RANKED, 5)


def test_cepstra_of_another_version_fail_their_own_upload_and_no_other_of_the_run(
    ten_tracks: Library, tmp_path: Path
) -> None:
    songs = [write_music(tmp_path / f"{seed}.flac", 3.0, seed=seed) for seed in (97, 98, 99)]
    uploads, run = [drop_upload(ten_tracks, path, path.name) for path in songs], answering_run("run")
    receive_uploads(ten_tracks, uploads, run=run)
    documents = analyse_uploads(ten_tracks, uploads, run=run)
    mislabel_cepstra(ten_tracks, AudioId(str(documents[1].audio_id)))

    for step in (recognise_uploads, find_upload_candidates, rank_uploads, recommend_for_uploads):
        documents = step(ten_tracks, uploads, run=run)

    assert [document.state for document in documents] == [State.RANKED, State.FAILED, State.RANKED]
    assert documents[1].failure is not None
    assert documents[1].failure.code == "no_features"


def mislabel_cepstra(library: Library, audio_id: AudioId) -> None:
    """Store the cepstra of an audio that other parameters made under the name of the present ones."""
    expected = library.feature_parameters.cepstra
    other = replace(expected, preemphasis=0.5)
    library.features.write_analysis(audio_id, library.features.read_analysis(audio_id, expected), other)
    made, named = (
        f"frames/features_version={parameters.version}/{audio_id}.parquet" for parameters in (other, expected)
    )
    library.blobs.write("cepstra", named, library.blobs.read("cepstra", made))
