"""The parts of addresses that name an upload."""

from flask import url_for
from werkzeug.routing import BaseConverter

from mfcc_assets.ids import UploadId


class UploadConverter(BaseConverter):
    """Upload ids in addresses. Nothing else is looked up."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> UploadId:
        """Return the id in an address. Werkzeug calls this."""
        return UploadId(value)


def address_of(upload: UploadId) -> str:
    """Return the address of the page of an upload."""
    return url_for("pages.upload_page", upload=upload)
