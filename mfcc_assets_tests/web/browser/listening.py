"""What a listener hears on a page: which audio plays, and where it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_AUDIO = "[...document.querySelectorAll('#player audio')]"


def playing(page: "Page") -> list[str]:
    """Return the addresses of the audio that plays now."""
    found: list[str] = page.evaluate(f"{_AUDIO}.filter(a => !a.paused).map(a => a.getAttribute('src'))")
    return found


def seconds(page: "Page") -> float:
    """Return the place of the audio that plays now, or -1 if none plays."""
    return float(page.evaluate(f"({_AUDIO}.find(a => !a.paused) ?? {{currentTime: -1}}).currentTime"))


def wait_until_heard(page: "Page", after: float) -> None:
    """Wait until some audio plays beyond a second."""
    page.wait_for_function(f"after => {_AUDIO}.some(a => !a.paused && a.currentTime > after)", arg=after)


def wait_until_silent(page: "Page") -> None:
    page.wait_for_function(f"() => {_AUDIO}.every(a => a.paused)")


def title(page: "Page") -> str:
    """Return the title that the player shows."""
    return page.locator("#player [data-part=title]").inner_text()
