"""The work on features that an engine does, on threads or on executors: see `mfcc_assets.compute.port`.

The features go to the container `cepstra` under the id of their audio. A result has only what the database needs.
"""

from typing import Any

import pyarrow as pa

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import ITEM
from mfcc_assets.errors import AudioError, BlobNotFound, FeaturesDamaged, SettingsError
from mfcc_assets.ids import AudioId
from mfcc_assets.pipeline.analysed_bytes import ByteAnalysis, ChangedMeanwhileError, ObservedFile
from mfcc_assets.pipeline.feature_repair import compute_from_soundtrack, repair_sentence
from mfcc_assets.pipeline.store_features import store_track_features

FILES = pa.schema(
    [
        *ITEM,
        ("names", pa.list_(pa.string())),
        ("audio_ids", pa.list_(pa.string())),
        ("seconds", pa.list_(pa.float64())),
        ("notes", pa.list_(pa.string())),
    ]
)
"""Items of `analyse_files`: a key is a content digest, or what stands for it until the file is read.

They have the names of all soundtracks with these bytes, and what is known of the former audio of each. The audio id is
null if the features of this audio are not stored.
"""

ANALYSED = pa.schema(
    [
        ("digest", pa.string()),
        ("audio_id", pa.string()),
        ("seconds", pa.float64()),
        ("note", pa.string()),
        ("computed", pa.bool_()),
        ("gone", pa.bool_()),
        ("fault", pa.struct([(name, pa.string()) for name in ("code", "what", "remedy")])),
    ]
)
"""Results of `analyse_files`: the content digest and the audio, or the digest and why the audio cannot be used.

If none of its files can be read as it was observed, it says only whether all of them are gone, as seen from here.
"""

ANALYSIS = "analysis"
"""Name under which a context keeps the `ByteAnalysis` of the process that plans the work."""

AUDIO = pa.schema([*ITEM, ("name", pa.string())])
"""Items of `features_of_audio`: a key is an audio id, and the name is that of a soundtrack with this audio."""

COMPUTED_FEATURES = pa.schema([("repair", pa.string())])
"""Results of `features_of_audio`: a sentence if the cepstra were damaged and were computed again, or null."""


def analyse_files(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Analyse the files of `FILES`, store their cepstra, and return `ANALYSED`."""
    _check_version(context.feature_parameters.cepstra.version, version)
    # The process that plans the work has one that knows its database. An executor may live longer than what it knows.
    analysis: ByteAnalysis = context.kept(ANALYSIS, version) or ByteAnalysis(context)
    return pa.RecordBatch.from_pylist([_analysed(analysis, item) for item in items.to_pylist()], ANALYSED)


def _analysed(analysis: ByteAnalysis, item: dict[str, Any]) -> dict[str, Any]:
    columns, gone = (item[name] for name in ("names", "audio_ids", "seconds", "notes")), True
    for name, audio_id, seconds, note in zip(*columns, strict=True):
        # A file may be away, or have gone or changed after it was observed. Another one has the same bytes.
        try:
            if audio_id:
                analysis.add_stored(audio_id)
            found = analysis.of(ObservedFile(name, item["key"], audio_id, seconds, note))
        except (BlobNotFound, FileNotFoundError):
            continue
        except (PermissionError, ChangedMeanwhileError):
            gone = False
            continue
        if isinstance(found.audio, AudioError):
            fault = {"code": type(found.audio).__name__, "what": found.audio.what, "remedy": found.audio.remedy}
            return {"digest": found.digest, "computed": False, "fault": fault}
        return {
            "digest": found.digest,
            "audio_id": found.audio.audio_id,
            "seconds": found.audio.seconds,
            "note": found.audio.note,
            "computed": found.computed,
        }
    return {"gone": gone}


def features_of_audio(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Compute and store the track features of `AUDIO`, and return `COMPUTED_FEATURES`.

    Raises
    ------
    FeaturesMissing
        If the cepstra are missing, or are damaged and the soundtrack is not usable any more.
    """
    _check_version(context.feature_parameters.version, version)
    repairs = [_repair_of(context, AudioId(row["key"]), row["name"]) for row in items.to_pylist()]
    return pa.record_batch([pa.array(repairs, pa.string())], schema=COMPUTED_FEATURES)


def _repair_of(context: Context, audio_id: AudioId, name: str) -> str | None:
    parameters = context.feature_parameters
    try:
        store_track_features(context.features, audio_id, parameters)
    except FeaturesDamaged as damage:
        compute_from_soundtrack(context.features, context.blobs, context.limits, name, parameters, damage)
        store_track_features(context.features, audio_id, parameters)
        return repair_sentence(damage)
    return None


def _check_version(ours: str, wanted: str) -> None:
    if ours != wanted:
        raise SettingsError(
            f"it computes features of version {ours}, and version {wanted} is needed",
            subject="a process that computes",
            remedy="Install the same version of this program everywhere",
        )
