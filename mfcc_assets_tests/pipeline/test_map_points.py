"""The map of an index: near points are tracks that sound alike, and the points stay while the library changes."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.features.track_features import track_features_of
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline import map_points as map_module
from mfcc_assets.pipeline.answer import search_for
from mfcc_assets.pipeline.map_points import LARGEST_COORDINATE, map_points, place_audio_on_map, place_on_map
from mfcc_assets.plots.projection import project
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.settings import Settings
from mfcc_assets_tests.ranked_library import add_track, add_tracks, analysed, audio_id, publish, remove_track

NEIGHBOURS = 5


def sound(number: int, group: int) -> NDArray[np.float32]:
    """Return made-up cepstra of a track. Tracks of the same group sound alike."""
    of_group, own = np.random.default_rng(1000 + group), np.random.default_rng(number)
    centre = 40 * of_group.standard_normal(13)
    frames = centre + 10 * own.standard_normal((30, 13)) + 5 * own.standard_normal(13)
    frames[:, 0] = own.standard_normal(30)
    return np.repeat(frames, 50, axis=0).astype(np.float32)


def add_groups(library: Library, *numbers: int) -> None:
    """Add tracks of eight groups."""
    for number in numbers:
        add_track(library, number, sound(number, number % 8))


def shared_neighbours(index: LibraryIndex, points: NDArray[np.integer]) -> float:
    """Return the mean share of the nearest tracks by embedding that are among the nearest points of the map."""
    embeddings = index.calibration.embedding(index.feature_table).astype(np.float64)
    nearest = [_nearest(vectors.astype(np.float64)) for vectors in (embeddings, points)]
    return float(np.mean([len({*a} & {*b}) / NEIGHBOURS for a, b in zip(*nearest, strict=True)]))


def _nearest(vectors: NDArray[np.float64]) -> list[list[int]]:
    distances = np.linalg.norm(vectors[:, np.newaxis] - vectors, axis=2)
    np.fill_diagonal(distances, np.inf)
    return distances.argsort(axis=1)[:, :NEIGHBOURS].tolist()


def group_beside(index: LibraryIndex, points: NDArray[np.integer], point: tuple[int, int]) -> int:
    """Return the group of the track whose point is nearest to another point."""
    row = int(np.linalg.norm(points.astype(float) - point, axis=1).argmin())
    return int(index.tracks.audio_ids[row], 16) % 8


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Make a library of 80 tracks in eight groups with a published index. Tests add nothing to the index."""
    with Library(Settings(home=tmp_path_factory.mktemp("grouped"))) as library:
        add_groups(library, *range(80))
        publish(library)
        yield library


@pytest.fixture
def index(grouped: Library) -> LibraryIndex:
    return grouped.indexes.published()


