"""Sentences for a listener who asks for what the index does not know yet."""

from contextlib import suppress

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, LeftToTheRun, MfccError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.lost_tables import check_tables
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.i18n import gettext as _


def words_for(error: MfccError, track: Soundtrack | None = None) -> str:
    """Return a sentence about why tracks cannot be compared now.

    Parameters
    ----------
    error
        `NoPublishedIndex`, `CorruptIndex`, `FeaturesMissing` or `LeftToTheRun`.
    track
        The track that the listener asked for, if it was one.
    """
    if isinstance(error, LeftToTheRun):
        return _("This track is long, so it is not compared while you wait. The run that answers it does it.")
    if not isinstance(error, FeaturesMissing):
        return _("The library is still being prepared. When that is done, you find here what sounds alike.")
    if track is not None and track.is_rejected:
        return _("The sound of this file cannot be used, so it has no neighbours.")
    return _("This track is not compared with the others yet. The next run over the library does it.")


def check_not_lost(library: Library) -> None:
    """Raise `LostTables` if the database has lost its soundtracks. Without this, the library would look empty."""
    with suppress(CorruptIndex):  # nobody knows then, and the pages that need the index say so
        check_tables(library)
