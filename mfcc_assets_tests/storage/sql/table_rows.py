"""Sample rows for tests of the catalogue and the recommendations."""

from collections.abc import Iterable
from typing import Any

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import AudioId, UploadId, track_id
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.recommendations import Recommendations
from mfcc_assets.storage.sql.records import AudioContent, Observed, Recommendation, Reject


def observed(name: str, version: int = 1, **tags: Any) -> Observed:
    digest = f"{track_id(name)}{version:016x}"
    return Observed(name, f"etag {version}", 1000 + version, digest, Tags(**{"title": name[:60], **tags}), "cover.svg")


def observe(catalogue: Catalogue, *files: Observed, gone: tuple[str, ...] = ()) -> None:
    catalogue.record_observed(files, [*map(track_id, gone)], shard_digits=1, run_id="run")


def analyse(catalogue: Catalogue, file: Observed, audio_id: str, note: str = "") -> None:
    catalogue.record_content(AudioContent(file.content_digest, AudioId(audio_id), 61.5, note), track_id=file.track_id)


def reject(file: Observed, reason: str = "silent") -> Reject:
    return Reject(file.track_id, "soundtracks", file.blob_name, "silent", reason)


def recommend(recommendations: Recommendations, query: str, *names: str, version: str = "v1") -> int:
    places = places_of(names)
    return recommendations.replace_recommendations(
        UploadId(query), places, method="dtw", index_version=version, run_id="run"
    )


def places_of(names: Iterable[str]) -> list[Recommendation]:
    return [Recommendation(rank, track_id(name), rank / 3) for rank, name in enumerate(names, start=1)]


def recommended(recommendations: Recommendations, query: str) -> list[tuple[int, str]]:
    """Return the ranks and the names of the tracks that are recommended for a query."""
    return [(row.rank, row.blob_name) for row in recommendations.recommended(UploadId(query))]
