"""Indexes by every ranking, for the search of candidates."""

import numpy as np
import pytest

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests.ranked_library import add_tracks, index_and_rank

TRACKS = 40
WANTED = 3


@pytest.fixture(scope="session", params=sorted(RANKINGS))
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("home")
    with Library(Settings(home=home, ranking=request.param)) as library:
        add_tracks(library, *range(TRACKS))
        yield index_and_rank(library)[0].load_all()


def others(query: int) -> np.ndarray:
    return np.delete(np.arange(TRACKS), query)
