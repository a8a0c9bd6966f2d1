"""Samples for tests: names that every store accepts or refuses, a key that signs links, and large contents."""

from collections.abc import Callable, Iterable
from io import BytesIO

from mfcc_assets.storage.blobs.azure_streams import BLOCK
from mfcc_assets.storage.blobs.port import Blob

KEY = bytes(range(32))
LARGE = BLOCK * 3 + 1000
UNUSUAL_NAMES = [
    "a b/c d.mp3",
    "100% #1 'quoted' \"twice\".mp3",
    "-rf",
    ".hidden",
    "🎷.flac",
    "ääkköset/日本語/العربية.ogg",
    "what?&a=b;c:d+e.mp3",
    f"{'x' * 250}/{'é' * 125}.mp3",
    "deep/" * 60 + "song.wav",
]
BAD_NAMES = {
    "": "empty",
    "/etc/passwd": "absolute",
    "../secret": "'..'",
    "a/../../secret": "'..'",
    "a/./b": "'.'",
    "..": "'..'",
    "a//b": "empty segment",
    "a/": "empty segment",
    "a\0b": "control",
    "a\nb": "control",
    "a\x85b": "control",
    "a\\b": "backslash",
    "a\udcffb": "Unicode",
    "a/" * 600 + "b": "1,024",
    "é" * 128: "255 bytes",
    ".mfcc/lock": "reserved",
    ".MFCC/lock": "reserved",
}


def names(listed: Iterable[Blob]) -> list[str]:
    return [blob.name for blob in listed]


def generated(size: int, each: Callable[[int], None] = lambda _: None) -> BytesIO:
    """Return a stream that makes its content while it is read and calls `each` with the position of each read."""

    class Stream(BytesIO):
        given = 0

        def seekable(self) -> bool:
            return False

        def read(self, most: int | None = -1) -> bytes:
            each(self.given)
            portion = bytes([self.given // BLOCK]) * min(most or 0, size - self.given)
            self.given += len(portion)
            return portion

    return Stream()


def content(size: int) -> bytes:
    """Return all bytes of a `generated` stream."""
    return (
        generated(size).read(BLOCK)
        if size <= BLOCK
        else b"".join(bytes([block]) * min(BLOCK, size - block * BLOCK) for block in range(-(-size // BLOCK)))
    )
