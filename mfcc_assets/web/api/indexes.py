"""Versions of the index for programs: list and compare them, and let an operator publish one or roll back."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from flask import Response, abort

from mfcc_assets.errors import NoPublishedIndex, RightMissing, VersionNotFound
from mfcc_assets.pipeline.index_versions import (
    DescribedVersion,
    describe_versions,
    diff_versions,
    names_of_diff,
    version_named,
)
from mfcc_assets.pipeline.publication import publish_by_hand, roll_back
from mfcc_assets.pipeline.quality import quality_history
from mfcc_assets.storage.index_store import no_index
from mfcc_assets.texts import printable
from mfcc_assets.web.api.index_models import (
    Change,
    Diff,
    DiffQuery,
    IndexesQuery,
    IndexPage,
    IndexVersion,
    Measured,
    Publication,
    PublishRequest,
    Quality,
)
from mfcc_assets.web.api.operations import api
from mfcc_assets.web.api.replies import page_reply
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.site import site

_TAG = "index versions"
_logger = logging.getLogger(__name__)


@api.get("/api/v1/indexes", tag=_TAG, query=IndexesQuery, answer=IndexPage, problems=(404,))
def list_indexes(query: IndexesQuery) -> Response:
    """List the stored versions of the index, the newest first."""
    library = site().library
    with site().heavy.turn():
        versions = describe_versions(library)
    if query.after is not None:
        versions = versions[_place_of(version_named(library, query.after), versions) + 1 :]
    items = [IndexVersion.of(each) for each in versions[: query.limit]]
    return page_reply(IndexPage(items=items, after=items[-1].version if len(versions) > query.limit else None))


@api.get("/api/v1/indexes/diff", tag=_TAG, query=DiffQuery, answer=Diff, problems=(404,))
def compare_indexes(query: DiffQuery) -> Diff:
    """Compare the lists of five of two versions. The largest changes come first."""
    library = site().library
    first, second = version_named(library, query.first), version_named(library, query.second)
    with site().heavy.turn():
        found = diff_versions(library, first, second)
    shown = found.changed[: query.top]
    names = names_of_diff(library, found, shown)
    return Diff.model_validate(
        {
            "first": first,
            "second": second,
            **found.counts(),
            "changes": [
                Change.model_validate(
                    {
                        "track": names[change.query],
                        "left": [names[audio_id] for audio_id in change.removed],
                        "came": [names[audio_id] for audio_id in change.added],
                        "highest_place": change.first_changed_rank,
                    }
                )
                for change in shown
            ],
            "only_in_first": [names[audio_id] for audio_id in found.only_first],
            "only_in_second": [names[audio_id] for audio_id in found.only_second],
        }
    )


@api.operation(
    "POST",
    "/api/v1/indexes/publish",
    tag=_TAG,
    body=PublishRequest,
    answer=Publication,
    problems=(404, 409),
    is_for_operators=True,
)
def publish_index(body: PublishRequest) -> Publication:
    """Publish a version, so that it answers from now on. It must be complete, and not worse than the published one."""
    library = site().library
    version = version_named(library, body.version)
    with site().heavy.turn(), _written():
        made = publish_by_hand(library, version, although_worse=body.although_worse)
    return Publication(version=made.version, former=made.former)


@api.operation("POST", "/api/v1/indexes/rollback", tag=_TAG, answer=Publication, problems=(409,), is_for_operators=True)
def roll_index_back() -> Publication:
    """Return to the version that answered before. The present one is withdrawn: no run publishes it again."""
    try:
        with site().heavy.turn(), _written():
            made = roll_back(site().library)
    except NoPublishedIndex:
        abort(HTTPStatus.CONFLICT, _("No version that answered before is still stored."))
    return Publication(version=made.version, former=made.former)


@api.get("/api/v1/quality", tag=_TAG, answer=Quality)
def get_quality() -> Quality:
    """Get the measured quality of the index that answers, and of those before it."""
    history = quality_history(site().library)
    if not history:
        raise no_index()
    return Quality(
        index_version=history[-1].version,
        figures=dict(history[-1].figures),
        history=[
            Measured(version=each.version, published_at=each.published_at.isoformat(), figures=dict(each.figures))
            for each in history
        ],
    )


@contextmanager
def _written() -> Iterator[None]:
    """Say what to do where the server may only read the library, as in Azure. A key cannot give it further rights."""
    try:
        yield
    except RightMissing as error:
        _logger.warning("No other index can be published by the pages: %s", printable(str(error)))
        said = _(
            "This server may only read the library, so nothing was published. Use `mfcc index` where the runs of the"
            " library are, which may write to it."
        )
        abort(HTTPStatus.FORBIDDEN, said)


def _place_of(version: str, listed: Sequence[DescribedVersion]) -> int:
    for place, each in enumerate(listed):
        if each.stored.version == version:
            return place
    # A version whose description is damaged has a name, but no place in the list.
    raise VersionNotFound(
        "it is not in the list of versions", subject=f"index {version}", remedy="Ask for the first page again"
    )
