"""What the catalogue of Dagster says of each asset: owner, domain, place, table, code version, freshness and pages.

The bodies of the assets do not repeat it. `described` adds it when the definitions are put together, because places and
versions depend on the settings.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from mfcc_assets.defs.conditions import library_condition
from mfcc_assets.defs.tables import LINEAGE, SCHEMAS
from mfcc_assets.features.waveform import WAVEFORM_VERSION
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RANKING_REVISION
from mfcc_assets.storage.blobs.port import CEPSTRA

OWNERS = ["team:music"]

_DOCS = Path(__file__).parents[2] / "docs"

IN_TIME = dg.FreshnessPolicy.cron("0 6 * * *", lower_bound_delta=timedelta(days=1))
"""The library is brought up to date every night, so in the morning nothing is older than a day. A window of 24 hours
would be exceeded each night for as long as the run takes."""


@dataclass(frozen=True)
class Description:
    """What the settings do not change.

    Attributes
    ----------
    domain
        Part of the engine that the asset belongs to.
    page
        Page of the documentation, with a section.
    place
        Where the asset lies: a container and folder, or `DATABASE`, or `DOCUMENTS`.
    table
        Name of the table of the database that it writes; empty if there is none.
    """

    domain: str
    page: str
    place: str
    table: str = ""


DATABASE, DOCUMENTS = "database", "documents"

_CANDIDATES, _RANKINGS = "how-it-works.md#candidates", "how-it-works.md#rankings"
_UPLOAD = "how-it-works.md#how-an-upload-travels"

DESCRIPTIONS: Mapping[str, Description] = {
    "raw_soundtracks": Description("catalogue", "own-music.md#add-music", DATABASE, "SOUNDTRACKS"),
    "soundtrack_cepstra": Description("features", "how-it-works.md#features", f"{CEPSTRA}/frames"),
    "soundtrack_waveforms": Description("features", "how-it-works.md#features", f"{CEPSTRA}/waveforms"),
    "soundtrack_summaries": Description("features", "how-it-works.md#features", f"{CEPSTRA}/summaries"),
    "prefilter_index": Description("search", _CANDIDATES, f"{CEPSTRA}/index_segments"),
    "soundtrack_candidates": Description("search", _CANDIDATES, f"{CEPSTRA}/indexes"),
    "soundtrack_rankings": Description("ranking", _RANKINGS, f"{CEPSTRA}/indexes"),
    "recommendation_quality": Description("quality", "quality.md#quality-of-your-library", f"{CEPSTRA}/indexes"),
    "published_index": Description("search", "index-versions.md", f"{CEPSTRA}/indexes"),
    "soundtrack_recommendations": Description("recommendations", _RANKINGS, DATABASE, "RECOMMENDATIONS"),
    "library_report": Description("quality", "dagster.md#assets-and-checks", ""),
    "raw_upload": Description("uploads", _UPLOAD, "batch"),
    "upload_cepstra": Description("features", _UPLOAD, f"{CEPSTRA}/frames"),
    "upload_metadata": Description("recognition", "how-it-works.md#recognition", DOCUMENTS),
    "upload_candidates": Description("search", _UPLOAD, f"{CEPSTRA}/indexes"),
    "upload_ranking": Description("ranking", _UPLOAD, f"{CEPSTRA}/indexes"),
    "upload_recommendations": Description("recommendations", _UPLOAD, DATABASE, "RECOMMENDATIONS"),
}


def described(assets: Sequence[dg.AssetsDefinition], library: Library) -> list[dg.AssetsDefinition]:
    """Return the assets with everything that the catalogue says of them.

    Parameters
    ----------
    assets
        The assets, with the code version of their own bodies.
    library
        The library that they belong to. Only its settings are read.
    """
    versions = _versions(library)

    def describe(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        own, is_of_library = DESCRIPTIONS[name], spec.group_name == "library"
        return spec.replace_attributes(
            owners=OWNERS,
            tags={**spec.tags, "domain": own.domain},
            metadata={**spec.metadata, **_metadata(name, own, library.settings)},
            code_version=".".join([str(spec.code_version), *versions.get(name, [])]),
            freshness_policy=IN_TIME if is_of_library else None,
            automation_condition=library_condition(is_root=not spec.deps) if is_of_library else None,
        )

    with warnings.catch_warnings():
        # References to code are in beta. The tests cover the pinned version.
        warnings.simplefilter("ignore", dg.BetaWarning)
        referenced = dg.with_source_code_references(assets)
        found = [asset for asset in referenced if isinstance(asset, dg.AssetsDefinition)]
        return [asset.map_asset_specs(describe) for asset in found]


def _metadata(name: str, own: Description, settings: Settings) -> dict[str, object]:
    page = _DOCS / own.page.partition("#")[0]
    return {
        **({"dagster/uri": _address(own.place, settings)} if own.place else {}),
        **({"dagster/table_name": own.table} if own.table else {}),
        **({"dagster/column_schema": SCHEMAS[name]} if name in SCHEMAS else {}),
        **({"dagster/column_lineage": LINEAGE[name]} if name in LINEAGE else {}),
        # An installed package has no pages.
        **({"documentation": dg.MetadataValue.path(f"{_DOCS / own.page}")} if page.exists() else {}),
    }


def _address(place: str, settings: Settings) -> str:
    if place == DATABASE:
        return sa.make_url(settings.tables_url).render_as_string(hide_password=True)
    if place == DOCUMENTS:
        return settings.documents_address if settings.profile == "azure" else settings.documents.as_uri()
    blobs = settings.blob_url.rstrip("/") if settings.profile == "azure" else settings.blobs.as_uri()
    return f"{blobs}/{place}"


def _versions(library: Library) -> dict[str, list[str]]:
    """Return what, beside its own code, determines the content of an asset: parameters and revisions, by its name."""
    features, settings = library.feature_parameters, library.settings
    index = index_parameters(library)
    of_ranking = _digest([features.version, index.ranked_count, index.ranking, RANKING_REVISION])
    of_lists = _digest([of_ranking, settings.recommendations, settings.per_artist])
    return {
        "soundtrack_cepstra": [features.cepstra.version],
        "soundtrack_waveforms": [WAVEFORM_VERSION],
        "soundtrack_summaries": [features.version],
        "prefilter_index": [of_ranking],
        "soundtrack_candidates": [of_ranking],
        "soundtrack_rankings": [of_ranking],
        "recommendation_quality": [of_ranking],
        "published_index": [of_ranking],
        "soundtrack_recommendations": [of_lists],
        "upload_cepstra": [features.version],
        "upload_candidates": [of_ranking],
        "upload_ranking": [of_ranking],
        "upload_recommendations": [of_lists],
    }


def _digest(parts: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=4).hexdigest()
