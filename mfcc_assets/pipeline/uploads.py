"""The life of an upload: received, recognised, candidates, ranked; or failed, with the reason.

Every step reads what the ones before it stored, so that a killed run can be repeated and gives the same answer. The
document tells how far an upload is, and which run answers it. A step leaves a failed upload alone, and another run's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import (
    AudioError,
    BlobNotFound,
    CorruptIndex,
    DocumentNotFound,
    FeaturesMissing,
    MfccError,
    NoPublishedIndex,
    TooLarge,
    UnreadableAudio,
)
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.ids import content_digest, upload_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import (
    choose_recommendations,
    find_query_candidates,
    rank_query,
    recognise_file,
    search_for,
)
from mfcc_assets.pipeline.rankings import required_lists
from mfcc_assets.pipeline.soundtracks import analyse_file, compute_track_features, is_companion, note_on
from mfcc_assets.pipeline.upload_document import CANDIDATES, FAILED, RANKED, RECEIVED, RECOGNISED, AnsweringRun, Body
from mfcc_assets.storage.blobs.names import clean_name
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.ranking_store import RankedLists
from mfcc_assets.storage.sql.records import AudioContent, Reject

UNANSWERABLE = ("no_index", "corrupt_index", "no_features")
"""Failures of the library, not of the upload: it is answered as soon as there is an index to search."""

_DELETED = "The upload was deleted before it was read. Upload it again."

_CODES = {
    NoPublishedIndex: "no_index",
    CorruptIndex: "corrupt_index",
    FeaturesMissing: "no_features",
    BlobNotFound: "gone",
}


def upload_files(library: Library) -> Iterator[Blob]:
    """Every file of music in the container `uploads`."""
    return (blob for blob in library.blobs.list("uploads") if not is_companion(blob.name))


def uploads_by_id(library: Library) -> dict[str, Blob]:
    """Every upload in the container; of several files in one upload's folder the one that came last."""
    blobs = sorted(upload_files(library))
    return {upload_id(blob.name, blob.etag, library.signing_key): blob for blob in blobs}


def receive_uploads(library: Library, uploads: Sequence[str], *, run: AnsweringRun) -> list[Body]:
    """Claim uploads, and copy them to `batch`, out of reach of whoever sent them."""
    blobs = uploads_by_id(library)
    return [_received(library, upload, blobs.get(upload), run) for upload in uploads]


def analyse_uploads(library: Library, uploads: Sequence[str], *, run: AnsweringRun) -> list[Body]:
    """Compute cepstra and summary of each upload, in the way of the published index."""
    index = library.indexes.published_if_usable()
    parameters = index.parameters.features if index else library.settings.features

    def analyse(body: Body) -> Body:
        content = _analysed(library, body, parameters)
        return {"audio_id": content.audio_id, "seconds": content.seconds, "note": content.note}

    return _each(library, uploads, analyse, needs="batch", run=run)


def recognise_uploads(library: Library, uploads: Sequence[str], *, run: AnsweringRun) -> list[Body]:
    """Find out who each upload is, and remember by whom it was recognised, and who could not be asked."""
    index = library.indexes.published_if_usable()
    parameters = (index.parameters.features if index else library.settings.features).cepstra

    def recognise(body: Body) -> Body:
        cepstra = library.features.read_cepstra(body["audio_id"], parameters)
        with library.blobs.as_file("batch", body["batch"]) as path:
            outcome = recognise_file(library, index, path, cepstra)
        found = {
            "recognised": asdict(outcome.recognition) if outcome.recognition else None,
            "recognition_failures": [asdict(failure) for failure in outcome.failures],
        }
        return found | _reached(body, RECOGNISED)

    return _each(library, uploads, recognise, needs="audio_id", run=run)


def find_upload_candidates(library: Library, uploads: Sequence[str], *, run: AnsweringRun) -> list[Body]:
    """Pick the candidates of each upload from the published index."""
    published = cache(library.indexes.published)

    def find(body: Body) -> Body:
        index = published()
        if not index.tracks:
            raise NoPublishedIndex("the library is empty", remedy="Add music: this upload is answered then")
        parameters = index.parameters.features
        # Another index may have been published since the upload was analysed, with features of another kind.
        _analysed(library, body, parameters)
        search = search_for(library, index, body["audio_id"])
        found = find_query_candidates(index, search, without={body["audio_id"], *_recognised_as(body)})
        library.rankings.write("candidates", index.version, body["id"], RankedLists.of({body["id"]: found}))
        return {"index_version": index.version, "method": index.parameters.ranking} | _reached(body, CANDIDATES)

    return _each(library, uploads, find, needs="recognised", run=run)


def rank_uploads(library: Library, uploads: Sequence[str], *, run: AnsweringRun) -> list[Body]:
    """Order the candidates of each upload by the ranking of the index they came from."""
    read_index = cache(library.indexes.read)

    def order(body: Body) -> Body:
        index = read_index(body["index_version"])
        candidates = required_lists(library, "candidates", index.version, body["id"]).candidates
        ranked = rank_query(library, index, search_for(library, index, body["audio_id"]), candidates)
        library.rankings.write("rankings", index.version, body["id"], RankedLists.of({body["id"]: ranked}))
        return {"certified": False, "recall": library.indexes.read_quality(index.version).get(RECALL)}

    return _each(library, uploads, order, needs="index_version", run=run)


