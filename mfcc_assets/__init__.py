"""A music recommendation engine that compares the audio itself, orchestrated by Dagster.

Programs open a library by `open_library`: see `mfcc_assets.music_library`.

Tests, benchmarks and deployment do not belong here: see ``mfcc_assets_tests`` and ``deploy``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mfcc_assets.music_library import MusicLibrary, open_library
    from mfcc_assets.music_records import Coefficient, Explanation, NearTrack, Recommendations, Stretch, Track

__all__ = [
    "Coefficient",
    "Explanation",
    "MusicLibrary",
    "NearTrack",
    "Recommendations",
    "Stretch",
    "Track",
    "open_library",
]


def __getattr__(name: str) -> Any:
    """Import the names for programs on their first use: every part of the package imports this module first."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mfcc_assets import music_library

    return getattr(music_library, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
