"""One more track writes as much as it changes, however large the library is."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.library import Library
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets_tests.ranked_library import add_track, publish

GROUP = 30
"""Number of tracks that sound alike. It is larger than a ranking, so no other group is in their lists."""

LISTS = re.compile("candidates|rankings|ranking_layers")
FITTED = re.compile("timbre")
"""Files that grow with a library only as long as it is small: rows in spaces that are fitted to it."""


def sound(number: int, group: int) -> NDArray[np.float32]:
    """Return made-up cepstra of a track. Tracks of the same group sound alike."""
    of_group, own = np.random.default_rng(1000 + group), np.random.default_rng(number)
    frames = 40 * of_group.standard_normal(13) + 10 * own.standard_normal((30, 13)) + 5 * own.standard_normal(13)
    frames[:, 0] = own.standard_normal(30)
    return np.repeat(frames, 50, axis=0).astype(np.float32)


def update(library: Library) -> None:
    index, _ = publish(library)
    list(recommend_soundtracks(library, index, library.shards, run_id="run"))


def stored(library: Library) -> dict[str, tuple[str, int]]:
    """Return the ETag and the size of each blob of the index, its lists and its tables."""
    return {
        blob.name: (blob.etag, blob.size)
        for blob in library.blobs.list("cepstra")
        if re.match("calibration_figures|ind|ranking_|version_", blob.name)
    }


def written_by_one_more(home: Path, groups: int) -> Counter[str]:
    """Return the bytes that one more track writes into a library, by the kind of blob."""
    with Library(Settings(home=home)) as library:
        for number in range(GROUP * groups):
            add_track(library, number, sound(number, number % groups))
        update(library)
        for number in (10_000, 10_001):  # the second one is added to an index that has segments and layers already
            before = stored(library)
            add_track(library, number, sound(number, 0))
            update(library)
        after = stored(library)
    written = Counter[str]()
    for name, (etag, size) in after.items():
        if before.get(name, ("", 0))[0] != etag and not FITTED.search(name):
            written["lists" if LISTS.search(name) else re.sub("[0-9a-f]{12,}", "*", name)] += size
    return written


@pytest.mark.usefixtures("large_library")
def test_one_more_track_writes_no_more_into_a_larger_library(tmp_path: Path) -> None:
    small, large = (written_by_one_more(tmp_path / f"{groups}", groups) for groups in (2, 5))
    assert small.keys() == large.keys()
    for kind, size in large.items():
        assert size <= 1.1 * small[kind] + 100, (kind, size, small[kind])
