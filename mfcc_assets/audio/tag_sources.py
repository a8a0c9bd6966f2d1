"""Where the tags of a file may be: in its container, before and behind its audio, and where only FFmpeg finds them.

mutagen is trusted more than FFmpeg, because it keeps several values of a field apart.
"""

import io
import logging
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition

from mfcc_assets.audio.ffmpeg import FORMATS, options_for_formats
from mfcc_assets.audio.id3_frames import HarmlessFile

_logger = logging.getLogger(__name__)

_ID3V1_BYTES = 128
_APE_ITEM = struct.Struct("<II")


@dataclass
class EmbeddedTags:
    """The tags of a file that mutagen has read.

    Attributes
    ----------
    tags
        Tags of mutagen, those first that are trusted most.
    pictures
        Pictures of a FLAC file, which are no tags.
    damaged
        True if there are tags that could not be read.
    container_damaged
        True if the container could not be read. It need not have had tags.
    """

    tags: list[Any] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)
    damaged: bool = False
    container_damaged: bool = False


def embedded_tags(harmless: HarmlessFile) -> EmbeddedTags:
    """Read all tags of an open file that mutagen knows.

    A tag of the container comes first, or ID3 where that is the tag of the format. APEv2 and ID3v1, which may stand
    behind any audio, follow.
    """
    found, file = EmbeddedTags(), harmless.file
    # With an ID3 tag or zeros in front, mutagen would take every format for an MP3, or for none.
    container = _container(harmless.container, found)
    own = getattr(container, "tags", None)
    found.pictures = list(getattr(container, "pictures", ()))

    from mutagen.apev2 import APEv2
    from mutagen.id3 import ID3FileType

    # In an MP3 mutagen fills the gaps of ID3 by ID3v1, which cuts every text to 30 letters. APEv2 does not.
    is_mixed_with_id3v1 = own is not None and isinstance(container, ID3FileType)
    sources: list[Any] = [None if is_mixed_with_id3v1 else own, _attempt(_id3, file, found)]
    if not isinstance(own, APEv2):
        sources.append(_attempt(_apev2, file, found))
    sources.append(_attempt(_id3v1, file, found))
    found.tags = [tags for tags in sources if tags]
    return found


@contextmanager
def opened_by_ffmpeg(harmless: HarmlessFile) -> Iterator[InputContainer | None]:
    """Open a file to read its metadata, and yield None if FFmpeg does not know its format.

    Texts have one letter for each byte, since they may be in any encoding.
    """
    container = _opened(harmless.file) or _opened(harmless.container)
    if container is None:
        yield None
        return
    with container:
        yield container


def _opened(file: BinaryIO) -> InputContainer | None:
    file.seek(0)
    # It need not look for the parameters of the audio.
    options = {**options_for_formats(FORMATS.values()), "analyzeduration": "1"}
    try:
        return av.open(file, "r", options=options, metadata_encoding="latin-1")
    except (av.FFmpegError, ValueError, OSError) as failure:
        _logger.debug("FFmpeg does not read the tags: %r", failure)
        return None


def metadata_of(container: InputContainer) -> Mapping[str, str]:
    """Return the metadata of a container that `opened_by_ffmpeg` opened, with the gaps filled by those of its audio."""
    of_audio = dict(container.streams.audio[0].metadata) if container.streams.audio else {}
    if "matroska" in container.format.name:
        of_audio.pop("title", None)  # it names the track, for example "Stereo"
    return {**of_audio, **container.metadata}


def attached_pictures(container: InputContainer) -> Iterator[bytes]:
    """Yield the pictures that a container holds as streams of a single picture."""
    attached = [stream for stream in container.streams.video if stream.disposition & Disposition.attached_pic]
    if attached:
        for packet in container.demux(*attached):
            if packet.size:
                yield bytes(packet)


