"""The steps that answer uploads: receive, analyse, recognise, find candidates, rank, recommend.

Each step reads what the steps before it stored. So a killed run can be repeated, and gives the same answer. The
document of an upload tells how far the upload is and which run answers it. A step skips the uploads that have failed,
and those that another run answers.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache

from mfcc_assets.audio.outside import read_tags
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import (
    AudioError,
    BlobNotFound,
    CorruptIndex,
    DocumentNotFound,
    FeaturesMissing,
    NoPublishedIndex,
    TooLarge,
    UnreadableAudio,
    UploadChanged,
)
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.ids import AudioId, UploadId, digest_of_file
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import (
    choose_recommendations,
    find_query_candidates,
    rank_query,
    recognise_file,
    search_for,
)
from mfcc_assets.pipeline.answering_run import AnsweringRun, document_of
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.purge import remove_computed
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.pipeline.stages import coverage_of
from mfcc_assets.pipeline.store_features import note_on, store_analysis, store_track_features
from mfcc_assets.pipeline.stored_rankings import required_upload_list
from mfcc_assets.pipeline.upload_document import (
    AnalysedUpload,
    CopiedUpload,
    Failure,
    Kind,
    RankedUpload,
    RecognisedUpload,
    SearchedUpload,
    UploadDocument,
)
from mfcc_assets.pipeline.upload_file import check_size
from mfcc_assets.pipeline.upload_register import file_name_of, files_of_uploads, received_at
from mfcc_assets.pipeline.upload_source import Source
from mfcc_assets.storage.blobs.names import clean_name
from mfcc_assets.storage.blobs.port import BATCH, UPLOADS, Blob
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.sql.records import AudioContent, Reject

UNANSWERABLE = ("no_index", "corrupt_index", "no_features")
"""Codes of failures that are the library's fault. Such an upload is answered as soon as an index can be searched."""

_DELETED = Failure("gone", "The upload was deleted before it was read. Upload it again.")

_CODES: tuple[tuple[type[Exception], str], ...] = (
    (NoPublishedIndex, "no_index"),
    (CorruptIndex, "corrupt_index"),
    (FeaturesMissing, "no_features"),
    (BlobNotFound, "gone"),
    (UploadChanged, "changed"),
)
"""Code of each error that is not the fault of the audio. A code also covers the subclasses of its error."""

Change = Callable[[Kind], UploadDocument]
"""Adds the findings of a step to a document."""


def receive_uploads(library: Library, uploads: Sequence[UploadId], *, run: AnsweringRun) -> list[UploadDocument]:
    """Claim uploads, and copy their files to `batch`, out of reach of their senders.

    An upload without a file and without a document was purged, and is left out.
    """
    files = files_of_uploads(library, uploads)
    received = [_received(library, upload, files.get(upload), run) for upload in uploads]
    return [document for document in received if document is not None]


def analyse_uploads(library: Library, uploads: Sequence[UploadId], *, run: AnsweringRun) -> list[UploadDocument]:
    """Compute the cepstra and track features of each upload, with the parameters of the published index."""
    index = library.indexes.published_if_usable()
    parameters = index.parameters.features if index else library.feature_parameters

    def analyse(_: UploadId, document: CopiedUpload) -> Change[CopiedUpload]:
        content = _analysed(library, document, parameters)
        return lambda stored: stored.with_audio(content.audio_id, content.seconds, content.note)

    return _each(library, uploads, analyse, needs=CopiedUpload, run=run)


def recognise_uploads(library: Library, uploads: Sequence[UploadId], *, run: AnsweringRun) -> list[UploadDocument]:
    """Ask the recognisers about each upload, and store their answer and the names of those that could not answer."""
    index = library.indexes.published_if_usable()
    parameters = (index.parameters.features if index else library.feature_parameters).cepstra

    def recognise(_: UploadId, document: AnalysedUpload) -> Change[AnalysedUpload]:
        cepstra = library.features.read_cepstra(document.audio_id, parameters)
        with library.blobs.as_file(BATCH, document.batch) as path:
            names = library.settings.recogniser_names
            outcome = recognise_file(library, index, path, read_tags(path), document.audio_id, cepstra, names)
        return lambda stored: stored.with_recognition(outcome.recognition, outcome.failures)

    return _each(library, uploads, recognise, needs=AnalysedUpload, run=run)


def find_upload_candidates(library: Library, uploads: Sequence[UploadId], *, run: AnsweringRun) -> list[UploadDocument]:
    """Find the candidates of each upload in the published index, and store them."""
    published = cache(library.indexes.published)

    def find(upload: UploadId, document: RecognisedUpload) -> Change[RecognisedUpload]:
        index = published()
        if not index.tracks:
            raise NoPublishedIndex("the library is empty", remedy="Add music: this upload is answered then")
        _analyse_if_missing(library, document, index.parameters.features)
        recordings = recordings_of(library, index)
        without = recordings.copies({document.audio_id, *document.recognised_audio})
        search = search_for(library, index, document.audio_id, copies=without)
        found = find_query_candidates(index, search, recordings, without=without)
        library.rankings.write_upload("candidates", index.version, upload, found)
        coverage = coverage_of(library, index)
        return lambda stored: stored.with_candidates(
            index_version=index.version,
            method=index.parameters.ranking,
            indexed_tracks=coverage.indexed,
            library_tracks=coverage.expected,
        )

    return _each(library, uploads, find, needs=RecognisedUpload, run=run)


