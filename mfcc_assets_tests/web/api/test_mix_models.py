"""Tests of paths and playlists as programs get them."""

from mfcc_assets.ids import TrackId
from mfcc_assets.pipeline.playlists import Playlist
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.api.mix_models import Mix


def test_each_track_but_the_first_has_its_distance_to_the_one_before_it() -> None:
    tracks = [
        Soundtrack(TrackId(f"{number:016x}"), "a.mp3", 1, "", f"T{number}", "", "", "", "", None, None, None, "")
        for number in range(3)
    ]
    mix = Mix.of(Playlist("4671e799961d", tracks, [0.1, 0.2], [Nearness(0.9), None]))
    assert [step.track.title for step in mix.items] == ["T0", "T1", "T2"]
    assert [step.distance for step in mix.items] == [None, 0.1, 0.2]
    assert [step.closer_than for step in mix.items] == [None, 0.9, None]
    assert Mix.of(Playlist("4671e799961d", [], [], [])).items == []
