"""Tests of forms in a browser that finds the site by a name of the network, on plain HTTP."""

from typing import TYPE_CHECKING

import pytest

from mfcc_assets.library import Library
from mfcc_assets.web.app import create_app
from mfcc_assets_tests.services.browser import NAMED_HOST, Troubles, fresh_page
from mfcc_assets_tests.web.browser.trial_site import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(
    browser: "Browser", ten_tracks: Library, troubles: Troubles, request: pytest.FixtureRequest
) -> "Iterator[Page]":
    troubles.expect("Cross-Origin-Opener-Policy header has been ignored")
    settings = ten_tracks.settings.model_copy(update={"web_trusted_hosts": NAMED_HOST})
    with Library(settings) as library, serving(create_app(library)) as address:
        named = address.replace("127.0.0.1", NAMED_HOST)
        with fresh_page(browser, named, troubles, java_script_enabled=request.param) as page:
            yield page


def test_a_form_is_taken_under_a_name_of_the_network(page: "Page", ten_tracks: Library) -> None:
    page.goto("/")
    page.get_by_role("button", name="Palace").click()
    page.wait_for_url("**/uploads/*")

    (blob,) = ten_tracks.blobs.list("uploads")
    assert blob.name.endswith("/Will_Savino_Palace.ogg")
