"""Tests of the calls about the server and the caller."""

from mfcc_assets_tests.web.subsonic.players import NAME, Player, xml_of


def test_the_server_says_what_it_is(player: Player) -> None:
    answer = player.call("ping")
    assert (answer["status"], answer["type"], answer["openSubsonic"]) == ("ok", "mfcc", True)
    assert player.call("getLicense")["license"] == {"valid": True}


def test_the_extensions_are_those_that_work(player: Player) -> None:
    named = {
        each["name"]: each["versions"] for each in player.call("getOpenSubsonicExtensions")["openSubsonicExtensions"]
    }
    assert named == {"apiKeyAuthentication": [1], "formPost": [1], "sonicSimilarity": [1]}
    (first, *_) = xml_of(player.get("getOpenSubsonicExtensions"))
    assert [(child.tag, child.text) for child in first] == [("versions", "1")]


def test_a_key_tells_of_its_own_user_only(player: Player) -> None:
    assert player.call("tokenInfo")["tokenInfo"] == {"username": NAME}
    user = player.call("getUser", username=NAME)["user"]
    assert (user["streamRole"], user["downloadRole"], user["adminRole"], user["folder"]) == (True, True, False, [1])
    assert player.code("getUser", username="bo") == 50
    assert player.code("getUser") == 10


def test_the_state_of_the_library_is_told(player: Player, shelves: Player) -> None:
    assert player.call("getScanStatus")["scanStatus"]["count"] in (6, 16)
    assert shelves.call("getScanStatus")["scanStatus"]["scanning"] is True
