"""The chains that encode labelled tracks again."""

from collections import Counter

from mfcc_assets.evaluation.chains import (
    SEVERAL_CHAINS,
    listeners_chain,
    one_chain,
    one_of_several_chains,
    one_of_several_states,
)
from mfcc_assets.evaluation.manifest import LabelledTrack


def test_all_tracks_share_one_chain_except_for_the_gain() -> None:
    chains = [one_chain(LabelledTrack(f"{number}.ogg")) for number in range(50)]

    assert {(chain.sample_rate, chain.bit_rate, chain.begin) for chain in chains} == {(22_050, 96_000, 0.0)}
    assert len({chain.gain for chain in chains}) == 50
    assert -6 <= min(chain.gain for chain in chains) < -5 < 5 < max(chain.gain for chain in chains) <= 6
    assert chains[0] == one_chain(LabelledTrack("0.ogg", artist="Bach")), "the gain depends on the path alone"


def test_a_query_is_half_a_minute_that_lies_inside_the_track() -> None:
    chains = [listeners_chain(LabelledTrack(f"{number}.ogg"), seconds=100.0) for number in range(50)]

    assert {(chain.bit_rate, chain.seconds) for chain in chains} == {(64_000, 30.0)}
    assert {chain.sample_rate for chain in chains} == {16_000, 24_000, 32_000}
    begins = [chain.begin for chain in chains]
    assert 0 <= min(begins) < 10
    assert 60 < max(begins) <= 70
    assert listeners_chain(LabelledTrack("short.ogg"), seconds=12.0).begin == 0


def test_each_of_several_chains_is_drawn_about_as_often_and_by_the_path_alone() -> None:
    tracks = [LabelledTrack(f"{number}.ogg") for number in range(600)]

    drawn = Counter(map(one_of_several_states, tracks))

    assert set(drawn) == set(SEVERAL_CHAINS)
    assert 70 < min(drawn.values()) <= max(drawn.values()) < 130
    assert all(one_of_several_chains(track) == SEVERAL_CHAINS[one_of_several_states(track)] for track in tracks)
    assert one_of_several_states(LabelledTrack("0.ogg", artist="Bach")) == one_of_several_states(tracks[0])
