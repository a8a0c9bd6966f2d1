"""Tests of whether an upload may come now."""

import time
from contextlib import ExitStack, suppress

import pytest
from flask import Flask

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import UPLOADS
from mfcc_assets.web.uploads.admission import Admission
from mfcc_assets.web.uploads.refusals import Refused

ADDRESS = "192.0.2.1"


def _admission(library: Library, **settings: object) -> Admission:
    return Admission(Library(library.settings.model_copy(update={"web_free_gigabytes": 0.0, **settings})))


def _status(admission: Admission, size: int | None, address: str = ADDRESS) -> int:
    """Return 0 if an upload is admitted, and the status of the refusal otherwise."""
    with Flask(__name__).test_request_context():
        try:
            with admission.admitted(size, address):
                return 0
        except Refused as refused:
            return refused.code or 0


def test_an_upload_without_a_length_is_refused(library: Library) -> None:
    assert _status(_admission(library), None) == 411


def test_an_upload_up_to_the_limit_is_admitted_and_a_larger_one_is_not(library: Library) -> None:
    admission = _admission(library, web_upload_megabytes=1.0)

    assert _status(admission, 1_000_000) == 0
    assert _status(admission, 1_000_001) == 413


def test_only_so_many_come_at_the_same_time_and_the_next_may_come_after_one_has_come(library: Library) -> None:
    admission = _admission(library, web_receiving_uploads=2)

    with Flask(__name__).test_request_context(), ExitStack() as coming:
        for _ in range(2):
            coming.enter_context(admission.admitted(10, ADDRESS))
        assert _status(admission, 10) == 503
    assert _status(admission, 10) == 0


def test_uploads_that_wait_count_after_a_start_and_no_more_when_their_files_were_removed(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = UploadId("ab" * 16)
    library.blobs.write(UPLOADS, f"{upload}/song.mp3", b"audio")
    admission = _admission(library, web_waiting_uploads=1)
    hours = iter(range(1, 100))
    monkeypatch.setattr(time, "monotonic", lambda: 3600.0 * next(hours))

    assert (_status(admission, 10), admission.lately_stored()) == (503, [upload])
    library.blobs.delete(UPLOADS, f"{upload}/song.mp3")
    assert (_status(admission, 10), admission.lately_stored()) == (0, [])


def test_one_sender_holds_neither_all_places_nor_the_space_of_others(library: Library) -> None:
    admission = _admission(library)

    with Flask(__name__).test_request_context(), ExitStack() as coming:
        for _ in range(4):
            coming.enter_context(admission.admitted(10, ADDRESS))
        assert [_status(admission, 10), _status(admission, 10, "192.0.2.2")] == [429, 0]
    assert _status(admission, 10) == 0


def test_the_waiting_uploads_of_one_sender_are_at_most_a_quarter_of_all(library: Library) -> None:
    admission = _admission(library, web_waiting_uploads=8)
    uploads = [UploadId("0a" * 16), UploadId("0b" * 16)]
    for upload in uploads:
        admission.stored(upload, ADDRESS)

    assert [_status(admission, 10), _status(admission, 10, "192.0.2.2")] == [429, 0]
    admission.forget(uploads[0])
    assert _status(admission, 10) == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_limits_of_a_sender_do_not_hold_for_this_machine(library: Library, address: str) -> None:
    admission = _admission(library, web_waiting_uploads=24)
    for number in range(6):
        admission.stored(UploadId(f"{number:032x}"), address)

    with Flask(__name__).test_request_context(), ExitStack() as coming:
        for _ in range(4):
            coming.enter_context(admission.admitted(10, address))
        assert _status(admission, 10, address) == 0


def test_an_upload_that_failed_gives_its_place_to_another(library: Library) -> None:
    admission = _admission(library, web_receiving_uploads=1)
    with Flask(__name__).test_request_context(), suppress(KeyError), admission.admitted(10, ADDRESS):
        raise KeyError

    assert _status(admission, 10) == 0


def test_an_upload_that_would_fill_the_disk_is_refused(library: Library) -> None:
    assert _status(_admission(library, web_free_gigabytes=1e6), 10) == 507


def test_uploads_that_come_at_the_same_time_need_their_space_together(library: Library) -> None:
    from mfcc_assets.storage.disk_space import free_bytes

    half = free_bytes(library.settings.folder) * 2 // 3
    admission = _admission(library, web_upload_megabytes=1e6)

    with Flask(__name__).test_request_context(), admission.admitted(half, ADDRESS):
        assert _status(admission, half) == 507


def test_an_address_that_sends_too_many_is_refused_and_others_are_not(library: Library) -> None:
    admission = _admission(library, web_uploads_per_hour=1)

    assert [_status(admission, 10), _status(admission, 10), _status(admission, 10, "192.0.2.2")] == [0, 429, 0]


def test_too_many_unanswered_uploads_let_no_other_in(library: Library) -> None:
    admission = _admission(library, web_waiting_uploads=2)
    admission.stored(UploadId("0a" * 16), "192.0.2.9")
    library.documents.put("0b" * 16, {"state": "waiting", "received": "2026-01-01T00:00:00+00:00"})

    assert _status(admission, 10) == 503


def test_answered_uploads_wait_no_longer(library: Library) -> None:
    admission = _admission(library, web_waiting_uploads=1)
    admission.stored(UploadId("0a" * 16), "192.0.2.9")
    library.documents.put("0a" * 16, {"state": "ranked", "received": "2026-01-01T00:00:00+00:00"})

    assert _status(admission, 10) == 0


def test_a_deleted_upload_waits_no_longer(library: Library) -> None:
    admission = _admission(library, web_waiting_uploads=1)
    admission.stored(UploadId("0a" * 16), "192.0.2.9")
    assert _status(admission, 10) == 503

    admission.forget(UploadId("0a" * 16))
    assert _status(admission, 10) == 0
