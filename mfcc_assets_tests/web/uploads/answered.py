"""An upload that a client has sent, and its recorded answer."""

from flask.testing import FlaskClient

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.web.uploads.room import room_of
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.uploads.waiting import wait_for


def sent(pages: FlaskClient, song: bytes, name: str = "song.flac") -> UploadId:
    """Send a file, and return its id after its preview was made."""
    upload = UploadId(pages.put("/uploads", query_string={"name": name}, data=song).get_json()["id"])
    wait_for(lambda: room_of(pages.application).previews.get(upload))
    return upload


def answered(library: Library, pages: FlaskClient, song: bytes, name: str = "song.flac") -> UploadId:
    """Send a file, and return its id after its answer was recorded."""
    upload = sent(pages, song, name)
    answer_uploads(library, [upload])
    return upload
