"""Damaged and lost files of a library: nothing is answered from other numbers, and the next run repairs everything."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets.errors import LostTables, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import recommend_file
from mfcc_assets.pipeline.index_versions import damaged_descriptions, describe_versions
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.publication import roll_back
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.index_parts import PARTS
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import Work, assert_recommendations_hold, run_library

Lists = dict[str, list[tuple[str, float]]]
Damage = Callable[[bytes], bytes]


def flip(stored: bytes) -> bytes:
    """Change one bit in the middle."""
    changed = bytearray(stored)
    changed[len(changed) // 2] ^= 4
    return bytes(changed)


def cut(stored: bytes) -> bytes:
    """Remove the second half."""
    return stored[: len(stored) // 2]


def empty(_: bytes) -> bytes:
    return b""


def damage(library: Library, name: str, change: Damage) -> None:
    library.blobs.write(CEPSTRA, name, change(library.blobs.read(CEPSTRA, name)))


def names(library: Library, prefix: str) -> list[str]:
    return [blob.name for blob in library.blobs.list(CEPSTRA, prefix)]


def lists(library: Library) -> Lists:
    """Return the names and distances of the recommendations of each soundtrack, by track id."""
    return {
        track.track_id: [(row.blob_name, row.distance) for row in library.recommendations.recommended(track.track_id)]
        for track in library.catalogue.soundtracks()
    }


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_music(tmp_path / "query.flac", 3.0, seed=400)


@pytest.fixture
def two_versions(ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path) -> Library:
    """Return a library with a published index, and the index that answered before."""
    song = write_music(tmp_path / "eleventh.flac", 3.0, seed=401)
    ten_tracks.blobs.upload_file("soundtracks", song.name, song)
    run_library(ten_tracks, instance)
    return ten_tracks


class TestFeatures:
    @pytest.mark.parametrize("change", [flip, cut])
    def test_the_next_run_names_damaged_features_and_computes_them_again(self, ten_tracks, instance, query, change):
        run_library(ten_tracks, instance)  # now all features are known to be intact
        former, answer = lists(ten_tracks), recommend_file(ten_tracks, query, count=5).recommendations
        damaged = [names(ten_tracks, f"{folder}/")[row] for row, folder in enumerate(("frames", "timbre", "summaries"))]
        intact = {name: ten_tracks.blobs.read(CEPSTRA, name) for name in damaged}
        for name in damaged:
            damage(ten_tracks, name, change)
        run = run_library(ten_tracks, instance)
        assert (run.work.cepstra, run.work.track_features, run.work.index_written) == (2, 1, False)
        notes = run.figure("soundtrack_cepstra", "notes")
        assert all(f"{name}: the stored features are damaged. This run computes it again." in notes for name in damaged)
        assert {name: ten_tracks.blobs.read(CEPSTRA, name) for name in damaged} == intact
        assert lists(ten_tracks) == former
        assert recommend_file(ten_tracks, query, count=5).recommendations == answer
        assert run_library(ten_tracks, instance).work == Work()

    @pytest.mark.parametrize("exact", [False, True])
    def test_an_answer_between_two_runs_computes_damaged_features_again(self, ten_tracks, query, caplog, exact):
        answer = recommend_file(ten_tracks, query, count=5, exact=exact)
        damaged = names(ten_tracks, "summaries/")
        for name in (*damaged, names(ten_tracks, "frames/")[0]):
            damage(ten_tracks, name, cut)
        with Library(ten_tracks.settings) as library:
            assert recommend_file(library, query, count=5, exact=exact).recommendations == answer.recommendations
            assert recommend_file(library, query, count=5, exact=exact).certified == exact
        for name in damaged[1:]:  # the first were computed again together with the cepstra
            assert f"{name}: the stored features are damaged. It is computed again." in caplog.text


class TestIndexes:
    @pytest.mark.parametrize("part", ["index.json", "audio_ids.npy", "calibration.npz"])
    def test_a_damaged_published_index_is_built_again_under_its_version(self, two_versions, instance, query, part):
        version, former = two_versions.indexes.published_version(), lists(two_versions)
        answer = recommend_file(two_versions, query, count=5)
        damage(two_versions, f"indexes/{version}/{part}", flip)
        assert recommend_file(two_versions, query, count=5).index_version != version
        assert [line for line in outstanding_work(two_versions) if str(version) in line]
        run = run_library(two_versions, instance)
        assert f"Index {version} was damaged and has been built again." in run.figure("prefilter_index", "repaired")
        assert recommend_file(two_versions, query, count=5) == answer
        assert (two_versions.indexes.published_version(), lists(two_versions)) == (version, former)
        assert outstanding_work(two_versions) == []

    def test_a_withdrawn_and_damaged_library_heals_too(self, two_versions, instance, query):
        withdrawn = roll_back(two_versions).former
        version = two_versions.indexes.published_version()
        for part in ("timbre.npy", "outlines.npy"):
            damage(two_versions, f"indexes/{version}/{part}", cut)
        run_library(two_versions, instance)
        assert recommend_file(two_versions, query, count=5).index_version == version != withdrawn

    def test_new_music_does_not_enter_an_index_with_damaged_rows(self, two_versions, instance, tmp_path):
        version = two_versions.indexes.published_version()
        calibration = two_versions.indexes.published().calibrated_as
        for part in PARTS:
            damage(two_versions, f"indexes/{version}/{part}", flip)
        song = write_music(tmp_path / "twelfth.flac", 3.0, seed=402)
        two_versions.blobs.upload_file("soundtracks", song.name, song)
        run_library(two_versions, instance)
        index = two_versions.indexes.published()
        assert (len(index.tracks), index.calibrated_as) == (12, calibration)
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
        run = run_library(ten_tracks, instance)
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
        damage(ten_tracks, f"indexes/{version}/means.npy", cut)
        assert [(one.state, "means.npy" in one.damage) for one in describe_versions(ten_tracks)] == [("damaged", True)]
        damage(ten_tracks, f"indexes/{version}/index.json", cut)
        assert list(damaged_descriptions(ten_tracks)) == [version]
        told = command(ten_tracks.settings, "index", "list").output
        assert f"damaged index {version}: " in " ".join(told.split())
        assert "`mfcc add` starts one" in " ".join(told.split())


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


class TestLostTables:
    @pytest.fixture
    def lost(self, ten_tracks: Library) -> Library:
        former = lists(ten_tracks)
        assert len(former) == 10
        ten_tracks.close()
        for path in ten_tracks.settings.folder.glob("tables.sqlite*"):
            path.unlink()
        return Library(ten_tracks.settings)

    def test_lost_tables_are_told_and_a_run_makes_them_again(self, lost, instance, query):
        published = lost.indexes.published_version()
        for arguments in (["recommend", str(query)], ["library"], ["playlist", "song"], ["explain", "song", "song"]):
            told = command(lost.settings, *arguments)
            assert told.exit_code == 1
            assert f"the database has none of the soundtracks of index {published}, which names 10" in told.output
            assert "`mfcc add` without a path reads all soundtracks in again" in told.output
        with pytest.raises(LostTables):
            recommend_file(lost, query, count=5, exact=True)
        run_library(lost, instance)
        assert lost.indexes.published_version() == published
        assert_recommendations_hold(lost)
        assert len(recommend_file(lost, query, count=5).recommendations) == 5

    def test_a_damaged_database_gives_one_sentence(self, ten_tracks):
        ten_tracks.close()
        path = ten_tracks.settings.folder / "tables.sqlite"
        stored = path.read_bytes()
        for damaged in (b"no database" * 500, stored[:4096] + b"\xff" * (len(stored) - 4096)):
            path.write_bytes(damaged)
            told = command(ten_tracks.settings, "library")
            assert told.exit_code == 1
            assert "the file of the database is damaged" in told.output
            assert "Move it away, and run `mfcc add`" in told.output
        with (
            Library(ten_tracks.settings) as library,
            pytest.raises(StoreError, match="file of the database is damaged"),
        ):
            library.database.check()


def command(settings: Settings, *arguments: str) -> Result:
    return CliRunner(env={"MFCC_HOME": str(settings.folder)}).invoke(main, arguments)
