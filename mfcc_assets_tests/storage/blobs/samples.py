"""Names that every store takes or refuses, and the key that the tests' links are signed with."""

from collections.abc import Iterable

from mfcc_assets.storage.blobs.port import Blob

KEY = bytes(range(32))
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