@pytest.fixture
def projected_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail if t-SNE places a track again."""
    projected = list[int]()

    def counted(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        projected.append(len(vectors))
        return project(vectors)

    monkeypatch.setattr(map_module, "project", counted)
    yield
    assert len(projected) == 1


def test_neighbours_on_the_map_are_neighbours_by_sound(grouped: Library, index: LibraryIndex) -> None:
    points = map_points(grouped, index).points
    shuffled = np.random.default_rng(0).permutation(points)

    assert shared_neighbours(index, points) > 0.45
    assert shared_neighbours(index, shuffled) < 0.15


def test_tracks_that_are_no_landmarks_lie_among_their_group(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_module, "MOST_LANDMARKS", 40)
    add_groups(library, *range(80))
    index, _ = publish(library)

    points = map_points(library, index).points

    assert len(points) == 80
    beside = [np.delete(np.arange(80), row)[_closest(points, row)] for row in range(80)]
    own_group = [int(index.tracks.audio_ids[row], 16) % 8 for row in range(80)]
    assert np.mean([own_group[near] == own for near, own in zip(beside, own_group, strict=True)]) > 0.9


def _closest(points: NDArray[np.integer], row: int) -> int:
    others = np.delete(points, row, axis=0).astype(float)
    return int(np.linalg.norm(others - points[row], axis=1).argmin())


def test_the_map_fills_a_square_and_is_served_as_four_bytes_a_track(grouped: Library, index: LibraryIndex) -> None:
    drawn = map_points(grouped, index)

    assert drawn.index_version == index.version
    assert drawn.points.dtype == np.uint16
    assert (drawn.points.max(axis=0) - drawn.points.min(axis=0)).max() == LARGEST_COORDINATE
    assert len(drawn.as_bytes) == 4 * 80
    np.testing.assert_array_equal(np.frombuffer(drawn.as_bytes, "<u2").reshape(-1, 2), drawn.points)


def test_the_same_library_has_the_same_map(grouped: Library, index: LibraryIndex) -> None:
    first = map_points(grouped, index).points
    for attachment in list(grouped.blobs.list("cepstra", f"indexes/{index.version}/attachments/map")):
        grouped.blobs.delete("cepstra", attachment.name)

    with Library(grouped.settings) as later:
        np.testing.assert_array_equal(map_points(later, index).points, first)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_library_of_a_few_tracks_has_a_map(library: Library, count: int) -> None:
    add_tracks(library, *range(count))
    index, _ = publish(library)

    assert map_points(library, index).points.shape == (count, 2)


def test_an_upload_lies_beside_tracks_that_sound_like_it(grouped: Library, index: LibraryIndex) -> None:
    points, features = map_points(grouped, index).points, grouped.feature_parameters
    for group in range(8):
        analysis, stranger = analysed(sound(500 + group, group)), AudioId(f"{group}{'f' * 31}")
        grouped.features.write_analysis(stranger, analysis, features.cepstra)
        grouped.features.write_track_features(stranger, track_features_of(analysis, features), features)

        point = place_audio_on_map(grouped, index, stranger)

        assert group_beside(index, points, point) == group
        assert place_on_map(grouped, index, search_for(grouped, index, stranger).embedding) == point


def test_an_upload_that_is_a_track_of_the_library_lies_on_its_point(grouped: Library, index: LibraryIndex) -> None:
    points = map_points(grouped, index).points.tolist()

    for row in (0, 30, 79):
        known = index.tracks.audio_ids[row]
        assert list(place_audio_on_map(grouped, index, known)) == points[row]
        assert list(place_on_map(grouped, index, search_for(grouped, index, known).embedding)) == points[row]


def test_an_upload_without_features_has_no_place(grouped: Library, index: LibraryIndex) -> None:
    with pytest.raises(FeaturesMissing):
        place_audio_on_map(grouped, index, AudioId("f" * 32))


@pytest.mark.usefixtures("large_library", "projected_once")
def test_tracks_stay_where_they_are_when_others_are_added_and_removed(library: Library) -> None:
    add_groups(library, *range(80))
    former, _ = publish(library)
    add_groups(library, *range(80, 96))
    for number in range(8):
        remove_track(library, number)

    index, _ = publish(library)

    before, after = map_points(library, former).points, map_points(library, index).points
    kept = [audio_id(number) for number in range(8, 80)]
    np.testing.assert_array_equal(after[index.tracks.rows(kept)], before[former.tracks.rows(kept)])
    others = np.isin(np.arange(len(after)), index.tracks.rows(kept))
    for number in range(80, 96):
        (row,) = index.tracks.rows([audio_id(number)]).tolist()
        x, y = after[row].tolist()
        assert group_beside(index, np.where(others[:, np.newaxis], after, -(10**6)), (x, y)) == number % 8


@pytest.mark.usefixtures("large_library")
@pytest.mark.parametrize("change", ["a quarter of the landmarks is gone", "the library has doubled"])
def test_the_map_is_made_anew_when_the_former_one_says_too_little(library: Library, change: str) -> None:
    add_groups(library, *range(40))
    publish(library)
    for number in range(6):  # in two steps, each of which leaves most landmarks
        remove_track(library, number)
    between, _ = publish(library)
    if change == "the library has doubled":
        add_groups(library, *range(100, 150))
    else:
        for number in range(6, 12):
            remove_track(library, number)

    index, _ = publish(library)

    kept = [audio_id(number) for number in range(12, 40)]
    before, after = map_points(library, between).points, map_points(library, index).points
    assert not np.array_equal(after[index.tracks.rows(kept)], before[between.tracks.rows(kept)])


@pytest.mark.usefixtures("large_library")
def test_a_damaged_map_is_made_anew(library: Library) -> None:
    add_groups(library, *range(40))
    former, _ = publish(library)
    library.indexes.write_attachment(former.version, "map.table", b"damaged")
    add_groups(library, 40)

    index, _ = publish(library)

    assert shared_neighbours(index, map_points(library, index).points) > 0.4
    assert shared_neighbours(former, map_points(library, former).points) > 0.4
