"""Uploads whose recommendations were lost are answered again."""

from mfcc_assets.library import Library
from mfcc_assets_tests.runs import drop_upload, lose_tables, requested_uploads, run_library, run_uploads


def test_uploads_whose_recommendations_were_lost_are_answered_again_when_all_soundtracks_are_known(
    ten_tracks, instance, query
):
    answered, empty, of_copy = (drop_upload(ten_tracks, query, f"{name}.flac") for name in ("a", "b", "c"))
    run_uploads(ten_tracks, instance, [answered, empty, of_copy])
    ten_tracks.documents.update(empty, lambda body: {**body, "recommendations": 0})
    ten_tracks.recommendations.forget_upload(empty, content_digests=[])
    ten_tracks.blobs.delete("uploads", "c.flac")
    former = ten_tracks.recommendations.recommended(answered)
    assert requested_uploads(ten_tracks, instance) == []
    lose_tables(ten_tracks)

    with Library(ten_tracks.settings) as lost:
        assert requested_uploads(lost, instance) == [], "the soundtracks are not known yet"
        run_library(lost, instance)
        assert sorted(requested_uploads(lost, instance)) == sorted([answered, of_copy])
        run_uploads(lost, instance, [answered, of_copy])

        again = lost.recommendations.recommended(answered)
        assert [row.track_id for row in again] == [row.track_id for row in former]
        assert len(lost.recommendations.recommended(of_copy)) == 5
        assert requested_uploads(lost, instance) == []


def test_an_upload_whose_recommended_soundtracks_all_left_is_answered_once_more(ten_tracks, instance, query):
    upload = drop_upload(ten_tracks, query, "a.flac")
    run_uploads(ten_tracks, instance, [upload])
    for row in ten_tracks.recommendations.recommended(upload):
        ten_tracks.blobs.delete("soundtracks", row.blob_name)
    run_library(ten_tracks, instance)
    assert ten_tracks.recommendations.recommended(upload) == []

    assert requested_uploads(ten_tracks, instance) == [upload]
    run_uploads(ten_tracks, instance, [upload])

    assert len(ten_tracks.recommendations.recommended(upload)) == 5
    assert requested_uploads(ten_tracks, instance) == []