def rank_uploads(library: Library, uploads: Sequence[UploadId], *, run: AnsweringRun) -> list[UploadDocument]:
    """Rank the candidates of each upload by the ranking of their index, and store the order."""
    read_index = cache(library.indexes.read)

    def rank(upload: UploadId, document: SearchedUpload) -> Change[SearchedUpload]:
        index = read_index(document.index_version)
        candidates = [audio_id for audio_id, _ in required_upload_list(library, "candidates", index.version, upload)]
        copies = recordings_of(library, index).copies(document.recognised_audio)
        search = search_for(library, index, document.audio_id, copies=copies)
        ranked = rank_query(library, index, search, candidates)
        library.rankings.write_upload("rankings", index.version, upload, ranked)
        recall = library.indexes.read_quality(index.version).get(RECALL)
        return lambda stored: stored.with_ranking(recall=recall)

    return _each(library, uploads, rank, needs=SearchedUpload, run=run)


def recommend_for_uploads(library: Library, uploads: Sequence[UploadId], *, run: AnsweringRun) -> list[UploadDocument]:
    """Write the recommendations of each upload, and close its document."""
    opened = cache(lambda version: OpenedIndex(library, library.indexes.read(version)))

    def recommend(upload: UploadId, document: RankedUpload) -> Change[RankedUpload]:
        version = document.index_version
        ranked = required_upload_list(library, "rankings", version, upload)
        recommendations, _ = choose_recommendations(
            library,
            opened(version).index,
            opened(version).order,
            ranked,
            count=library.settings.recommendations,
            query_audio=document.audio_id,
            recognised_as=document.recognised_audio,
        )
        count = library.recommendations.replace_recommendations(
            upload, recommendations, method=document.method, index_version=version, run_id=run.run_id
        )
        return lambda stored: stored.with_recommendations(count)

    return _each(library, uploads, recommend, needs=RankedUpload, run=run)


def _received(
    library: Library, upload: UploadId, file: tuple[Blob, Source] | None, run: AnsweringRun
) -> UploadDocument | None:
    if file is None and document_of(library.documents, upload) is None:
        return None

    had_document = True

    def begin(former: UploadDocument | None) -> UploadDocument:
        nonlocal had_document
        had_document = former is not None
        if file is not None:
            blob, source = file
            received = received_at(blob) if former is None else former.received
            return UploadDocument.begun(
                run_id=run.run_id, received=received, file_name=file_name_of(blob), source=source
            )
        if former is None:
            return UploadDocument.begun(run_id=run.run_id, received=datetime.now(UTC).isoformat(), file_name="")
        # The file has left its container since, but its copy can be answered again.
        return UploadDocument.begun(
            run_id=run.run_id,
            received=former.received,
            file_name=former.file_name,
            batch=former.batch,
            source=former.source,
        )

    document, is_claimed = run.claim(library.documents, upload, begin)
    if not is_claimed:
        return document
    if not had_document and (file is None or not library.blobs.exists(UPLOADS, file[0].name)):
        # The upload was purged after this run was told of its file.
        library.documents.delete(upload)
        return None
    library.catalogue.forget_reject(upload)
    try:
        return _with_file(library, upload, document, file, run)
    except DocumentNotFound:
        # The upload was purged during the claim, so the copy of its file must go too.
        for blob in list(library.blobs.list(BATCH, f"{upload}/")):
            library.blobs.delete(BATCH, blob.name)
        remove_computed(library, {upload: document.body})
        return None


def _with_file(
    library: Library,
    upload: UploadId,
    document: UploadDocument,
    file: tuple[Blob, Source] | None,
    run: AnsweringRun,
) -> UploadDocument:
    """Copy the file of a claimed upload, and return its document. Raises `DocumentNotFound` if it was purged."""
    if file is not None:
        return run.advance(library.documents, upload, UploadDocument, _copied(library, upload, file[0], run))
    if document.batch is not None:
        return document
    if document.blob and library.blobs.exists(UPLOADS, document.blob):
        changed = _failure(library, upload, document.file_name, _changed(document.file_name), run)
        return run.advance(library.documents, upload, UploadDocument, lambda stored: stored.failed(changed))
    return run.advance(library.documents, upload, UploadDocument, lambda stored: stored.failed(_DELETED))


