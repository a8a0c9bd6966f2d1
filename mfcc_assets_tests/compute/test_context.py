"""What work may use, on this machine and elsewhere."""

import json
from itertools import count
from pathlib import Path

import pytest

from mfcc_assets.compute.context import Context, opened_context, settings_of_work
from mfcc_assets.for_each import in_turn
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings

AZURE = Settings(
    profile="azure",
    blob_url="https://blobs.example",
    blob_key_secret="blob-key",
    cosmos_url="https://documents.example",
    database_url="postgresql+psycopg2://clerk@tables.example/mfcc",
    database_password_secret="tables-password",
    max_seconds=100,
    fft_size=1024,
)


def test_the_settings_of_work_are_texts_without_databases_and_their_secrets() -> None:
    values = settings_of_work(AZURE)

    assert json.loads(json.dumps(values)) == values
    assert all(isinstance(value, str) for value in values.values())
    assert "tables" not in str(values)
    assert "documents" not in str(values)


def test_only_an_executor_that_needs_the_key_of_the_blobs_learns_of_the_vault() -> None:
    vault = {"key_vault_url": "https://vault.example", "secret_seconds": 60}

    with_key = settings_of_work(AZURE.model_copy(update=vault))
    without = settings_of_work(AZURE.model_copy(update=vault | {"blob_key_secret": None}))

    assert with_key["key_vault_url"] == vault["key_vault_url"]
    assert not vault.keys() & without.keys()


def test_an_executor_opens_a_context_with_the_same_parameters() -> None:
    context = opened_context(settings_of_work(AZURE))

    with Library(AZURE) as library:
        assert context.feature_parameters == library.feature_parameters
        assert context.limits == library.limits
    assert context.settings.blob_url == AZURE.blob_url
    assert context.for_each is in_turn


def test_a_context_is_opened_once_for_the_same_settings(tmp_path: Path) -> None:
    here, there = (settings_of_work(Settings(home=tmp_path / name)) for name in ("here", "there"))

    first = opened_context(here)

    assert opened_context(dict(here)) is first
    assert opened_context(there) is not first
    assert opened_context(there).settings.folder == tmp_path / "there"


def test_a_context_has_no_database(library: Library) -> None:
    with pytest.raises(AttributeError):
        Context(library).catalogue  # type: ignore[attr-defined]  # noqa: B018


def test_what_is_kept_is_made_once_for_each_version(library: Library) -> None:
    context, number = Context(library), count()

    assert [context.once("thing", version, lambda: next(number)) for version in "aabb"] == [0, 0, 1, 1]


def test_what_was_kept_is_known_for_its_version_only(library: Library) -> None:
    context = Context(library)
    context.once("thing", "a", lambda: 7)

    assert [context.kept(name, version) for name, version in (("thing", "a"), ("thing", "b"), ("other", "a"))] == [
        7,
        None,
        None,
    ]


def test_an_open_index_is_used_as_it_is(ten_tracks: Library) -> None:
    index = ten_tracks.indexes.published()

    assert Context(ten_tracks, index).index(index.version) is index
    assert Context(ten_tracks).index(index.version).version == index.version
