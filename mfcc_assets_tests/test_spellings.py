"""Which names are spellings of one artist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.credits import ArtistNames, Credits
from mfcc_assets.spellings import one_artist


def artists(*texts: str) -> int:
    """Return the number of artists that credits name."""
    given_credits = [Credits(text) for text in texts]
    names = ArtistNames(given_credits)
    return len(set(one_artist(names.main(credit) for credit in given_credits).values()))


@pytest.mark.parametrize(
    "spellings",
    [
        ("Ozoneone", "Ozone One", "OzoneOne", "ozone-one", "Ozone_One"),
        ("AC/DC", "AC-DC", "ACDC", "Ac⚡Dc"),
        ("Björk", "Bjork", "BJÖRK", "Bjo\u0308rk"),
        ("Mø", "MO"),
        ("M.I.A.", "MIA", "M. I. A."),
        ("Christian Hoffmann (Crystan)", "Christian Hoffmann", "Christian  Hoffmann [Crystan]"),
        ("Christian Hoffmann (Crystan)", "Crystan"),
        ("Christian Hoffmann (Crystan)", "Crystan (Christian Hoffmann)", "Christian Hoffmann aka Crystan"),
        ("Keith Baylis aka Vim", "Vim"),
        ("Keith Baylis aka Vim", "Keith Baylis (a.k.a. Vim)", "Keith Baylis, AKA Vim", "Keith Baylis"),
        ("Manuel 'Vanethian' Marino", "Manuel Marino", 'Manuel "Vanethian" Marino', "Manuel Vanethian Marino"),
        ('Derek "JoJo" Stegall', "Derek “JoJo” Stegall"),
        ("Gerd (elysis) Raudenbusch", "Elysis"),
        ("Gerd (elysis) Raudenbusch", "Gerd Raudenbusch"),
        ("Krobonil & OzoneOne", "Ozoneone and Krobonil", "Ozoneone, Krobonil"),
        ("Krobonil & OzoneOne", "Ozoneone & Krobonil", "Ozoneone"),
        ("Bach, Johann Sebastian", "Johann Sebastian Bach"),
        ("The Kentas", "Kentas, The"),
    ],
)
def test_spellings_of_one_artist_are_one_artist(spellings: tuple[str, ...]) -> None:
    assert artists(*spellings) == 1
    assert artists(*reversed(spellings)) == 1
    assert artists(*spellings, "Somebody Else") == 2


@pytest.mark.parametrize(
    "names",
    [
        ("Bush (UK)", "Bush (Canada)", "Bush"),
        ("David (ufoai)", "Simon (ufoai)"),
        ("がくと", "かくと"),
        ("Earth, Wind & Fire", "Fire"),
        ("Simon & Garfunkel", "Simon & Schuster"),
        ("Alias", "Anna"),
        ("'68", "68' Band"),
        ("Rock 'n' Roll Kids", "Rock Roll"),
    ],
)
def test_different_artists_stay_different(names: tuple[str, ...]) -> None:
    assert artists(*names) == len(names)


@given(st.lists(st.text("aä ()'\"&,/.b", max_size=12)))
def test_every_name_has_an_artist_who_is_one_of_the_names_whatever_their_order(names: list[str]) -> None:
    found = one_artist(names)

    assert found.keys() == set(names)
    assert {found[artist] for artist in found.values()} == set(found.values()) <= set(names)
    assert one_artist(sorted(names)) == found
