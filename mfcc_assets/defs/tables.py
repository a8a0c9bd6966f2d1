"""The tables that assets write: the columns with their types and meanings, and what each column is computed from."""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
import sqlalchemy as sa

from mfcc_assets.features.waveform import BANDS
from mfcc_assets.storage.sql.schema import RECOMMENDATIONS, SOUNDTRACKS

COEFFICIENTS = tuple(f"COE_{number}" for number in range(1, 14))

_CEPSTRA = {
    "audio_id": ("string", "audio that the frame is of"),
    "frame": ("int32", "number of the frame, from 0; 100 frames a second"),
    **{name: ("float", f"cepstral coefficient {name[4:]} of the frame") for name in COEFFICIENTS},
}
_FLOATS = "list<float>"
_TRACK_FEATURES = {
    "mean": ("list<double>", "mean of the cepstra of the low band"),
    "covariance": ("list<double>", "covariance of these cepstra, row by row"),
    "contour": (_FLOATS, "these cepstra at the contour rate, which dynamic time warping compares, frame by frame"),
    "embedding": (_FLOATS, "means of equal segments of these cepstra"),
    "sketch": (_FLOATS, "the fingerprint, which recognition compares"),
    "timbre": (_FLOATS, "three Gaussians of the whole band as one vector"),
    "treble": ("list<double>", "one number: how strong the track is above the low band"),
}
_WAVEFORM = {
    "peaks": ("uint8", "largest absolute sample of a bin; 255 is the loudest bin of the track"),
    **{band: ("uint8", f"level of the {band} band in a bin; 255 is the strongest band of the track") for band in BANDS},
}
_LISTS = {
    "audio_id": ("string", "audio that recommendations are for; in the file of an upload, the upload id"),
    "candidate": ("string", "audio of the other track"),
    "distance": ("double", "distance of the two; among candidates it is estimated"),
}

_MEANINGS = {
    "TRACK_ID": "names a soundtrack for life",
    "SHARD": "first hex digits of the track id, the partition of the assets",
    "BLOB_NAME": "name of the file in the container soundtracks",
    "ETAG": "version of the file",
    "BYTES": "size of the file",
    "CONTENT_DIGEST": "digest of the bytes of the file; begins with unread until they are read",
    "TITLE": "title in the tags, or what the name of the file says",
    "ARTIST": "artist in the tags; empty if nobody is named",
    "ALBUM": "album in the tags",
    "GENRE": "genre in the tags",
    "TRACK_NUMBER": "number of the track on its disc",
    "YEAR": "year in the tags",
    "ARTWORK": "name of the picture in the container artworks",
    "AUDIO_ID": "digest of the decoded samples; empty until they are analysed",
    "ANALYSED_DIGEST": "content digest of the bytes that were analysed last",
    "SECONDS": "length of the audio",
    "NOTE": "remark on the audio",
    "RUN_ID": "run that wrote the row",
    "OBSERVED_AT": "time at which the file was seen last, in UTC",
    "ALBUM_ARTIST": "artist of the album in the tags",
    "ARTISTS": "every artist that the tags name, as a JSON list",
    "DISC_NUMBER": "number of the disc",
    "TAGS_NOTE": "remark on the tags",
    "ADDED_AT": "time at which the soundtrack came into the library, in UTC",
    "BY_TITLE": "text that sorts by title",
    "BY_ARTIST": "text that sorts by artist, album, disc and track number",
    "BY_ALBUM": "text that sorts by album, disc and track number",
    "BY_YEAR": "text that sorts by year, the last year first",
    "ARTIST_KEY": "first artist, as artists are compared",
    "ALBUM_KEY": "album with its artist or folder, as albums are compared",
    "GENRE_KEYS": "the genres, each between separators",
    "SEARCH_TEXT": "title, artists and album without case and accents, in which a search looks",
    "RECORDING_MBID": "id of MusicBrainz for the recording, from the tags",
    "RELEASE_MBID": "id of MusicBrainz for the album, from the tags",
    "ARTIST_MBIDS": "ids of MusicBrainz for the artists, from the tags, as a JSON list",
    "QUERY_ID": "track id of a soundtrack, or upload id: what the recommendations are for",
    "RANK": "place in the list, from 1",
    "DISTANCE": "corrected distance to the query; the smaller, the more alike",
    "METHOD": "ranking that ordered the list",
    "INDEX_VERSION": "index that was searched when the list was written; later ones may give the same list",
    "CREATED_AT": "time at which the row was written, in UTC",
}


