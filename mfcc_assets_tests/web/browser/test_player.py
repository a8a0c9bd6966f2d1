"""Tests of the player in a real browser."""

import time
from typing import TYPE_CHECKING

import pytest

from mfcc_assets_tests.services.browser import Troubles
from mfcc_assets_tests.web.browser.listening import playing, seconds, title, wait_until_heard, wait_until_silent
from mfcc_assets_tests.web.browser.trial_site import TrialSite

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _play(page: "Page", place: int) -> None:
    page.locator("main [data-action=play]").nth(place).click()


def test_a_button_plays_its_track_and_shows_that_it_plays(page: "Page") -> None:
    page.goto("/trial")
    assert page.locator("#player").is_hidden()

    _play(page, 0)
    wait_until_heard(page, 0.3)

    track = page.locator("[data-track]").first
    assert title(page) == "Song 0"
    assert track.get_attribute("aria-current") == "true"
    assert track.get_by_role("button", name="Pause Song 0").inner_text() == "Pause"

    _play(page, 0)
    wait_until_silent(page)
    assert track.get_by_role("button", name="Play Song 0").inner_text() == "Play"


def test_the_next_track_of_the_list_follows_without_a_gap(page: "Page") -> None:
    page.goto("/trial")
    page.evaluate(
        """() => {
            window.beginnings = [];
            const note = (event) => window.beginnings.push([event.type, performance.now()]);
            document.querySelectorAll('#player audio').forEach((audio) => {
                audio.addEventListener('playing', note);
                audio.addEventListener('ended', note);
            });
        }"""
    )
    _play(page, 1)
    page.wait_for_function("() => document.querySelector('[data-part=title]').textContent === 'Song 2'")
    wait_until_heard(page, 0.3)

    heard = page.evaluate("window.beginnings")
    second = [at for kind, at in heard if kind == "playing"][1]
    ended = [at for kind, at in heard if kind == "ended"]
    assert not ended or second - ended[0] < 100, heard


def test_the_music_goes_on_while_one_browses(page: "Page") -> None:
    page.goto("/trial")
    page.evaluate("window.sameDocument = true")
    _play(page, 0)
    wait_until_heard(page, 0.2)
    before = seconds(page)

    page.locator("main a").first.click()
    page.wait_for_url("**/help")
    wait_until_heard(page, before + 0.2)

    assert page.evaluate("window.sameDocument")
    assert title(page) == "Song 0"


def test_a_reload_shows_the_paused_player_where_it_was(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 1)
    wait_until_heard(page, 1.0)

    page.reload()

    assert title(page) == "Song 1"
    assert playing(page) == []
    page.wait_for_function("() => Number(document.querySelector('[data-part=seek]').value) >= 1")
    page.locator("#player [data-part=play]").click()
    wait_until_heard(page, 1.0)
    page.locator("#player [data-part=queue]").click()
    assert page.locator("#player-queue li").count() == 3


def test_the_queue_can_be_filled_changed_and_emptied(page: "Page") -> None:
    page.goto("/trial")
    later = page.locator("[data-action=queue]")
    later.nth(2).click()
    later.nth(0).click()
    assert playing(page) == []
    assert title(page) == "Song 2"

    page.locator("#player [data-part=queue]").click()
    page.locator("#player-queue li").nth(1).locator("button").first.click()
    wait_until_heard(page, 0.1)
    assert title(page) == "Song 0"

    page.get_by_role("button", name="Remove Song 0 from the queue").click()
    assert title(page) == "Song 2"
    page.get_by_role("button", name="Empty the queue").click()
    assert page.locator("#player").is_hidden()
    wait_until_silent(page)


def test_keys_play_seek_and_change_the_track(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 0)
    wait_until_heard(page, 0.1)
    page.locator("h1").click()

    page.keyboard.press("Space")
    wait_until_silent(page)
    page.keyboard.press("j")
    wait_until_heard(page, 0.1)
    assert title(page) == "Song 1"
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('[data-part=title]').textContent === 'Song 0'")
    wait_until_heard(page, 0.1)
    page.keyboard.press("Space")
    wait_until_silent(page)
    page.keyboard.press("ArrowRight")
    assert float(page.locator("[data-part=seek]").input_value()) >= 2
    page.keyboard.press("ArrowLeft")
    assert page.locator("[data-part=seek]").input_value() == "0"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "words"
    page.locator("h1").click()
    page.keyboard.press("?")
    page.wait_for_url("**/help")


