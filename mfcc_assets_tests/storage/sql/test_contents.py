from dataclasses import replace

from mfcc_assets.storage.sql.tables import IDS_A_QUERY

from mfcc_assets.ids import track_id
from mfcc_assets.storage.sql.records import AudioContent, Credit
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed


class TestContents:
    def test_what_bytes_hold_is_known_under_any_name(self, tables):
        content = AudioContent("d" * 32, "a" * 32, 12.25, "cut off")
        tables.record_content(replace(content, note="before"))
        tables.record_content(content)
        assert tables.contents(["d" * 32, "d" * 32, "unknown"]) == {"d" * 32: content}

    def test_more_digests_than_one_statement_takes_are_looked_up(self, tables):
        known = [f"{number:032x}" for number in range(0, 2 * IDS_A_QUERY + 10, 100)]
        for digest in known:
            tables.record_content(AudioContent(digest, digest, 1.0, ""))
        found = tables.contents(f"{number:032x}" for number in range(2 * IDS_A_QUERY + 10))
        assert sorted(found) == known

    def test_of_duplicates_the_first_by_name_stands_for_the_audio(self, tables):
        files = [observed(name) for name in ("c.mp3", "a.mp3", "b.mp3")]
        observe(tables, *files)
        for file in files:
            analyse(tables, file, "one audio")
        assert tables.audio() == {"one audio": track_id("a.mp3")}
        assert tables.tracks_of_audio(["one audio", "no audio"])["one audio"].blob_name == "a.mp3"
        observe(tables, gone=("a.mp3",))
        assert tables.audio() == {"one audio": track_id("b.mp3")}
        assert [track.blob_name for track in tables.tracks_of_audio(["one audio"]).values()] == ["b.mp3"]

    def test_more_audio_than_one_statement_takes_is_looked_up(self, tables):
        files = [observed(f"{number}") for number in range(3)]
        observe(tables, *files)
        for number, file in enumerate(files):
            analyse(tables, file, f"{number * IDS_A_QUERY:05}")
        found = tables.tracks_of_audio(f"{number:05}" for number in range(2 * IDS_A_QUERY + 1))
        assert sorted(found) == ["00000", "00500", "01000"]


def test_every_audio_is_credited_to_the_first_track_that_has_it(tables) -> None:
    first, second = observed("a.mp3", artist="Zoë", album="Sea"), observed("b.mp3", artist="Nobody")
    observe(tables, first, second, observed("waiting.mp3"))
    for file in (second, first):
        analyse(tables, file, "f" * 32)

    assert tables.credits() == {"f" * 32: Credit(first.track_id, "Zoë", "Sea")}