def _container(file: BinaryIO, found: EmbeddedTags) -> Any:
    from mutagen import File
    from mutagen.aac import AACError
    from mutagen.ac3 import AC3Error
    from mutagen.aiff import InvalidChunk  # type: ignore[attr-defined]  # it has no public name
    from mutagen.mp3 import HeaderNotFoundError
    from mutagen.wave import error as NotWave  # noqa: N812

    file.seek(0)
    try:
        return File(file)
    except (HeaderNotFoundError, AACError, AC3Error, InvalidChunk, NotWave):
        # The audio has a fault, or the format only resembles one that mutagen knows. Other tags are read all the same.
        return None
    except Exception as failure:  # noqa: BLE001  mutagen raises not only its own errors, but also IndexError, struct.error, …
        _logger.debug("tags cannot be read: %r", failure)
        found.container_damaged = True
        return None


def _attempt(read: Callable[[BinaryIO], Any], file: BinaryIO, found: EmbeddedTags) -> Any:
    try:
        return read(file)
    except Exception as failure:  # noqa: BLE001  see above
        _logger.debug("tags cannot be read: %r", failure)
        found.damaged = True
        return None


def _id3(file: BinaryIO) -> Any:
    from mutagen.id3 import ID3, ID3NoHeaderError

    file.seek(0)
    if file.read(3) != b"ID3":
        return None
    file.seek(0)
    try:
        tags = ID3(file, load_v1=False)  # type: ignore[no-untyped-call]
    except ID3NoHeaderError:
        return None
    if not tags and not tags.unknown_frames:
        file.seek(10)
        if file.read(tags.size - 10).strip(b"\x00"):
            raise ValueError("no frame of the ID3 tag can be read")
    return tags


def _apev2(file: BinaryIO) -> Any:
    from mutagen.apev2 import APEBadItemError, APENoHeaderError, APEv2

    file.seek(0)
    try:
        return APEv2(file)  # type: ignore[no-untyped-call]
    except APENoHeaderError:
        return None
    except APEBadItemError:
        file.seek(0)
        return _readable_items_of_apev2(file)


def _readable_items_of_apev2(file: BinaryIO) -> Any:
    """Return those items of an APEv2 tag that can be read. mutagen gives up the whole tag for one broken item.

    A text that is not valid UTF-8 counts as Latin-1, which programs write here against the rule.
    """
    from mutagen.apev2 import BINARY, TEXT, APEv2, APEValue, _APEv2Data

    tag = _APEv2Data(file).tag or b""  # type: ignore[no-untyped-call]
    found, place = APEv2(), 0  # type: ignore[no-untyped-call]
    while (name_end := tag.find(b"\0", place + _APE_ITEM.size)) >= 0:
        size, flags = _APE_ITEM.unpack_from(tag, place)
        name, place = tag[place + _APE_ITEM.size : name_end].decode("latin-1"), name_end + 1 + size
        value, kind = tag[name_end + 1 : place], flags >> 1 & 3
        with suppress(KeyError):  # the name is not valid
            if kind == BINARY:
                found[name] = APEValue(value, BINARY)  # type: ignore[no-untyped-call]
            elif kind == TEXT:
                try:
                    text = value.decode("utf-8")
                except UnicodeError:
                    text = value.decode("latin-1")
                found[name] = APEValue(text, TEXT)  # type: ignore[no-untyped-call]
    if not found:
        raise ValueError("no item of the APEv2 tag can be read")
    return found


def _id3v1(file: BinaryIO) -> Any:
    from mutagen.id3 import ID3, ParseID3v1

    if file.seek(0, io.SEEK_END) < _ID3V1_BYTES:
        return None
    file.seek(-_ID3V1_BYTES, io.SEEK_END)
    frames = ParseID3v1(file.read(_ID3V1_BYTES))  # type: ignore[no-untyped-call]
    if not frames:
        return None
    tags = ID3()  # type: ignore[no-untyped-call]
    for frame in frames.values():
        tags.add(frame)  # type: ignore[no-untyped-call]
    return tags