def _of_database(table: sa.Table) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                str(column.type),
                _MEANINGS[column.name],
                dg.TableColumnConstraints(
                    nullable=bool(column.nullable), other=["primary key"] if column.primary_key else None
                ),
            )
            for column in table.columns
        ]
    )


def _of_files(columns: Mapping[str, tuple[str, str]]) -> dg.TableSchema:
    required = dg.TableColumnConstraints(nullable=False)
    return dg.TableSchema([dg.TableColumn(name, kind, meaning, required) for name, (kind, meaning) in columns.items()])


SCHEMAS: Mapping[str, dg.TableSchema] = {
    "raw_soundtracks": _of_database(SOUNDTRACKS),
    "soundtrack_cepstra": _of_files(_CEPSTRA),
    "soundtrack_waveforms": _of_files(_WAVEFORM),
    "soundtrack_summaries": _of_files(_TRACK_FEATURES),
    "soundtrack_candidates": _of_files(_LISTS),
    "soundtrack_rankings": _of_files(_LISTS),
    "soundtrack_recommendations": _of_database(RECOMMENDATIONS),
    "upload_candidates": _of_files(_LISTS),
    "upload_ranking": _of_files(_LISTS),
    "upload_recommendations": _of_database(RECOMMENDATIONS),
}
"""Columns of the table that an asset writes, by the name of the asset."""


def _from(asset: str, *columns: str) -> list[dg.TableColumnDep]:
    return [dg.TableColumnDep(dg.AssetKey(asset), column) for column in columns]


def _lineage(columns: Mapping[str, Sequence[dg.TableColumnDep]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(columns)


def _same(names: Iterable[str], deps: list[dg.TableColumnDep]) -> dict[str, list[dg.TableColumnDep]]:
    return dict.fromkeys(names, deps)


_COMPARED = _from("soundtrack_summaries", "mean", "covariance", "contour", "embedding", "timbre", "treble")
_OF_RANKINGS = {
    "QUERY_ID": [*_from("soundtrack_rankings", "audio_id"), *_from("raw_soundtracks", "TRACK_ID", "AUDIO_ID")],
    "TRACK_ID": [
        *_from("soundtrack_rankings", "candidate"),
        *_from("raw_soundtracks", "TRACK_ID", "AUDIO_ID", "ARTIST", "ALBUM"),
    ],
    "RANK": [*_from("soundtrack_rankings", "distance"), *_from("raw_soundtracks", "ARTIST", "ALBUM")],
    "DISTANCE": _from("soundtrack_rankings", "distance"),
}
_OF_AN_UPLOAD = {
    "QUERY_ID": _from("upload_ranking", "audio_id"),
    "TRACK_ID": [
        *_from("upload_ranking", "candidate"),
        *_from("raw_soundtracks", "TRACK_ID", "AUDIO_ID", "ARTIST", "ALBUM"),
    ],
    "RANK": [*_from("upload_ranking", "distance"), *_from("raw_soundtracks", "ARTIST", "ALBUM")],
    "DISTANCE": _from("upload_ranking", "distance"),
}

LINEAGE: Mapping[str, dg.TableColumnLineage] = {
    "soundtrack_cepstra": _lineage(_same(_CEPSTRA, _from("raw_soundtracks", "BLOB_NAME"))),
    "soundtrack_waveforms": _lineage(
        {
            "peaks": _from("raw_soundtracks", "BLOB_NAME"),
            **_same(BANDS, _from("soundtrack_cepstra", *COEFFICIENTS)),
        }
    ),
    "soundtrack_summaries": _lineage(_same(_TRACK_FEATURES, _from("soundtrack_cepstra", *COEFFICIENTS))),
    "soundtrack_candidates": _lineage(
        _same(("audio_id", "candidate"), _from("raw_soundtracks", "AUDIO_ID")) | {"distance": _COMPARED}
    ),
    "soundtrack_rankings": _lineage(
        {
            "audio_id": _from("soundtrack_candidates", "audio_id"),
            "candidate": _from("soundtrack_candidates", "candidate"),
            "distance": _COMPARED,
        }
    ),
    "soundtrack_recommendations": _lineage(_OF_RANKINGS),
    "upload_candidates": _lineage({"candidate": _from("raw_soundtracks", "AUDIO_ID"), "distance": _COMPARED}),
    "upload_ranking": _lineage(
        {
            "audio_id": _from("upload_candidates", "audio_id"),
            "candidate": _from("upload_candidates", "candidate"),
            "distance": _COMPARED,
        }
    ),
    "upload_recommendations": _lineage(_OF_AN_UPLOAD),
}
"""Columns from which each column of an asset's table is computed, by the name of the asset."""
