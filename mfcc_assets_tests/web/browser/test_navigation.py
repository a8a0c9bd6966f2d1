"""Tests of going from page to page without loading the document anew, in a real browser."""

from typing import TYPE_CHECKING

from mfcc_assets_tests.services.browser import held_requests

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from mfcc_assets.library import Library


def test_a_visit_that_another_one_follows_changes_nothing_any_more(page: "Page") -> None:
    page.goto("/help")
    held = held_requests(page, "**/css/map.css*")
    with page.expect_request("**/css/map.css*"):
        page.get_by_role("link", name="Map", exact=True).click()
    page.get_by_role("link", name="Health", exact=True).click()
    page.wait_for_url("**/health")

    held[0].continue_()
    page.wait_for_timeout(400)

    assert page.url.endswith("/health")
    assert page.title().startswith("Health")
    assert page.locator(".map").count() == 0


def test_back_leads_to_the_place_of_the_page_where_one_was(page: "Page") -> None:
    page.set_viewport_size({"width": 800, "height": 300})
    page.goto("/library")
    page.evaluate("window.sameDocument = true")
    page.evaluate("window.scrollTo(0, 350)")

    page.evaluate("document.querySelectorAll('main .tracks a.title')[5].click()")
    page.wait_for_url("**/tracks/*")
    assert page.evaluate("window.scrollY") == 0
    page.evaluate("window.scrollTo(0, 100)")
    page.evaluate("history.back()")
    page.wait_for_function("() => document.title.startsWith('Library') && window.scrollY === 350")
    page.evaluate("history.forward()")
    page.wait_for_function("() => !document.title.startsWith('Library') && window.scrollY === 100")

    assert page.evaluate("window.sameDocument")
    page.reload()
    page.wait_for_function("() => window.scrollY === 100")


def test_a_link_to_a_place_of_another_page_leads_to_this_place(page: "Page", ten_tracks: "Library") -> None:
    track = ten_tracks.catalogue.soundtracks()[0].track_id
    page.set_viewport_size({"width": 800, "height": 300})
    page.goto("/help")
    page.evaluate(
        "address => { const link = document.querySelector('main').appendChild(document.createElement('a'));"
        "link.href = address; link.click(); }",
        f"/tracks/{track}#neighbours",
    )
    page.wait_for_url("**#neighbours")

    assert abs(page.locator("#neighbours").bounding_box()["y"]) < 150  # type: ignore[index]


def test_another_language_shows_the_same_page(page: "Page") -> None:
    page.goto("/help")
    page.get_by_role("link", name="Library", exact=True).click()
    page.wait_for_url("**/library")
    page.locator("main input[type=search]").press_sequentially("song 7")
    page.wait_for_url("**/library?*search=song+7*")
    address = page.url

    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("html[lang=zh]")

    assert page.url == address
    page.get_by_role("link", name="English").click()
    page.wait_for_selector("html[lang=en]")
    assert page.url == address


def test_an_element_that_is_stopped_while_its_module_is_loaded_is_started_once(page: "Page") -> None:
    page.goto("/help")
    clicks = page.evaluate(
        """async () => {
            const {startBehaviours, stopBehaviours} = await import('/static/js/behaviours.js');
            document.querySelector('main').insertAdjacentHTML('beforeend',
                '<div id="made"><button data-action="play"></button></div>'
                + '<button id="all" data-behaviour="play_all" data-list="made"></button>');
            let clicks = 0;
            document.querySelector('#made button').addEventListener('click', () => { clicks += 1; });
            const all = document.getElementById('all');
            const first = startBehaviours(all);
            stopBehaviours(all);
            await Promise.all([first, startBehaviours(all)]);
            all.click();
            return clicks;
        }"""
    )
    assert clicks == 1


def test_a_waveform_that_has_left_its_page_plays_nothing(page: "Page") -> None:
    page.goto("/trial")
    page.locator(".waveform").first.wait_for()
    page.evaluate(
        """async () => {
            const {stopBehaviours} = await import('/static/js/behaviours.js');
            const holder = document.querySelector('.waveform');
            stopBehaviours(holder);
            holder.click();
        }"""
    )
    assert page.locator("#player").is_hidden()
