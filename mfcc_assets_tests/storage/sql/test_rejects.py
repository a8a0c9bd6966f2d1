from dataclasses import replace

import pytest

from mfcc_assets.storage.sql.records import Reject
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed, reject


class TestRejects:
    def test_a_reject_says_why_and_counts_as_looked_at(self, tables):
        file = observed("a.mp3")
        observe(tables, file)
        tables.record_reject(reject(file, reason="before"), run_id="run")
        tables.record_reject(reject(file, reason="it is silent"), run_id="run", content_digest=file.content_digest)
        assert tables.rejects() == [reject(file, reason="it is silent")]
        assert [(track.state, track.note, track.audio_id) for track in tables.soundtracks()] == [
            ("rejected", "it is silent", None)
        ]
        assert tables.progress() == (1, 1)

    def test_a_reject_whose_verdict_a_setting_can_change_counts_as_looked_at_too(self, tables):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3")), run_id="run")
        assert tables.progress() == (1, 1)
        assert not tables.soundtracks()[0].is_waiting

    @pytest.mark.parametrize("content_digest", [None, observed("a.mp3").content_digest])
    def test_a_reject_whose_bytes_change_waits_again(self, tables, content_digest):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3")), run_id="run", content_digest=content_digest)
        observe(tables, replace(observed("a.mp3"), etag="touched"))
        assert tables.soundtracks()[0].state == "rejected"
        observe(tables, observed("a.mp3", version=2))
        assert tables.soundtracks()[0].state == "waiting"

    def test_the_soundtracks_that_wait_are_those_whose_rows_say_so(self, tables):
        names = ["analysed", "changed", "new", "rejected", "rejected for good", "rejected, changed"]
        observe(tables, *map(observed, names))
        for name in ("analysed", "changed"):
            analyse(tables, observed(name), f"audio of {name}")
        for name in names[3:]:
            digest = None if name == "rejected" else observed(name).content_digest
            tables.record_reject(reject(observed(name)), run_id="run", content_digest=digest)
        observe(tables, observed("changed", version=2), observed("rejected, changed", version=2))
        assert tables.waiting() == [track.blob_name for track in tables.soundtracks() if track.is_waiting]
        assert tables.waiting() == ["changed", "new", "rejected, changed"]

    def test_a_reject_that_can_be_used_at_last_is_none(self, tables):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3")), run_id="run")
        analyse(tables, observed("a.mp3"), "audio")
        assert tables.rejects() == []
        assert tables.soundtracks()[0].state == "analysed"

    def test_soundtracks_and_uploads_are_rejected_side_by_side(self, tables):
        upload = Reject("f" * 32, "uploads", "a.mp3", "too_short", "0.5 s")
        soundtrack = reject(observed("z.mp3"))
        tables.record_reject(upload, run_id="run")
        tables.record_reject(soundtrack, run_id="run")
        assert tables.rejects() == [soundtrack, upload]

    @pytest.mark.parametrize("character", ["x", "🎷"])
    def test_a_reason_that_is_too_long_is_cut_at_a_whole_character(self, tables, character):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3"), reason=character * 5_000), run_id="run")
        units = len(character.encode("utf-16-le")) // 2
        assert tables.rejects()[0].reason == character * (2048 // units)
        assert tables.soundtracks()[0].note == character * (255 // units)
