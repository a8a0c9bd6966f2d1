"""The contract of `Catalogue`, over every database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mfcc_assets.ids import AudioId, UploadId, shard_names, shard_of, track_id, unread_digest
from mfcc_assets.storage.sql.records import AudioContent, Credit, Reject, SkippedFile, Soundtrack
from mfcc_assets.storage.sql.rows import IDS_PER_QUERY
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed, recommend, recommended, reject

SHARDS = shard_names(1)
UNUSUAL_NAMES = [
    'it\'s a "quote"; DROP TABLE SOUNDTRACKS; --.mp3',
    "100% _wild_ [a-z] \\.mp3",
    "🎷.flac",
    "日本語/العربية/ääkköset.ogg",
    "x" * 1024,
    "🎷" * 1024,
    "é" * 1024,
    ":a ?b %s {c} %(d)s.mp3",
]


class TestSkippedFiles:
    def test_a_file_that_is_no_music_is_no_soundtrack_any_more(self, catalogue):
        observe(catalogue, observed("a"), observed("notes"))
        skipped = SkippedFile("notes", "etag 2", "text")
        catalogue.record_skipped([skipped], shard_digits=1)
        catalogue.record_skipped([], shard_digits=1)
        assert catalogue.skipped_files() == [skipped]
        assert [track.blob_name for track in catalogue.soundtracks()] == ["a"]
        assert catalogue.manifest(SHARDS) == {"a": "etag 1", "notes": "etag 2"}, "so it is not read again"

    def test_a_skipped_file_that_became_music_is_a_soundtrack(self, catalogue):
        catalogue.record_skipped([SkippedFile("a", "etag 0", "text")], shard_digits=1)
        observe(catalogue, observed("a"))
        assert catalogue.skipped_files() == []
        assert [track.blob_name for track in catalogue.soundtracks()] == ["a"]

    def test_a_skipped_file_that_is_gone_is_forgotten(self, catalogue):
        catalogue.record_skipped([SkippedFile("a", "etag 0", "text")], shard_digits=1)
        catalogue.forget_skipped(["a"])
        assert catalogue.skipped_files() == []


class TestSoundtracks:
    def test_the_id_of_each_is_found_by_its_name(self, catalogue):
        observe(catalogue, *map(observed, "ab"))
        assert catalogue.track_ids() == {"a": track_id("a"), "b": track_id("b")}

    def test_the_time_of_an_observation_moves_on_when_it_is_confirmed(self, catalogue):
        observe(catalogue, *map(observed, "ab"))
        before = catalogue.known_files()
        catalogue.confirm_observed([track_id("a")])
        after = catalogue.known_files()
        assert {name: file.content_digest for name, file in after.items()} == {
            name: observed(name).content_digest for name in "ab"
        }
        assert after["a"].observed_at > before["a"].observed_at
        assert after["b"] == before["b"]

    def test_an_observed_file_is_waiting(self, catalogue):
        observe(
            catalogue,
            observed("a.mp3", title="Ocean", artist="Will", album="Rogue", genre="Rock", track_number=3, year=2021),
        )
        [found] = catalogue.soundtracks()
        assert found.added_at is not None
        assert abs(found.added_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert [replace(found, added_at=None)] == [
            Soundtrack(
                track_id=track_id("a.mp3"),
                blob_name="a.mp3",
                bytes=observed("a.mp3").bytes,
                content_digest=observed("a.mp3").content_digest,
                title="Ocean",
                artist="Will",
                album="Rogue",
                genre="Rock",
                artwork="cover.svg",
                audio_id=None,
                analysed_digest=None,
                seconds=None,
                note="",
                track_number=3,
                year=2021,
            )
        ]
        assert catalogue.soundtracks()[0].state == "waiting"
        assert catalogue.progress() == (0, 1)

    def test_the_audio_of_each_shard_includes_waiting_tracks(self, catalogue):
        files = {name: observed(name) for name in ("a.mp3", "b.mp3")}
        observe(catalogue, *files.values())
        analyse(catalogue, files["a.mp3"], "audio")
        (analysed,) = (track for track in catalogue.soundtracks() if track.audio_id)
        assert catalogue.seconds_of_audio() == analysed.seconds
        by_shard = catalogue.audio_of_soundtracks()
        assert sum(map(len, by_shard.values())) == 2
        assert by_shard[shard_of(track_id("a.mp3"), 1)][track_id("a.mp3")] == "audio"
        assert by_shard[shard_of(track_id("b.mp3"), 1)][track_id("b.mp3")] is None

    def test_a_file_observed_again_replaces_its_row(self, catalogue):
        observe(catalogue, observed("a.mp3"), observed("b.mp3"))
        observe(catalogue, observed("a.mp3", title="New"), observed("b.mp3"), observed("c.mp3"))
        assert [(track.blob_name, track.title) for track in catalogue.soundtracks()] == [
            ("a.mp3", "New"),
            ("b.mp3", "b.mp3"),
            ("c.mp3", "c.mp3"),
        ]

    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_every_table_keeps_unusual_names(self, catalogue, recommendations, name):
        file = observed(name, artist=name[:100])
        observe(catalogue, file, observed("plain"))
        catalogue.record_reject(reject(file, reason=name), run_id="run")
        recommend(recommendations, "query", name)
        assert catalogue.manifest(SHARDS)[name] == "etag 1"
        assert {track.blob_name: track.artist for track in catalogue.soundtracks()}[name] == name[:100]
        assert [(found.blob_name, found.reason) for found in catalogue.rejects()] == [(name, name)]
        assert recommended(recommendations, "query") == [(1, name)]

    def test_a_manifest_holds_only_the_shards_asked_for(self, catalogue):
        files = [observed(f"{number}.mp3", version=number) for number in range(40)]
        observe(catalogue, *files)
        for shard in SHARDS:
            expected = {file.blob_name: file.etag for file in files if shard_of(file.track_id, 1) == shard}
            assert catalogue.manifest([shard]) == expected
            assert {track.blob_name for track in catalogue.soundtracks([shard])} == expected.keys()
        assert catalogue.manifest(SHARDS) == {file.blob_name: file.etag for file in files}
        assert catalogue.manifest([]) == {}
        assert catalogue.soundtracks([]) == []

    def test_a_thousand_files_can_be_observed_and_removed_in_one_call(self, catalogue):
        files = [observed(f"{number}.mp3") for number in range(1_000)]
        observe(catalogue, *files)
        observe(catalogue, *(replace(file, etag="changed") for file in files))
        assert set(catalogue.manifest(SHARDS).values()) == {"changed"}
        observe(catalogue, gone=tuple(file.blob_name for file in files[1:]))
        assert list(catalogue.manifest(SHARDS)) == ["0.mp3"]

    def test_a_changed_file_keeps_its_old_audio_while_it_waits(self, catalogue):
        observe(catalogue, observed("a.mp3"))
        analyse(catalogue, observed("a.mp3"), "audio", note="cut off")
        assert [(track.state, track.seconds) for track in catalogue.soundtracks()] == [("analysed", 61.5)]
        observe(catalogue, observed("a.mp3", version=2))
        [track] = catalogue.soundtracks()
        assert (track.state, track.audio_id, track.note) == ("waiting", "audio", "cut off")
        assert catalogue.track_ids_by_audio() == {"audio": track.track_id}
        assert catalogue.progress() == (0, 1)

    def test_removing_a_soundtrack_removes_its_recommendations_and_its_reject(self, catalogue, recommendations):
        observe(catalogue, *map(observed, ["a", "b", "c"]))
        for query in ("a", "b", "c"):
            recommend(recommendations, track_id(query), *({"a", "b", "c"} - {query}))
        catalogue.record_reject(reject(observed("b")), run_id="run")
        observe(catalogue, gone=("b", "never there"))
        assert recommendations.recommended(track_id("b")) == []
        assert [row.blob_name for row in recommendations.recommended(track_id("a"))] == ["c"]
        assert [row.blob_name for row in recommendations.recommended(track_id("c"))] == ["a"]
        assert catalogue.rejects() == []
        assert recommendations.dangling_recommendations() == 0

    def test_the_number_of_shard_digits_is_read_from_the_soundtracks(self, catalogue):
        assert catalogue.shard_digits() is None
        catalogue.record_observed([observed("a")], [], shard_digits=2, run_id="run")
        assert catalogue.shard_digits() == 2

    def test_the_soundtracks_of_a_run_are_those_that_it_observed_last(self, catalogue):
        catalogue.record_observed([observed("a"), observed("b")], [], shard_digits=1, run_id="first")
        catalogue.record_observed([observed("b", 2)], [], shard_digits=1, run_id="second")
        assert [track.blob_name for track in catalogue.soundtracks_of_run("first")] == ["a"]
        assert [track.blob_name for track in catalogue.soundtracks_of_run("second")] == ["b"]
        assert catalogue.soundtracks_of_run("another") == []


class TestContents:
    def test_all_bytes_that_hold_an_audio_are_found_by_its_id(self, catalogue):
        for file, audio_id in ((observed("a"), "1"), (observed("b"), "2"), (observed("c"), "1")):
            observe(catalogue, file)
            analyse(catalogue, file, audio_id)
        digests = {observed(name).content_digest for name in "ac"}
        assert set(catalogue.digests_of_audio("1")) == digests
        assert catalogue.digests_of_audio("3") == []

    def test_the_audio_of_known_bytes_is_found_by_their_digest(self, catalogue):
        content = AudioContent("d" * 32, AudioId("a" * 32), 12.25, "cut off")
        catalogue.record_content(replace(content, note="before"))
        catalogue.record_content(content)
        assert catalogue.contents(["d" * 32, "d" * 32, "unknown"]) == {"d" * 32: content}

    def test_the_audio_of_many_soundtracks_is_recorded_at_once_as_if_it_were_recorded_one_by_one(self, catalogue):
        files = [observed(name) for name in ("a.mp3", "b.mp3", "copy of b.mp3", "c.mp3")]
        contents = [
            AudioContent("1" * 32, AudioId("one"), 1.0, ""),
            AudioContent("2" * 32, AudioId("two"), 2.0, "cut off"),
            AudioContent("2" * 32, AudioId("two"), 2.0, "cut off"),
        ]
        observe(catalogue, *files)
        catalogue.record_reject(reject(files[0]), run_id="run")

        catalogue.record_contents({file.track_id: content for file, content in zip(files, contents, strict=False)})

        tracks = {track.blob_name: track for track in catalogue.soundtracks()}
        for file, content in zip(files, contents, strict=False):
            track = tracks[file.blob_name]
            assert (track.audio_id, track.analysed_digest) == (content.audio_id, content.content_digest)
            assert (track.seconds, track.note) == (content.seconds, content.note)
        assert tracks["c.mp3"].audio_id is None
        assert catalogue.contents(["1" * 32, "2" * 32]) == {each.content_digest: each for each in contents}
        assert catalogue.rejects() == []
        catalogue.record_contents({})

    def test_a_soundtrack_that_nobody_had_read_gets_the_digest_of_what_was_analysed(self, catalogue):
        unread, read = unread_digest("a", "etag 1", datetime(2026, 1, 1, tzinfo=UTC)), observed("b")
        files = [replace(observed(name), content_digest=unread) for name in ("a", "c")]
        observe(catalogue, *files, read)
        assert {track.state for track in catalogue.soundtracks()} == {"waiting"}
        content = AudioContent("1" * 32, AudioId("one"), 1.0, "")

        catalogue.record_contents({files[0].track_id: content, read.track_id: content})
        catalogue.record_reject(reject(files[1]), run_id="run")
        digests = {track.blob_name: track.content_digest for track in catalogue.soundtracks()}
        assert digests == {"a": "1" * 32, "b": read.content_digest, "c": unread}

        catalogue.record_reject(reject(files[1]), run_id="run", content_digest="2" * 32)
        assert {track.blob_name: track.state for track in catalogue.soundtracks()} == {
            "a": "analysed",
            "b": "waiting",
            "c": "rejected",
        }
        assert catalogue.known_files()["c"].content_digest == "2" * 32

    def test_more_digests_than_fit_into_one_statement_can_be_looked_up(self, catalogue):
        known = [f"{number:032x}" for number in range(0, 2 * IDS_PER_QUERY + 10, 100)]
        for digest in known:
            catalogue.record_content(AudioContent(digest, AudioId(digest), 1.0, ""))
        found = catalogue.contents(f"{number:032x}" for number in range(2 * IDS_PER_QUERY + 10))
        assert sorted(found) == known


class TestAudio:
    def test_the_first_duplicate_by_name_represents_the_audio(self, catalogue):
        files = [observed(name) for name in ("c.mp3", "a.mp3", "b.mp3")]
        observe(catalogue, *files)
        for file in files:
            analyse(catalogue, file, "one audio")
        assert catalogue.track_ids_by_audio() == {"one audio": track_id("a.mp3")}
        assert catalogue.tracks_of_audio(["one audio", "no audio"])["one audio"].blob_name == "a.mp3"
        observe(catalogue, gone=("a.mp3",))
        assert catalogue.track_ids_by_audio() == {"one audio": track_id("b.mp3")}
        assert [track.blob_name for track in catalogue.tracks_of_audio(["one audio"]).values()] == ["b.mp3"]

    def test_soundtracks_are_found_by_their_ids(self, catalogue):
        files = [observed(name) for name in ("a.mp3", "b.mp3", "c.mp3")]
        observe(catalogue, *files)
        many = (track_id(f"{number}") for number in range(2 * IDS_PER_QUERY))
        found = catalogue.tracks_with_ids([track_id("c.mp3"), *many, track_id("a.mp3"), track_id("gone.mp3")])
        assert {track: of.blob_name for track, of in found.items()} == {
            track_id("a.mp3"): "a.mp3",
            track_id("c.mp3"): "c.mp3",
        }
        assert catalogue.tracks_with_ids([]) == {}

    def test_more_audio_ids_than_fit_into_one_statement_can_be_looked_up(self, catalogue):
        files = [observed(f"{number}") for number in range(3)]
        observe(catalogue, *files)
        for number, file in enumerate(files):
            analyse(catalogue, file, f"{number * IDS_PER_QUERY:05}")
        found = catalogue.tracks_of_audio(f"{number:05}" for number in range(2 * IDS_PER_QUERY + 1))
        assert sorted(found) == ["00000", "00500", "01000"]

    def test_every_audio_is_credited_to_the_first_track_that_holds_it(self, catalogue):
        first = observed(
            "a.mp3", artist="Zoë, Bo", album="Sea", artists=("Zoë", "Bo"), album_artist="Zoë", disc_number=2, note="odd"
        )
        second = observed("b.mp3", artist="Nobody")
        observe(catalogue, first, second, observed("waiting.mp3"))
        for file in (second, first):
            analyse(catalogue, file, "f" * 32)
        credit = Credit(first.track_id, "Zoë, Bo", "Sea", ("Zoë", "Bo"), "Zoë", "a.mp3", 1001, 61.5)
        assert catalogue.credits() == {"f" * 32: credit}

    def test_the_artists_of_a_track_are_stored_as_far_as_they_fit(self, catalogue):
        artists = ("😀" * 120, 'AC/DC "live"', "", "\\", *(f"{number} {'é' * 100}" for number in range(60)))
        observe(catalogue, observed("a.mp3", artists=artists, disc_number=2), observed("b.mp3"))
        many, none = catalogue.soundtracks()
        assert many.artists == artists[: len(many.artists)]
        assert 20 < len(many.artists) < len(artists)
        assert (many.disc_number, none.disc_number, none.artists) == (2, None, ())

    def test_the_ids_of_musicbrainz_are_stored(self, catalogue):
        recording, release, *artists = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(4))
        named = observed("a.mp3", recording_mbid=recording, release_mbid=release, artist_mbids=tuple(artists))
        observe(catalogue, named, observed("b.mp3"))
        found, none = catalogue.soundtracks()
        assert (found.recording_mbid, found.release_mbid, found.artist_mbids) == (recording, release, tuple(artists))
        assert (none.recording_mbid, none.release_mbid, none.artist_mbids) == ("", "", ())

    def test_a_note_on_the_tags_stays_when_the_audio_gets_a_note(self, catalogue):
        file = observed("a.mp3", note="damaged tags")
        observe(catalogue, file)
        assert [(track.state, track.every_note) for track in catalogue.soundtracks()] == [("waiting", "damaged tags")]
        analyse(catalogue, file, "f" * 32, note="cut off")
        assert [(track.state, track.every_note) for track in catalogue.soundtracks()] == [
            ("analysed", "cut off; damaged tags")
        ]


class TestRejects:
    def test_a_reject_has_a_reason_and_counts_as_examined(self, catalogue):
        file = observed("a.mp3")
        observe(catalogue, file)
        catalogue.record_reject(reject(file, reason="before"), run_id="run")
        catalogue.record_reject(reject(file, reason="it is silent"), run_id="run", content_digest=file.content_digest)
        assert catalogue.rejects() == [reject(file, reason="it is silent")]
        assert [(track.state, track.note, track.audio_id) for track in catalogue.soundtracks()] == [
            ("rejected", "it is silent", None)
        ]
        assert catalogue.progress() == (1, 1)
        assert catalogue.track_counts() == (0, 0)
        observe(catalogue, observed("b.mp3"))
        assert catalogue.track_counts() == (0, 1)

    def test_a_reject_that_another_setting_might_accept_counts_as_examined(self, catalogue):
        observe(catalogue, observed("a.mp3"))
        catalogue.record_reject(reject(observed("a.mp3")), run_id="run")
        assert catalogue.progress() == (1, 1)
        assert not catalogue.soundtracks()[0].is_waiting

    @pytest.mark.parametrize("content_digest", [None, observed("a.mp3").content_digest])
    def test_a_rejected_file_whose_bytes_change_waits_again(self, catalogue, content_digest):
        observe(catalogue, observed("a.mp3"))
        catalogue.record_reject(reject(observed("a.mp3")), run_id="run", content_digest=content_digest)
        observe(catalogue, replace(observed("a.mp3"), etag="touched"))
        assert catalogue.soundtracks()[0].state == "rejected"
        observe(catalogue, observed("a.mp3", version=2))
        assert catalogue.soundtracks()[0].state == "waiting"

    def test_the_query_for_waiting_soundtracks_agrees_with_their_rows(self, catalogue):
        names = ["analysed", "changed", "new", "rejected", "rejected for good", "rejected, changed"]
        observe(catalogue, *map(observed, names))
        for name in ("analysed", "changed"):
            analyse(catalogue, observed(name), f"audio of {name}")
        for name in names[3:]:
            digest = None if name == "rejected" else observed(name).content_digest
            catalogue.record_reject(reject(observed(name)), run_id="run", content_digest=digest)
        observe(catalogue, observed("changed", version=2), observed("rejected, changed", version=2))
        assert catalogue.waiting() == [track.blob_name for track in catalogue.soundtracks() if track.is_waiting]
        assert catalogue.waiting() == ["changed", "new", "rejected, changed"]

    def test_analysing_a_rejected_file_removes_the_reject(self, catalogue):
        observe(catalogue, observed("a.mp3"))
        catalogue.record_reject(reject(observed("a.mp3")), run_id="run")
        analyse(catalogue, observed("a.mp3"), "audio")
        assert catalogue.rejects() == []
        assert catalogue.soundtracks()[0].state == "analysed"

    def test_rejected_soundtracks_and_uploads_are_listed_together(self, catalogue):
        upload = Reject(UploadId("f" * 32), "uploads", "a.mp3", "too_short", "0.5 s")
        soundtrack = reject(observed("z.mp3"))
        catalogue.record_reject(upload, run_id="run")
        catalogue.record_reject(soundtrack, run_id="run")
        assert catalogue.rejects() == [soundtrack, upload]

    @pytest.mark.parametrize("character", ["x", "🎷"])
    def test_a_long_reason_is_cut_between_two_characters(self, catalogue, character):
        observe(catalogue, observed("a.mp3"))
        catalogue.record_reject(reject(observed("a.mp3"), reason=character * 5_000), run_id="run")
        units = len(character.encode("utf-16-le")) // 2
        assert catalogue.rejects()[0].reason == character * (2048 // units)
        assert catalogue.soundtracks()[0].note == character * (255 // units)

    def test_a_reject_can_be_taken_back(self, catalogue):
        catalogue.record_reject(reject(observed("a")), run_id="run")
        catalogue.forget_reject(observed("a").track_id)
        catalogue.forget_reject("never there")
        assert catalogue.rejects() == []
