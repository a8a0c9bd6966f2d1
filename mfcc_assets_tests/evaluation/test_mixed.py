"""Scores of rankings in mixed libraries."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mfcc_assets.evaluation.labelled import AnalysedTracks
from mfcc_assets.evaluation.manifest import labels_of
from mfcc_assets.evaluation.metrics import RankedIds
from mfcc_assets.evaluation.mixed import DRAWS, MixedScores, drawn_rows, rank_draws, rows_of_both, score_mixed
from mfcc_assets.evaluation.scores import rank_tracks
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets_tests.evaluation.made_up import PARAMETERS, made_up_tracks
from mfcc_assets_tests.evaluation.progress import ignore_progress

RANKING = "gaussian_uncorrected"


@pytest.fixture(scope="module")
def clean() -> AnalysedTracks:
    """Three artists with six tracks each. Their tracks sound so alike that every answer is right."""
    return made_up_tracks(3, 6)


def scores(clean: AnalysedTracks, reencoded: AnalysedTracks, share: float) -> MixedScores:
    return score_mixed(clean, reencoded, lambda _: "re-encoded", share, [RANKING], PARAMETERS, ignore_progress)[RANKING]


@given(st.integers(1, 200), st.sampled_from([0.5, 0.1]), st.integers(0, 3))
def test_the_same_share_is_re_encoded_in_each_draw(tracks: int, share: float, draw: int) -> None:
    assert sum(drawn_rows(tracks, share, draw)) == max(1, round(share * tracks))
    assert drawn_rows(tracks, share, draw) == drawn_rows(tracks, share, draw)


def test_every_track_is_re_encoded_in_some_draw_and_as_it_is_in_another() -> None:
    times = [sum(drawn) for drawn in zip(*(drawn_rows(50, 0.5, draw) for draw in range(30)), strict=True)]
    assert 4 < min(times) < max(times) < 26


def test_a_chain_that_changes_nothing_leaves_the_answers_right_and_the_coding_to_chance(
    clean: AnalysedTracks,
) -> None:
    found = scores(clean, clean, 0.5)

    assert found.all_queries.precision.queries == DRAWS * 18
    assert found.all_queries.precision.labels == 3
    assert min(part.precision.p_at_5 or 0 for part in (found.all_queries, found.reencoded_queries)) > 0.97
    assert found.all_queries.same_by_chance == pytest.approx(8 / 17)
    assert found.all_queries.same == pytest.approx(8 / 17, abs=0.1)
    assert found.reencoded_queries.precision.queries == DRAWS * 9
    assert scores(clean, clean, 0.5) == found


def test_a_chain_that_is_louder_than_the_music_keeps_every_answer_in_the_own_coding(clean: AnalysedTracks) -> None:
    found = scores(clean, made_up_tracks(3, 6, coding=1_000.0), 0.5)

    assert found.all_queries.same == found.reencoded_queries.same == 1.0
    precision = found.all_queries.precision.p_at_5
    assert precision is not None
    assert precision < 0.6, "only about half of the artist's tracks have the query's coding"


def test_a_tenth_has_too_few_answers_in_its_own_coding_to_find_its_artist(clean: AnalysedTracks) -> None:
    found = scores(clean, made_up_tracks(3, 6, coding=1_000.0), 0.1)

    assert found.reencoded_queries.precision.queries == DRAWS * 2
    assert found.reencoded_queries.same_by_chance == pytest.approx(1 / 17)
    assert found.reencoded_queries.same == pytest.approx(1 / 5), "the other re-encoded track comes first"


def test_tracks_that_cannot_be_re_encoded_and_copies_are_left_out(clean: AnalysedTracks) -> None:
    fewer = AnalysedTracks(clean.tracks[:-1], clean.audio_ids[:-1], clean.track_features[:-1], {})
    copies = replace(clean, recordings={clean.tracks[0].path: clean.tracks[3].path})
    assert scores(copies, fewer, 0.5).all_queries.precision.queries == DRAWS * 16


def test_states_tell_several_chains_apart(clean: AnalysedTracks) -> None:
    def state_of(track: object) -> str:
        return f"chain {clean.tracks.index(track) % 2}"

    found = score_mixed(clean, clean, state_of, 0.5, [RANKING], PARAMETERS, ignore_progress)[RANKING]

    of_reencoded = found.reencoded_queries.same_by_chance
    assert of_reencoded == pytest.approx(3.5 / 17, abs=0.04), "about half of the nine went through the query's chain"


def test_lists_that_are_made_elsewhere_are_scored_in_the_same_draws(clean: AnalysedTracks) -> None:
    reencoded = made_up_tracks(3, 6, coding=3.0)
    both = Tracks.of([*clean.track_features, *reencoded.track_features], PARAMETERS)
    paths = [track.path for track in clean.tracks]

    def rank(rows: NDArray[np.int64]) -> Iterator[tuple[str, RankedIds[str]]]:
        return rank_tracks(both.rows(rows), paths, [RANKING], {})

    draws = rank_draws(clean.tracks, lambda _: "re-encoded", 0.5, rank)

    assert rows_of_both(clean, reencoded).tolist() == [[row, row] for row in range(18)]
    assert MixedScores.of(draws[RANKING], labels_of(clean.tracks)) == scores(clean, reencoded, 0.5)
