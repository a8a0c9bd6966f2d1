"""The features of an upload, wherever they are."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.errors import BlobNotFound, FeaturesMissing
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import FileFeatures, Preview
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.purge import remove_features
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_features import features_of_upload, waveform_of_upload
from mfcc_assets.pipeline.upload_preview import preview_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD = UploadId("0f" * 16)


@pytest.fixture
def uploaded(ten_tracks: Library, query: Path) -> Library:
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)
    return ten_tracks


def found(library: Library, preview: Preview | None = None) -> FileFeatures:
    document = UploadDocument.of(upload_state(library, UPLOAD).body)
    return features_of_upload(library, library.indexes.published(), document, preview)


def test_the_features_are_the_same_wherever_they_come_from(uploaded: Library) -> None:
    preview = preview_upload(uploaded, OpenedIndex(uploaded, uploaded.indexes.published()), UPLOAD)
    assert found(uploaded, preview) is preview.file, "before the run"
    each = [found(uploaded)]
    answer_uploads(uploaded, [UPLOAD])
    each.append(found(uploaded))
    remove_features(uploaded, [preview.file.audio_id])
    each.append(found(uploaded))

    for features in each:
        assert (features.audio_id, features.seconds, features.note) == (
            preview.file.audio_id,
            preview.file.seconds,
            preview.file.note,
        )
        np.testing.assert_array_equal(features.cepstra, preview.file.cepstra)
        np.testing.assert_array_equal(features.track_features.contour, preview.file.track_features.contour)


def test_the_waveform_is_that_of_the_preview_and_later_the_stored_one(uploaded: Library) -> None:
    preview = preview_upload(uploaded, OpenedIndex(uploaded, uploaded.indexes.published()), UPLOAD)
    document = UploadDocument.of(upload_state(uploaded, UPLOAD).body)
    with pytest.raises(FeaturesMissing, match="not analysed yet"):
        waveform_of_upload(uploaded, document, None)
    before = waveform_of_upload(uploaded, document, preview)
    answer_uploads(uploaded, [UPLOAD])
    document = UploadDocument.of(uploaded.documents.get(UPLOAD).body)

    after = waveform_of_upload(uploaded, document, None)

    np.testing.assert_array_equal(after.peaks, before.peaks)
    np.testing.assert_array_equal(after.bands, before.bands)


def test_without_features_and_file_there_is_nothing(uploaded: Library) -> None:
    answer_uploads(uploaded, [UPLOAD])
    document = UploadDocument.of(uploaded.documents.get(UPLOAD).body)
    assert document.audio_id is not None
    remove_features(uploaded, [document.audio_id])
    for container in ("uploads", "batch"):
        uploaded.blobs.delete(container, f"{UPLOAD}/query.flac")
    with pytest.raises(BlobNotFound):
        found(uploaded)


def test_the_process_of_a_run_decodes_and_computes_without_waiting_for_a_start() -> None:
    program = (
        "import threading\n"
        "from mfcc_assets.audio import child_process\n"
        "from mfcc_assets.features import mfcc\n"
        "from mfcc_assets.pipeline.upload_features import get_ready_to_analyse\n"
        "get_ready_to_analyse()\n"
        "(kernels,) = [thread for thread in threading.enumerate() if thread.name == 'kernels']\n"
        "kernels.join()\n"
        "print(len(child_process._idle), len(mfcc._cut_into_frames.signatures))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout.split() == ["1", "1"]
