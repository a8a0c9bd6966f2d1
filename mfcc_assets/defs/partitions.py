"""The partitions of assets: shards of the library, and uploads. A tag names the files of the uploads of a run."""

import warnings
from collections.abc import Sequence

import dagster as dg

from mfcc_assets.ids import shard_names
from mfcc_assets.plots.figure import shorten
from mfcc_assets.settings import Settings
from mfcc_assets.texts import printable

FILES_TAG = "mfcc/files"
"""Tag of a run that answers uploads: the names of their files. The partitions have the ids of the uploads."""

_NAMES_IN_TAG = 3
_LETTERS_OF_NAME = 60

# Dagster warns once per asset, in every process, that `backfill_policy` is in beta. The tests cover the pinned version.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
SHARDS = dg.StaticPartitionsDefinition(shard_names(Settings().shard_digits))
UPLOADS = dg.DynamicPartitionsDefinition(name="uploads")


def files_tag(names: Sequence[str]) -> dict[str, str]:
    """Return the tag of a run that answers uploads with these names of files.

    Examples
    --------
    >>> files_tag(["a.mp3", "b.mp3", "c.mp3", "d.mp3", "e.mp3"])
    {'mfcc/files': 'a.mp3, b.mp3, c.mp3 and 2 more'}
    """
    first = ", ".join(shorten(printable(name), _LETTERS_OF_NAME) for name in names[:_NAMES_IN_TAG])
    more = len(names) - _NAMES_IN_TAG
    return {FILES_TAG: f"{first} and {more:,} more" if more > 0 else first} if first else {}
