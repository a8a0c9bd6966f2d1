from dataclasses import replace

import pytest

from mfcc_assets.ids import shard_names, shard_of, track_id
from mfcc_assets.storage.sql.records import Soundtrack
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


class TestSoundtracks:
    def test_what_is_observed_is_waiting(self, tables):
        observe(
            tables,
            observed("a.mp3", title="Ocean", artist="Will", album="Rogue", genre="Rock", track_number=3, year=2021),
        )
        assert tables.soundtracks() == [
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
            )
        ]
        assert tables.soundtracks()[0].state == "waiting"
        assert tables.progress() == (0, 1)

    def test_the_audio_of_a_shard_names_tracks_that_wait_too(self, tables):
        files = {name: observed(name) for name in ("a.mp3", "b.mp3")}
        observe(tables, *files.values())
        analyse(tables, files["a.mp3"], "audio")
        by_shard = [tables.audio_of_soundtracks(shard) for shard in SHARDS]
        assert sum(map(len, by_shard)) == 2
        assert by_shard[SHARDS.index(shard_of(track_id("a.mp3"), 1))][track_id("a.mp3")] == "audio"
        assert by_shard[SHARDS.index(shard_of(track_id("b.mp3"), 1))][track_id("b.mp3")] is None

    def test_observing_again_replaces_and_never_doubles(self, tables):
        observe(tables, observed("a.mp3"), observed("b.mp3"))
        observe(tables, observed("a.mp3", title="New"), observed("b.mp3"), observed("c.mp3"))
        assert [(track.blob_name, track.title) for track in tables.soundtracks()] == [
            ("a.mp3", "New"),
            ("b.mp3", "b.mp3"),
            ("c.mp3", "c.mp3"),
        ]

    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_every_name_survives_in_every_table(self, tables, name):
        file = observed(name, artist=name[:100])
        observe(tables, file, observed("plain"))
        tables.record_reject(reject(file, reason=name), run_id="run")
        recommend(tables, "query", name)
        assert tables.manifest(SHARDS)[name] == "etag 1"
        assert {track.blob_name: track.artist for track in tables.soundtracks()}[name] == name[:100]
        assert [(found.blob_name, found.reason) for found in tables.rejects()] == [(name, name)]
        assert recommended(tables, "query") == [(1, name)]

    def test_a_manifest_is_of_the_shards_asked_for(self, tables):
        files = [observed(f"{number}.mp3", version=number) for number in range(40)]
        observe(tables, *files)
        for shard in SHARDS:
            expected = {file.blob_name: file.etag for file in files if shard_of(file.track_id, 1) == shard}
            assert tables.manifest([shard]) == expected
            assert {track.blob_name for track in tables.soundtracks([shard])} == expected.keys()
        assert tables.manifest(SHARDS) == {file.blob_name: file.etag for file in files}
        assert tables.manifest([]) == {}
        assert tables.soundtracks([]) == []

    def test_a_thousand_files_are_observed_and_go_in_one_call(self, tables):
        files = [observed(f"{number}.mp3") for number in range(1_000)]
        observe(tables, *files)
        observe(tables, *(replace(file, etag="changed") for file in files))
        assert set(tables.manifest(SHARDS).values()) == {"changed"}
        observe(tables, gone=tuple(file.blob_name for file in files[1:]))
        assert list(tables.manifest(SHARDS)) == ["0.mp3"]

    def test_analysed_audio_keeps_serving_while_a_changed_file_waits(self, tables):
        observe(tables, observed("a.mp3"))
        analyse(tables, observed("a.mp3"), "audio", note="cut off")
        assert [(track.state, track.seconds) for track in tables.soundtracks()] == [("analysed", 61.5)]
        observe(tables, observed("a.mp3", version=2))
        [track] = tables.soundtracks()
        assert (track.state, track.audio_id, track.note) == ("waiting", "audio", "cut off")
        assert tables.audio() == {"audio": track.track_id}
        assert tables.progress() == (0, 1)

    def test_a_soundtrack_that_goes_takes_its_recommendations_and_its_reject_with_it(self, tables):
        observe(tables, *map(observed, ["a", "b", "c"]))
        for query in ("a", "b", "c"):
            recommend(tables, track_id(query), *({"a", "b", "c"} - {query}))
        tables.record_reject(reject(observed("b")), run_id="run")
        observe(tables, gone=("b", "never there"))
        assert tables.recommended(track_id("b")) == []
        assert [row.blob_name for row in tables.recommended(track_id("a"))] == ["c"]
        assert [row.blob_name for row in tables.recommended(track_id("c"))] == ["a"]
        assert tables.rejects() == []
        assert tables.dangling_recommendations() == 0
