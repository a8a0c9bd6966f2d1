"""The contract of every `BlobStore`."""

import threading
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from mfcc_assets.errors import BlobNameError, BlobNotFound, Conflict, StoreError
from mfcc_assets.storage.blobs.port import CONTAINERS, Blob, BlobStore
from mfcc_assets_tests.storage.blobs.samples import BAD_NAMES, UNUSUAL_NAMES, names

ADAPTERS = ["local_blobs", "in_place_blobs", "azure_blobs_by_key", "azure_blobs_by_identity"]


@pytest.fixture(params=ADAPTERS)
def blobs(request: pytest.FixtureRequest) -> BlobStore:
    return request.getfixturevalue(request.param)


class TestEveryStore:
    def test_a_written_blob_can_be_read(self, blobs):
        written = blobs.write("uploads", "a/song.mp3", b"sound")
        assert blobs.read("uploads", "a/song.mp3") == b"sound"
        assert (written.name, written.size) == ("a/song.mp3", 5)
        assert blobs.stat("uploads", "a/song.mp3") == written == next(blobs.list("uploads"))

    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_a_blob_may_have_an_unusual_name(self, blobs, name):
        blobs.write("soundtracks", name, b"1")
        assert names(blobs.list("soundtracks")) == [name]
        assert blobs.read("soundtracks", name) == b"1"
        blobs.delete("soundtracks", name)
        assert not blobs.exists("soundtracks", name)

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_a_bad_name_is_refused_by_every_method(self, blobs, name, tmp_path):
        (tmp_path / "file").write_bytes(b"1")
        for call in (
            lambda: blobs.stat("batch", name),
            lambda: blobs.exists("batch", name),
            lambda: blobs.read("batch", name),
            lambda: blobs.open("batch", name).__enter__(),
            lambda: blobs.writing("batch", name).__enter__(),
            lambda: blobs.write("batch", name, b"1"),
            lambda: blobs.create("batch", name, b"1"),
            lambda: blobs.upload_file("batch", name, tmp_path / "file"),
            lambda: blobs.copy("batch", name, "batch", "b"),
            lambda: blobs.delete("batch", name),
            lambda: blobs.as_file("batch", name).__enter__(),
            lambda: blobs.link("batch", name, seconds=1),
        ):
            with pytest.raises(BlobNameError):
                call()

    def test_an_unknown_container_is_a_value_error(self, blobs):
        with pytest.raises(ValueError, match="not one of the containers"):
            blobs.read("attic", "a")
        with pytest.raises(ValueError, match="not one of the containers"):
            blobs.list("attic")

    def test_containers_have_separate_blobs(self, blobs):
        for container in CONTAINERS:
            blobs.write(container, "name", container.encode())
        assert [blobs.read(container, "name").decode() for container in CONTAINERS] == list(CONTAINERS)

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", ["a/b1/x", "a/b2/y", "ab", "b/a/b1"]),
            ("a", ["a/b1/x", "a/b2/y", "ab"]),
            ("a/", ["a/b1/x", "a/b2/y"]),
            ("a/b", ["a/b1/x", "a/b2/y"]),
            ("a/b2/", ["a/b2/y"]),
            ("ab", ["ab"]),
            ("ab/", []),
            ("abc", []),
            ("none/at all", []),
        ],
    )
    def test_a_prefix_narrows_the_listing(self, blobs, prefix, expected):
        for name in ("a/b1/x", "a/b2/y", "ab", "b/a/b1"):
            blobs.write("batch", name, b"")
        assert names(blobs.list("batch", prefix)) == expected

    def test_the_folders_in_a_folder_are_told_without_what_lies_deeper(self, blobs):
        for name in ("a/b1/x", "a/b1/c/y", "a/b2/c/y", "a/d", "ab/e/f", "g/h"):
            blobs.write("batch", name, b"")
        assert blobs.folders("batch", "a") == {"b1", "b2"}
        assert blobs.folders("batch", "a/b2") == {"c"}
        assert blobs.folders("batch", "g") == blobs.folders("batch", "no") == set()

    def test_the_folders_of_the_music_are_not_told(self, blobs):
        with pytest.raises(ValueError, match="elsewhere"):
            blobs.folders("soundtracks", "a")

    def test_a_prefix_does_not_lead_out_of_the_container(self, blobs):
        blobs.write("batch", "a", b"")
        with pytest.raises(BlobNameError):
            list(blobs.list("uploads", "../batch/"))

    def test_a_missing_blob_is_not_found(self, blobs):
        for call in (blobs.stat, blobs.read, lambda *blob: blobs.as_file(*blob).__enter__()):
            with pytest.raises(BlobNotFound, match="no/such"):
                call("batch", "no/such")
        with pytest.raises(BlobNotFound):
            blobs.copy("batch", "no/such", "batch", "other")
        assert not blobs.exists("batch", "no/such")

    def test_a_blob_can_be_deleted_twice(self, blobs):
        blobs.write("batch", "a/b", b"")
        blobs.delete("batch", "a/b")
        blobs.delete("batch", "a/b")
        assert names(blobs.list("batch")) == []

    def test_a_file_open_for_reading_can_be_written(self, blobs):
        data = bytes(range(256)) * 10_000
        assert blobs.write("batch", "big", BytesIO(data)).size == len(data)
        assert blobs.read("batch", "big") == data

    def test_a_local_file_can_be_uploaded_and_copied_and_used_as_a_file(self, blobs, tmp_path):
        (tmp_path / "song.mp3").write_bytes(b"sound")
        blobs.upload_file("uploads", "1/song.mp3", tmp_path / "song.mp3")
        assert blobs.copy("uploads", "1/song.mp3", "batch", "2/song.mp3").name == "2/song.mp3"
        with blobs.as_file("batch", "2/song.mp3") as path:
            assert path.read_bytes() == b"sound"
            assert path.suffix == ".mp3"

    @pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 300_000])
    def test_an_open_blob_can_be_read_at_any_position(self, blobs, size):
        data = bytes(range(251)) * (size // 251 + 1)
        blobs.write("batch", "numbers", data[:size])
        expected = BytesIO(data[:size])
        with blobs.open("batch", "numbers") as file:
            for offset, whence in (
                (0, 0),
                (0, 2),
                (-1 if size else 0, 2),
                (size // 2, 0),
                (-(size // 3), 1),
                (size, 0),
            ):
                assert file.seek(offset, whence) == expected.seek(offset, whence)
                for length in (3, 0, 1000, 100_000):
                    assert file.read(length) == expected.read(length)
                    assert file.tell() == expected.tell()
            file.seek(0)
            assert file.read() == data[:size]
            assert file.read(10) == b""
            with pytest.raises((ValueError, OSError)):
                file.seek(-1)

    def test_a_missing_blob_cannot_be_opened(self, blobs):
        with pytest.raises(BlobNotFound, match="no/such"), blobs.open("batch", "no/such"):
            pass

    @pytest.mark.parametrize("portions", [[], [b""], [b"one"], [b"one", b"", b"two" * 100_000, b"three"]])
    def test_a_blob_written_in_portions_appears_at_the_end(self, blobs, portions):
        blobs.write("batch", "a", b"old")
        with blobs.writing("batch", "a") as file:
            for portion in portions:
                assert file.write(portion) == len(portion)
                assert blobs.read("batch", "a") == b"old"
        assert blobs.read("batch", "a") == b"".join(portions)
        with blobs.writing("batch", "new/b") as file:
            file.write(bytearray(b"new"))
        assert blobs.read("batch", "new/b") == b"new"

    def test_failed_writing_leaves_the_old_blob(self, blobs):
        def write_a_part(name: str) -> None:
            with blobs.writing("batch", name) as file:
                file.write(b"new" * 2_000_000)
                raise ZeroDivisionError

        blobs.write("batch", "a", b"old")
        for name in ("a", "b"):
            with pytest.raises(ZeroDivisionError):
                write_a_part(name)
        assert names(blobs.list("batch")) == ["a"]
        assert blobs.read("batch", "a") == b"old"

    def test_a_source_that_fails_is_not_written(self, blobs):
        class Breaking(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell():
                    raise ConnectionError("the line went dead")
                return super().read(min(size or 0, 3))

        blobs.write("batch", "a", b"old")
        with pytest.raises(StoreError, match="the line went dead"):
            blobs.write("batch", "a", Breaking(b"new and longer"))
        assert blobs.read("batch", "a") == b"old"

    def test_a_file_is_written_from_its_present_position(self, blobs):
        file = BytesIO(b"head body")
        file.seek(5)
        assert blobs.create("batch", "a", file).size == 4
        assert blobs.read("batch", "a") == b"body"

    def test_every_write_changes_the_etag_even_if_the_content_is_the_same(self, blobs):
        etags = [blobs.write("batch", "a", b"same").etag for _ in range(20)]
        assert len(set(etags)) == len(etags)

    def test_a_conditional_write_succeeds_only_while_the_etag_is_the_same(self, blobs):
        first = blobs.write("batch", "a", b"1")
        blobs.write("batch", "a", b"2", if_match=first.etag)
        with pytest.raises(Conflict, match="batch/a"):
            blobs.write("batch", "a", b"3", if_match=first.etag)
        assert blobs.read("batch", "a") == b"2"
        blobs.delete("batch", "a")
        with pytest.raises(Conflict):
            blobs.write("batch", "a", b"4", if_match=first.etag)
        assert not blobs.exists("batch", "a")

    def test_only_one_of_two_creates_succeeds(self, blobs):
        blobs.create("batch", "a", b"first")
        with pytest.raises(Conflict):
            blobs.create("batch", "a", b"second")
        assert blobs.read("batch", "a") == b"first"

    def test_no_increment_is_lost_between_writers_that_use_etags(self, blobs):
        blobs.write("batch", "counter", b"0")

        def increment() -> None:
            for _ in range(5):
                while True:
                    before = blobs.stat("batch", "counter")
                    number = int(blobs.read("batch", "counter"))
                    try:
                        blobs.write("batch", "counter", str(number + 1).encode(), if_match=before.etag)
                    except Conflict:
                        continue
                    break

        threads = [threading.Thread(target=increment) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blobs.read("batch", "counter") == b"20"

    def test_modified_is_the_time_of_the_write_in_utc(self, blobs):
        before = datetime.now(UTC) - timedelta(seconds=2)
        written = blobs.write("batch", "a", b"")
        assert before < written.modified <= datetime.now(UTC) + timedelta(seconds=2)
        assert written.modified.tzinfo is UTC

    def test_a_link_lives_for_at_most_an_hour(self, blobs):
        for seconds in (-1, 0, 3601):
            with pytest.raises(ValueError, match="lives from 1 to 3600 seconds"):
                blobs.link("batch", "a", seconds=seconds)
        assert blobs.link("batch", "a", seconds=3600)


def test_blobs_sort_by_time_and_then_by_name():
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    late, same_b, same_a = (
        Blob("a", 1, "x", noon + timedelta(microseconds=1)),
        Blob("b", 9, "y", noon),
        Blob("a", 10, "z", noon),
    )
    assert sorted([late, same_b, same_a]) == [same_a, same_b, late]