def _copied(library: Library, upload: UploadId, blob: Blob, run: AnsweringRun) -> Change[UploadDocument]:
    file_name = file_name_of(blob)
    batch = f"{upload}/{clean_name(blob.name.rpartition('/')[2])}"
    try:
        check_size(library, blob.size, file_name)
    except TooLarge as too_large:
        rejected = _failure(library, upload, file_name, too_large, run)
        return lambda stored: stored.failed(rejected)
    try:
        library.blobs.copy(UPLOADS, blob.name, BATCH, batch)
    except PermissionError:
        unreadable = UnreadableAudio("the file may not be read", subject=file_name, remedy="Change its permissions")
        refused = _failure(library, upload, file_name, unreadable, run)
        return lambda stored: stored.with_copy(batch).failed(refused)
    except (BlobNotFound, FileNotFoundError):
        return lambda stored: stored.failed(_DELETED)
    return lambda stored: stored.with_copy(batch)


def _each(
    library: Library,
    uploads: Sequence[UploadId],
    step: Callable[[UploadId, Kind], Change[Kind]],
    *,
    needs: type[Kind],
    run: AnsweringRun,
) -> list[UploadDocument]:
    """Apply a step to every upload that this run answers, and write the findings to the documents.

    Parameters
    ----------
    step
        Function that takes the id and the document of an upload, and returns a function that adds the findings to
        the document.
    needs
        Class of documents that hold the findings of the steps before. If a document lacks them, the run that claimed
        the upload ended too early, and the run that claims it next begins anew.

    Returns
    -------
    list
        The documents after the step. Uploads that were purged since the run began are left out, and what this step
        stored of them is removed.
    """

    def advance(upload: UploadId) -> UploadDocument | None:
        try:
            document = UploadDocument.of(library.documents.get(upload).body)
            ready = document.ready_for(needs)
            if ready is None or not run.may_answer(document):
                return document
        except DocumentNotFound:
            return None
        change = attempted(upload, ready)
        try:
            return run.advance(library.documents, upload, needs, change)
        except DocumentNotFound:
            # The upload was purged during the step, so what the step has stored must go too.
            remove_computed(library, {upload: change(ready).body})
            return None

    def attempted(upload: UploadId, document: Kind) -> Change[Kind]:
        try:
            return step(upload, document)
        except (AudioError, NoPublishedIndex, CorruptIndex, FeaturesMissing, BlobNotFound, UploadChanged) as error:
            failure = _failure(library, upload, document.file_name, error, run)
            return lambda stored: stored.failed(failure)

    advanced = dict(on_all_cores(advance, uploads))
    return [document for upload in uploads if (document := advanced[upload]) is not None]


def _analysed(library: Library, document: CopiedUpload, parameters: FeaturesParameters) -> AudioContent:
    """Return the audio of an upload, after computing its features unless they are stored."""
    with library.blobs.as_file(BATCH, document.batch) as path:
        digest = digest_of_file(path)
        if document.content and document.content != digest:
            raise _changed(document.file_name)
        content = library.catalogue.contents([digest]).get(digest)
        if content is None or not _is_analysed(library, content.audio_id, parameters):
            limits = library.limits
            audio = store_analysis(library.features, path, parameters.cepstra, limits, document.file_name)
            content = AudioContent(digest, audio.audio_id, audio.seconds, note_on(audio))
            library.catalogue.record_content(content)
    if not library.features.has_track_features(content.audio_id, parameters):
        store_track_features(library.features, content.audio_id, parameters)
    return content


def _is_analysed(library: Library, audio_id: AudioId, parameters: FeaturesParameters) -> bool:
    # Older versions of this program stored no waveform.
    return library.features.has_cepstra(audio_id, parameters.cepstra) and library.features.has_waveform(audio_id)


def _analyse_if_missing(library: Library, document: AnalysedUpload, parameters: FeaturesParameters) -> None:
    """Compute the features of an upload that was analysed with other parameters, or whose features were deleted.

    Another index with other parameters may have been published since the upload was analysed. The features are found by
    the audio id in the document: the file is only read again if they are missing.
    """
    if not library.features.has_cepstra(document.audio_id, parameters.cepstra):
        _analysed(library, document, parameters)
    elif not library.features.has_track_features(document.audio_id, parameters):
        store_track_features(library.features, document.audio_id, parameters)


def _changed(file_name: str) -> UploadChanged:
    return UploadChanged(
        "the file changed before it was read",
        subject=file_name,
        remedy="Its present content is another upload, which is answered by itself",
    )


def _failure(library: Library, upload: UploadId, file_name: str, error: Exception, run: AnsweringRun) -> Failure:
    """Describe an error for the document of an upload; an error of the audio is also recorded as a reject."""
    if isinstance(error, AudioError):
        reject = Reject(upload, UPLOADS, file_name, error.code, str(error))
        library.catalogue.record_reject(reject, run_id=run.run_id)
        return Failure(error.code, str(error))
    return Failure(next(code for kind, code in _CODES if isinstance(error, kind)), str(error))
