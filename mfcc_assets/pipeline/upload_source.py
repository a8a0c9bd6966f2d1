"""What a document records of the file that an upload came in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """The file of an upload in the container `uploads`.

    Attributes
    ----------
    blob
        Name of the blob.
    etag
        Version of the blob.
    content
        Digest of its bytes. If they may not be read, or are too many, it is not a digest, and only says so.
    """

    blob: str
    etag: str
    content: str
