"""Tests of places of which no sender has many."""

from mfcc_assets.web.security.places import Places


def test_a_sender_has_so_many_places_and_others_have_theirs() -> None:
    places = Places(5, 2)

    taken = [places.take(sender) is not None for sender in ("192.0.2.1",) * 3 + ("192.0.2.2",) * 3]
    assert taken == [True, True, False, True, True, False]


def test_there_are_only_so_many_places() -> None:
    places = Places(3, 2)

    taken = [places.take(f"192.0.2.{number}") is not None for number in range(4)]
    assert taken == [True, True, True, False]


def test_a_place_is_given_back_once() -> None:
    places = Places(2, 2)
    leave, _ = places.take("192.0.2.1"), places.take("192.0.2.1")
    assert leave is not None
    leave()
    leave()

    assert places.take("192.0.2.1") is not None
    assert places.take("192.0.2.1") is None
