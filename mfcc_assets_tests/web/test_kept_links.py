"""Tests of the links that stay the same for a while."""

from mfcc_assets.library import Library
from mfcc_assets.web.kept_links import KeptLinks


def test_a_link_stays_the_same_for_half_its_life(library: Library) -> None:
    now = 0.0
    made: list[int] = []

    def link(container: str, name: str, *, seconds: int) -> str:
        made.append(seconds)
        return f"/{container}/{name}?{len(made)}"

    library.blobs.link = link  # type: ignore[method-assign]
    links = KeptLinks(library, clock=lambda: now)

    first = links.link("soundtracks", "a.mp3")
    now = library.settings.link_seconds / 2 - 1
    assert links.link("soundtracks", "a.mp3") == first
    assert links.link("soundtracks", "b.mp3") != first
    now += 1
    assert links.link("soundtracks", "a.mp3") != first
    assert set(made) == {library.settings.link_seconds}
