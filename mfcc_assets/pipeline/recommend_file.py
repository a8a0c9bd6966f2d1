"""Recommend for a file, in as little time as a new process can.

What answers takes as long to import as the file to decode. So the file is decoded and analysed from the beginning on,
and everything else is imported and opened meanwhile. This module therefore imports only what the decoding needs.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mfcc_assets.audio.child_process import start_child
from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.audio.read_ahead import ReadAhead
    from mfcc_assets.audio.tags import Tags
    from mfcc_assets.pipeline.file_answer import Answer


_TURN_SECONDS = 0.0005
"""Longest time for which a thread holds the interpreter's lock while others wait for it. With Python's 5 ms, the thread
that analyses would wait for the one that imports at every few frames, and end long after it."""


def recommend_file(
    library: Library, path: Path, *, count: int | None = None, exact: bool = False, without_versions: bool = False
) -> "Answer":
    """Analyse a file and recommend tracks of the published index. Nothing of the file is stored.

    An upload of the file gets the same list.

    Parameters
    ----------
    library
        The library to recommend from.
    path
        An audio file.
    count
        Number of tracks to recommend. The default is that of the settings.
    exact
        Compare the file with every track that a lower bound does not exclude, and so certify the answer.
    without_versions
        Leave out other performances of the piece in the file: see `mfcc_assets.pipeline.versions`.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If there is no index to search, or it cannot be read, or the database does not know its tracks.
    AudioError
        If the file cannot be used.
    FeaturesMissing
        If the answer should be exact and a track cannot be compared.

    Examples
    --------
    Print the track ids of five tracks that sound like a file::

        with Library(Settings()) as library:
            for recommendation in recommend_file(library, Path("song.mp3"), count=5).recommendations:
                print(recommendation.track_id)
    """
    start_child()
    from mfcc_assets.audio.read_ahead import ReadAhead
    from mfcc_assets.features.signal_reader import signal_reader

    parameters = library.feature_parameters
    signal = ReadAhead(signal_reader(path, parameters.cepstra, library.limits))
    # An error ends the reading first, so that the threads that wait for the signal end too.
    with _short_turns(), ThreadPoolExecutor(2) as pool, signal:
        from mfcc_assets.features.file_analysis import analyse_signal

        analysing = pool.submit(analyse_signal, signal, parameters.cepstra)
        reading_tags = pool.submit(_tags_after, signal, path)
        from mfcc_assets.pipeline.file_answer import answer_file, features_of_analysis, features_of_file
        from mfcc_assets.pipeline.opened_index import OpenedIndex, published_index

        opened = OpenedIndex(library, published_index(library))
        wanted = opened.index.parameters.features
        if wanted.cepstra == parameters.cepstra:
            file = features_of_analysis(analysing.result(), wanted)
        else:  # the settings have changed since the index was built
            signal.close()
            file = features_of_file(library, path, wanted)
        tags = reading_tags.result()
    return answer_file(
        library,
        opened,
        path,
        file,
        tags,
        count=library.settings.recommendations if count is None else count,
        exact=exact,
        without_versions=without_versions,
    )


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads take turns more often inside the ``with``."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(min(_TURN_SECONDS, former))
    try:
        yield
    finally:
        sys.setswitchinterval(former)


def _tags_after(signal: "ReadAhead", path: Path) -> "Tags":
    """Read the tags of a file as soon as it is decoded, by the process that has decoded it."""
    from mfcc_assets.audio.outside import read_tags

    signal.wait()
    return read_tags(path)
