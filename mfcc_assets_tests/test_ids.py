import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import (
    TrackId,
    content_digest,
    free_track_id,
    is_unread,
    is_upload_id,
    shard_names,
    shard_of,
    track_id,
    unread_digest,
    upload_id,
    upload_id_in,
)

KEY = bytes(range(32))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_the_track_id_of_a_name_never_changes():
    assert track_id("album/🎷.flac") == "0c2b578e60f8806f"


@given(NAMES, NAMES)
def test_track_ids_have_16_hex_digits_and_differ_if_names_differ(one, other):
    assert len(track_id(one)) == 16
    assert set(track_id(one)) <= set("0123456789abcdef")
    assert (track_id(one) == track_id(other)) == (one == other)


@given(NAMES, st.sampled_from([1, 2]))
def test_every_track_is_in_exactly_one_shard(name, digits):
    assert [shard for shard in shard_names(digits) if track_id(name).startswith(shard)] == [
        shard_of(track_id(name), digits)
    ]


def test_shard_names_are_in_order():
    assert shard_names(1) == list("0123456789abcdef")
    assert shard_names(2)[:3] + shard_names(2)[-1:] == ["00", "01", "02", "ff"]
    assert len(shard_names(2)) == 256


@pytest.mark.parametrize("digits", [-1, 0, 3])
def test_another_number_of_shard_digits_is_refused(digits):
    with pytest.raises(ValueError, match="1 or 2 hex digits"):
        shard_names(digits)


def test_a_content_digest_covers_all_bytes_from_the_current_position():
    content = bytes(range(256)) * 10_000
    file = io.BytesIO(content)
    assert content_digest(file) == hashlib.blake2b(content, digest_size=16).hexdigest()
    file.seek(1)
    assert content_digest(file) == hashlib.blake2b(content[1:], digest_size=16).hexdigest()


def test_files_and_versions_that_nobody_has_read_are_told_from_each_other_and_from_all_digests():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    versions = [("a", "1", now), ("b", "1", now), ("a", "2", now), ("a", "1", now + timedelta(microseconds=1))]
    unread = [unread_digest(*version) for version in versions]
    assert len({*unread}) == 4
    assert all(is_unread(each) and len(each) == 32 for each in unread)
    assert unread_digest(*versions[0]) == unread[0]
    assert not any(map(is_unread, ("", content_digest(io.BytesIO(b"unread")))))


def test_a_blob_in_the_folder_of_an_upload_carries_its_id():
    assert upload_id_in(f"{'0f' * 16}/song.mp3") == "0f" * 16
    assert upload_id_in(f"{'0f' * 16}/a/song.mp3") == "0f" * 16


@pytest.mark.parametrize("name", ["0f" * 16, f"{'0F' * 16}/song", f"{'0f' * 15}/song", f"{'0g' * 16}/song", "song.mp3"])
def test_the_id_of_any_other_blob_is_made_from_name_content_and_secret(name):
    given_id = upload_id(name, "1", KEY)
    assert upload_id_in(name) is None
    assert is_upload_id(given_id)
    assert upload_id(name, "1", KEY) == given_id
    assert len({given_id, upload_id(name, "2", KEY), upload_id(f"{name}2", "1", KEY), upload_id(name, "1", b"x")}) == 4


@given(NAMES, st.text("0123456789abcdef-"))
def test_a_blob_carries_the_id_of_an_upload_if_the_id_becomes_its_folder(name, content):
    given_id = upload_id(name, content, KEY)
    assert upload_id_in(f"{given_id}/{name}") == given_id


@given(NAMES, st.integers(0, 4))
def test_a_name_that_was_used_before_gives_an_id_that_is_still_free(name: str, others: int) -> None:
    taken: set[TrackId] = set()
    for _ in range(others + 1):
        free = free_track_id(name, taken)
        assert free not in taken
        taken.add(free)
    assert free_track_id(name, set()) == track_id(name)