def test_keys_are_letters_where_one_types_and_can_be_turned_off(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 0)
    wait_until_heard(page, 0.1)
    page.locator("#words").press_sequentially("j k?/")
    assert page.locator("#words").input_value() == "j k?/"
    assert title(page) == "Song 0"

    page.goto("/help")
    page.get_by_label("The keys j, k, / and ?").uncheck()
    page.locator("h1").click()
    page.keyboard.press("j")
    assert title(page) == "Song 0"


def test_the_place_can_be_chosen_with_a_pointer_and_with_keys(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 0)
    wait_until_heard(page, 0.1)
    page.locator("#player [data-part=play]").click()
    seek = page.locator("[data-part=seek]")
    box = seek.bounding_box()
    assert box is not None
    seek.click(position={"x": box["width"] * 0.7, "y": 10})
    assert seek.input_value() == "2"
    seek.press("ArrowLeft")
    assert seek.input_value() == "1"
    assert seek.get_attribute("aria-valuetext") == "0:01 of 0:03"


def test_the_waveform_of_a_track_is_drawn_and_plays_from_where_it_is_clicked(page: "Page") -> None:
    page.goto("/trial")
    holder = page.locator(".waveform").first
    page.wait_for_function(
        """() => {
            const canvas = document.querySelector('.waveform canvas');
            if (!canvas?.width) return false;
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(pixels.buffer)).size > 20;
        }"""
    )
    box = holder.bounding_box()
    assert box is not None

    holder.click(position={"x": box["width"] * 0.6, "y": 20})
    wait_until_heard(page, 1.7)
    assert title(page) == "Song 0"


def test_a_link_that_ends_while_a_track_plays_is_asked_for_again(
    page: "Page", trial_site: TrialSite, long_track: str, troubles: Troubles
) -> None:
    troubles.expect("403")
    trial_site.link_seconds = 2
    page.goto("/trial")
    page.evaluate("id => document.querySelector(`[data-track*='${id}'] [data-action=play]`).click()", long_track)
    wait_until_heard(page, 0.2)
    time.sleep(2.5)
    made = trial_site.links_made

    # This part of the file has not been loaded yet, and the link to it has ended.
    page.locator("[data-part=seek]").evaluate(
        "field => { field.value = 150; field.dispatchEvent(new Event('change')); }"
    )
    wait_until_heard(page, 150.2)

    assert trial_site.links_made > made
    assert seconds(page) < 155
    assert any("403" in each for each in troubles.found)


def test_a_track_that_cannot_be_played_is_told_and_the_next_one_plays(page: "Page", troubles: Troubles) -> None:
    troubles.expect("404")
    page.goto("/trial")
    page.evaluate(
        """() => {
            const holder = document.querySelector('[data-track]');
            holder.dataset.track = JSON.stringify({...JSON.parse(holder.dataset.track), audio: '/nothing'});
        }"""
    )
    _play(page, 0)
    page.get_by_text("Song 0 cannot be played.").wait_for()
    wait_until_heard(page, 0.1)
    assert title(page) == "Song 1"


def test_stretches_play_in_turn_and_stop_at_their_ends(page: "Page") -> None:
    page.goto("/trial")
    page.get_by_role("button", name="Pair 1").click()
    page.wait_for_function("() => document.querySelector('[data-part=stretch-name]').textContent === 'A'")
    wait_until_heard(page, 1.05)
    assert page.get_by_role("button", name="Pair 1").get_attribute("aria-pressed") == "true"
    page.wait_for_function("() => document.querySelector('[data-part=stretch-name]').textContent === 'B'")
    wait_until_silent(page)

    ends = page.evaluate("[...document.querySelectorAll('#player audio')].map(a => a.currentTime).filter(Boolean)")
    assert sorted(round(end, 1) for end in ends) == [1.0, 1.5]
    assert page.locator("#player").is_hidden()


def test_stretches_repeat_until_the_listener_goes_on_to_the_next_pair_or_stops(page: "Page") -> None:
    page.goto("/trial")
    page.get_by_role("button", name="Pair 1").click()
    page.get_by_role("button", name="Repeat").click()
    name = "document.querySelector('[data-part=stretch-name]').textContent"
    page.wait_for_function(f"() => {name} === 'B'")
    page.wait_for_function(f"() => {name} === 'A'")

    page.get_by_role("button", name="Next pair").click()
    assert page.get_by_role("button", name="Pair 2").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Stop").click()
    wait_until_silent(page)