def recommend_for_uploads(library: Library, uploads: Sequence[str], *, run: AnsweringRun) -> list[Body]:
    """Write the recommendations of each upload, and close its document."""
    read_index = cache(library.indexes.read)

    def recommend(body: Body) -> Body:
        version = body["index_version"]
        ranked = required_lists(library, "rankings", version, body["id"]).by_query().get(body["id"], [])
        recommendations, _ = choose_recommendations(
            library,
            read_index(version),
            ranked,
            size=library.settings.recommendations,
            query_audio=body["audio_id"],
            recognised_as=_recognised_as(body),
        )
        count = library.recommendations.replace_recommendations(
            body["id"], recommendations, method=body["method"], index_version=version, run_id=run.run_id
        )
        return {"recommendations": count} | _reached(body, RANKED)

    return _each(library, uploads, recommend, needs="recall", run=run)


def _received(library: Library, upload: str, blob: Blob | None, run: AnsweringRun) -> Body:
    file_name = blob.name.rpartition("/")[2] if blob else ""
    received = blob.modified.isoformat() if blob else _now()

    def begin(former: Body | None) -> Body:
        body = {"state": RECEIVED, "run_id": run.run_id, "times": {RECEIVED: _now()}}
        body |= {"received": received, "file_name": file_name}
        # Of an upload that has left its container since, the copy can be answered again.
        if blob is None and former is not None and "batch" in former:
            body |= {name: former[name] for name in ("received", "file_name", "batch")}
        return body

    body, is_ours = run.claim(library.documents, upload, begin)
    if not is_ours:
        return body
    library.catalogue.forget_reject(upload)
    if blob is not None:
        return run.advance(library.documents, upload, _copied(library, upload, blob, file_name, run))
    return body if "batch" in body else run.advance(library.documents, upload, _failure("gone", _DELETED))


def _copied(library: Library, upload: str, blob: Blob, file_name: str, run: AnsweringRun) -> Body:
    batch = f"{upload}/{clean_name(file_name)}"
    most = library.settings.max_upload_bytes
    if blob.size > most:
        what = f"the file has {blob.size:,} bytes, and {most:,} are the most"
        error: AudioError = TooLarge(what, subject=file_name, remedy="Upload a part of it, or raise the limit")
        return _failed(library, upload, {"file_name": file_name}, error, run)
    try:
        library.blobs.copy("uploads", blob.name, "batch", batch)
    except PermissionError:
        error = UnreadableAudio("the file may not be read", subject=file_name, remedy="Change its permissions")
        return {"batch": batch} | _failed(library, upload, {"file_name": file_name}, error, run)
    except (BlobNotFound, FileNotFoundError):
        return _failure("gone", _DELETED)
    return {"batch": batch}


def _each(
    library: Library, uploads: Sequence[str], step: Callable[[Body], Body], *, needs: str, run: AnsweringRun
) -> list[Body]:
    """Apply a step to every upload that is this run's and has not failed; what it returns goes into the document.

    An upload that was purged since the run began is left out.

    Parameters
    ----------
    needs
        What the step before found. A document that lacks it is of a run that ended before that step was done: whoever
        claims the upload begins anew.
    """

    def advance(upload: str) -> Body | None:
        try:
            body = library.documents.get(upload).body
            if body["state"] == FAILED or needs not in body or not run.may_answer(body):
                return body
            return run.advance(library.documents, upload, attempted(upload, body))
        except DocumentNotFound:
            return None

    def attempted(upload: str, body: Body) -> Body:
        try:
            return step({**body, "id": upload})
        except (AudioError, NoPublishedIndex, CorruptIndex, FeaturesMissing, BlobNotFound) as error:
            return _failed(library, upload, body, error, run)

    advanced = dict(on_all_cores(advance, uploads))
    return [body for upload in uploads if (body := advanced[upload]) is not None]


def _analysed(library: Library, body: Body, parameters: FeaturesParameters) -> AudioContent:
    """What audio an upload holds, with its features computed unless they are there."""
    with library.blobs.as_file("batch", body["batch"]) as path:
        with path.open("rb") as file:
            digest = content_digest(file)
        content = library.catalogue.contents([digest]).get(digest)
        if content is None or not library.features.has_cepstra(content.audio_id, parameters.cepstra):
            audio = analyse_file(path, library.features, parameters.cepstra, library.settings.limits, body["file_name"])
            content = AudioContent(digest, audio.audio_id, audio.seconds, note_on(audio))
            library.catalogue.record_content(content)
    if not library.features.has_track_features(content.audio_id, parameters):
        compute_track_features(library.features, content.audio_id, parameters)
    return content


def _recognised_as(body: Body) -> Sequence[str]:
    audio_ids: Sequence[str] = (body["recognised"] or {}).get("audio_ids", ())
    return audio_ids


def _failed(library: Library, upload: str, body: Body, error: MfccError, run: AnsweringRun) -> Body:
    if isinstance(error, AudioError):
        reject = Reject(upload, "uploads", body["file_name"], error.code, str(error))
        library.catalogue.record_reject(reject, run_id=run.run_id)
        return _failure(error.code, str(error))
    return _failure(_CODES[type(error)], str(error))


def _failure(code: str, reason: str) -> Body:
    return {"state": FAILED, "failure": {"code": code, "reason": reason}}


def _reached(body: Body, state: str) -> Body:
    return {"state": state, "times": body["times"] | {state: _now()}}


def _now() -> str:
    return datetime.now(UTC).isoformat()
