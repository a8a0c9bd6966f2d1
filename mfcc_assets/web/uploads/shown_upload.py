"""An upload and its answer as pages show them: the recorded answer, or the preview until it is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import TrackId, UploadId
from mfcc_assets.pipeline.failure_words import words_for_failure
from mfcc_assets.pipeline.upload_page import page_of_preview, page_of_upload
from mfcc_assets.pipeline.upload_view import Presented
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.texts import printable
from mfcc_assets.web.cards import Card, card_of
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.i18n import translated
from mfcc_assets.web.site import site
from mfcc_assets.web.uploads.news import News
from mfcc_assets.web.uploads.previews import PreviewOutcome
from mfcc_assets.web.uploads.room import room


@dataclass(frozen=True)
class ShownUpload:
    """An upload as pages show it.

    Attributes
    ----------
    base
        Address of its page, without a slash at the end. The addresses of its parts begin with it.
    title
        Title for people: what it was recognised as, or the name of its file.
    news
        How far it is, and which answer is shown.
    page
        Members of `mfcc_assets.pipeline.upload_page.page_of_upload`.
    card
        The upload itself.
    recommendations, candidates
        Tracks, best first. The candidates are shown while there are no recommendations yet.
    failure
        Why there is no answer; empty if it did not fail.
    is_mine
        Whether this browser has sent it, so that it may share and delete it.
    """

    base: str
    title: str
    news: News
    page: Presented
    card: Card
    recommendations: Sequence[Card]
    candidates: Sequence[Card]
    failure: str
    is_mine: bool

    @property
    def list_key(self) -> str:
        """Text that is the same as long as the same tracks are shown, at the same distances."""
        return " ".join(
            f"{card.track_id}:{card.distance:.9g}" for card in self.recommendations if card.distance is not None
        )


def shown_upload(stored: Document, base: str, *, is_mine: bool, plays: bool = True) -> ShownUpload:
    """Return an upload for its page.

    Parameters
    ----------
    stored
        Document of the upload.
    base
        Address of its page.
    is_mine
        Whether this browser has sent it.
    plays
        Whether its own audio may be heard. Otherwise this is a shared answer, and the files of its tracks are at
        addresses below its own, which need no log-in.
    """
    here, upload = room(), UploadId(stored.id)
    news = here.news(stored)
    outcome = here.previews.get(upload)
    page = _preview_page(stored, outcome) if news.shown == "preview" else None
    page = page or page_of_upload(site().library, site().published, stored)
    code = page["failure"]["code"] if page["failure"] else outcome.failure if outcome and news.shown == "failed" else ""
    recognised = page["recognised"] or {}
    title = printable(recognised.get("title") or page["file_name"] or _("Untitled"))
    card = Card(
        track_id=upload if plays else "",
        title=title,
        artist=printable(recognised.get("artist", "")),
        seconds=page["seconds"],
        page=base,
        audio=f"{base}/audio" if plays else "",
        waveform=f"{base}/waveform" if plays else "",
    )
    return ShownUpload(
        base,
        title,
        news,
        page,
        card,
        _cards(page["recommendations"], why_base=base, files_base="" if plays else base),
        _cards(page["candidates"], why_base="", files_base="" if plays else base),
        translated(words_for_failure(code)) if code else "",
        is_mine,
    )


def _preview_page(stored: Document, outcome: PreviewOutcome | None) -> Presented | None:
    if outcome is None or outcome.preview is None:
        return None
    try:
        return page_of_preview(site().published, stored, outcome.preview)
    except (NoPublishedIndex, CorruptIndex):
        return None  # the index went after the preview was made, and the run will say so


def _cards(tracks: Sequence[Presented], *, why_base: str, files_base: str) -> list[Card]:
    known = site().library.catalogue.tracks_with_ids(TrackId(each["track_id"]) for each in tracks)
    return [
        card_of(
            known[each["track_id"]],
            nearness=None if each.get("closer_than") is None else Nearness(each["closer_than"]),
            distance=each.get("distance"),
            why=f"{why_base}/why/{each['track_id']}" if why_base else "",
            base=files_base,
        )
        for each in tracks
        if each["track_id"] in known
    ]
