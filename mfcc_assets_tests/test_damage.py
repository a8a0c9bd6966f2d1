"""Damaged indexes, lists and pointers: the former ones answer, and the next run repairs everything."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.index_versions import damaged_descriptions, describe_versions
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.publication import roll_back
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.index_segments import SEGMENT_PARTS
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.damage import command, cut, damage, empty, flip, index_part, lists, names
from mfcc_assets_tests.runs import assert_recommendations_hold, copied_home, run_library


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_music(tmp_path / "query.flac", 3.0, seed=400)


@pytest.fixture(scope="module")
def home_of_two_versions(up_to_date_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the home of a library with a published index, and the index that answered before."""
    home = copied_home(up_to_date_home, tmp_path_factory.mktemp("two versions") / "home")
    song = write_music(tmp_path_factory.mktemp("song") / "eleventh.flac", 3.0, seed=401)
    with Library(Settings(home=home, settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as instance:
        library.blobs.upload_file("soundtracks", song.name, song)
        run_library(library, instance)
    return home


@pytest.fixture
def two_versions(home_of_two_versions: Path, settings: Settings) -> Iterator[Library]:
    copied_home(home_of_two_versions, settings.home)
    with Library(settings) as library:
        yield library


class TestIndexes:
    @pytest.mark.parametrize(
        "part", ["index.json", "changes.npz", "audio_ids.npy", "prefilter.faiss", "calibration.npz"]
    )
    def test_a_damaged_published_index_is_built_again_under_its_version(self, two_versions, instance, query, part):
        version, former = two_versions.indexes.published_version(), lists(two_versions)
        answer = recommend_file(two_versions, query, count=5)
        damage(two_versions, index_part(two_versions, version, part), flip)
        assert recommend_file(two_versions, query, count=5).index_version != version
        assert [line for line in outstanding_work(two_versions) if "the stored index is corrupt" in line]
        run = run_library(two_versions, instance)
        assert f"Index {version} was damaged and has been built again." in run.figure("prefilter_index", "repaired")
        assert recommend_file(two_versions, query, count=5) == answer
        assert (two_versions.indexes.published_version(), lists(two_versions)) == (version, former)
        assert outstanding_work(two_versions) == []

    def test_a_withdrawn_and_damaged_library_heals_too(self, two_versions, instance, query):
        withdrawn = roll_back(two_versions).former
        version = two_versions.indexes.published_version()
        for part in ("timbre.npy", "outlines.npy"):
            damage(two_versions, index_part(two_versions, version, part), cut)
        run_library(two_versions, instance)
        assert recommend_file(two_versions, query, count=5).index_version == version != withdrawn

    @pytest.mark.usefixtures("large_library")
    def test_new_music_does_not_enter_an_index_with_damaged_rows(self, two_versions, instance, tmp_path):
        former, version = (published.version for published in two_versions.indexes.history())
        calibration = two_versions.indexes.read(former).calibrated_as
        for part in SEGMENT_PARTS:
            damage(two_versions, index_part(two_versions, version, part), flip)
        song = write_music(tmp_path / "twelfth.flac", 3.0, seed=402)
        two_versions.blobs.upload_file("soundtracks", song.name, song)
        run_library(two_versions, instance)
        index = two_versions.indexes.published()
        assert (len(index.tracks), index.calibrated_as) == (12, calibration), "it follows the last intact index"
        assert_recommendations_hold(two_versions)

    def test_damaged_lists_and_figures_are_computed_again(self, ten_tracks, instance):
        former, folder = lists(ten_tracks), f"indexes/{ten_tracks.indexes.published_version()}/"
        quality = ten_tracks.indexes.read_quality(str(ten_tracks.indexes.published_version()))
        damage(ten_tracks, names(ten_tracks, f"{folder}candidates/")[0], flip)
        damage(ten_tracks, names(ten_tracks, f"{folder}candidates/")[1], empty)
        damage(ten_tracks, names(ten_tracks, f"{folder}rankings/")[2], cut)
        for name in names(ten_tracks, f"{folder}attachments/"):
            damage(ten_tracks, name, cut)
        for name in (f"{folder}quality.json", "indexes/built.json", "indexes/publications.json"):
            damage(ten_tracks, name, cut)
        before = datetime.now(UTC)
        run = run_library(ten_tracks, instance)
        assert len(ten_tracks.repairs.since(before)) == 4, "three shards of lists, and the history"
        assert run.total("soundtrack_candidates", "damaged_files_repaired") == 2
        assert run.total("soundtrack_rankings", "damaged_files_repaired") == 1
        assert lists(ten_tracks) == former
        assert ten_tracks.indexes.read_quality(str(ten_tracks.indexes.published_version())) == quality

    def test_lists_that_were_published_before_do_not_stop_a_run_or_a_rollback(self, two_versions, instance, tmp_path):
        published = str(two_versions.indexes.published_version())
        for stage in ("candidates", "rankings"):
            damage(two_versions, names(two_versions, f"indexes/{published}/{stage}/")[0], cut)
        song = write_music(tmp_path / "twelfth.flac", 3.0, seed=402)
        two_versions.blobs.upload_file("soundtracks", song.name, song)
        run_library(two_versions, instance)
        assert_recommendations_hold(two_versions)
        assert roll_back(two_versions).version == published

    def test_a_damaged_description_is_listed_with_a_remedy(self, ten_tracks):
        version = str(ten_tracks.indexes.published_version())
        assert [one.damage for one in describe_versions(ten_tracks)] == [""]
        damage(ten_tracks, index_part(ten_tracks, version, "means.npy"), cut)
        assert [(one.state, "means.npy" in one.damage) for one in describe_versions(ten_tracks)] == [("damaged", True)]
        damage(ten_tracks, f"indexes/{version}/index.json", cut)
        assert list(damaged_descriptions(ten_tracks)) == [version]
        told = command(ten_tracks.settings, "index", "list").output
        assert f"damaged index {version}: " in " ".join(told.split())
        assert "`mfcc sync` starts one" in " ".join(told.split())

    def test_a_lost_description_is_listed_and_told_by_every_command(self, ten_tracks, query):
        version = str(ten_tracks.indexes.published_version())
        ten_tracks.blobs.delete(CEPSTRA, f"indexes/{version}/index.json")
        for arguments in (["index", "list"], ["recommend", str(query)]):
            told = " ".join(command(ten_tracks.settings, *arguments).output.split())
            assert f"index {version}: the stored index is corrupt: index.json is missing" in told
            assert "`mfcc sync` starts one" in told

    def test_all_tracks_without_features_take_one_line_of_the_log(self, ten_tracks, query, caplog):
        for name in (*names(ten_tracks, "summaries/"), *names(ten_tracks, "frames/")):
            ten_tracks.blobs.delete(CEPSTRA, name)
        recommend_file(ten_tracks, query, count=5)
        lines = [line for line in caplog.messages if line.startswith("The query is not compared with")]
        assert len(lines) == 1  # by recognition; the comparison reads the index
        assert re.search(r"with \d+ tracks\. The first: cepstra/frames/.*\.parquet: .*Run `mfcc sync`", lines[0])


class TestPointers:
    @pytest.mark.parametrize("name", ["published", "publications"])
    def test_a_damaged_pointer_changes_no_recommendation(self, two_versions, instance, query, name):
        answer, former = recommend_file(two_versions, query, count=5), lists(two_versions)
        history = two_versions.indexes.history()
        damage(two_versions, f"indexes/{name}.json", flip)
        assert recommend_file(two_versions, query, count=5) == answer
        assert any(f"{name}.json" in line for line in outstanding_work(two_versions))
        run = run_library(two_versions, instance)
        assert f"indexes/{name}.json: it is not what was written" in run.figure("prefilter_index", "repaired")
        assert (run.work.candidates, run.work.pairs, run.work.rows) == (0, 0, 0)
        assert lists(two_versions) == former
        assert [one.version for one in two_versions.indexes.history()] == [one.version for one in history]
        assert two_versions.indexes.pointer_faults() == outstanding_work(two_versions) == []