def test_the_queue_pauses_for_stretches_and_ends_them(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 2)
    wait_until_heard(page, 0.2)
    page.get_by_role("button", name="Pair 1").click()
    page.wait_for_function("() => document.querySelector('[data-part=stretch-name]').textContent === 'A'")
    assert len(playing(page)) <= 1

    page.locator("#player [data-part=play]").click()
    page.locator("[data-part=stretches]").wait_for(state="hidden")
    wait_until_heard(page, 0.2)
    assert len(playing(page)) == 1


@pytest.mark.parametrize("way", ["space", "pause key"])
def test_stretches_end_when_the_listener_pauses(page: "Page", way: str) -> None:
    page.add_init_script(
        """const handlers = window.handlers = {};
        navigator.mediaSession.setActionHandler = (name, handler) => { handlers[name] = handler; };"""
    )
    page.goto("/trial")
    page.get_by_role("button", name="Pair 1").click()
    wait_until_heard(page, 1.05)
    assert page.evaluate("navigator.mediaSession.playbackState") == "playing"

    if way == "space":
        page.locator("h1").click()  # a button that has the focus has a space bar of its own
        page.keyboard.press(" ")
    else:
        page.evaluate("window.handlers.pause()")

    wait_until_silent(page)
    page.locator("[data-part=stretches]").wait_for(state="hidden")
    assert page.evaluate("navigator.mediaSession.playbackState") == "none"


def test_a_button_whose_stretches_play_can_be_seen_under_the_pointer(page: "Page") -> None:
    page.goto("/trial")
    button = page.get_by_role("button", name="Pair 1")
    button.evaluate("button => button.classList.add('quiet')")
    button.click()
    wait_until_heard(page, 1.05)

    ground, ink = button.evaluate("b => [getComputedStyle(b).backgroundColor, getComputedStyle(b).color]")
    accent, accent_ink = page.get_by_role("button", name="Radio").evaluate(
        "b => [getComputedStyle(b).backgroundColor, getComputedStyle(b).color]"
    )
    assert (ground, ink) == (accent, accent_ink)


def test_a_radio_fills_the_queue_and_asks_for_more_tracks_that_it_has_not_played(page: "Page") -> None:
    page.goto("/trial")
    page.get_by_role("button", name="Radio").click()
    wait_until_heard(page, 0.1)
    page.locator("#player [data-part=queue]").click()
    items = page.locator("#player-queue li")
    page.wait_for_function("() => document.querySelectorAll('#player-queue li').length >= 6")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    for _ in range(4):
        page.keyboard.press("j")
    page.wait_for_function("() => document.querySelectorAll('#player-queue li').length >= 9")

    titles = [text.splitlines()[0] for text in items.all_inner_texts()] or items.all_text_contents()
    assert len(set(titles)) == len(titles)


def test_a_radio_goes_on_after_a_request_that_was_lost(page: "Page", troubles: Troubles) -> None:
    troubles.expect("ERR_FAILED")
    page.goto("/trial")
    # The first request fails, that of the last track of the queue, and that at its end.
    page.route("**/trial/radio?after=*", lambda route: route.abort(), times=3)
    page.get_by_role("button", name="Radio").click()
    page.get_by_text("The radio cannot be reached.").wait_for()

    page.evaluate("document.querySelector('#player-queue li:last-child .player-queued').click()")
    wait_until_heard(page, 0.1)
    wait_until_silent(page)
    page.wait_for_function("() => document.querySelectorAll('#player-queue li').length >= 6")
    wait_until_heard(page, 0.1)


def test_pages_are_not_searched_for_tracks_while_only_the_player_changes(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 0)
    wait_until_heard(page, 0.3)
    page.evaluate(
        """() => {
            window.searches = 0;
            const search = document.querySelectorAll;
            document.querySelectorAll = (what) => {
                window.searches += what === 'main [data-track]';
                return search.call(document, what);
            };
        }"""
    )
    wait_until_heard(page, 1.5)
    assert page.evaluate("window.searches") == 0

    page.evaluate("document.querySelector('main').append('another part')")
    page.wait_for_function("() => window.searches > 0")


def test_the_lock_screen_is_told_what_plays(page: "Page") -> None:
    page.goto("/trial")
    _play(page, 1)
    wait_until_heard(page, 0.2)

    assert page.evaluate("navigator.mediaSession.metadata.title") == "Song 1"
    assert page.evaluate("navigator.mediaSession.playbackState") == "playing"
