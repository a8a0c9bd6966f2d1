"""Who is one artist, and what is one album."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.credits import ArtistNames, Credits, albums_of, compared_name, is_placeholder, named


def names_of(track: Credits, *others: str) -> tuple[str, ...]:
    return ArtistNames([track, *map(Credits, others)]).of(track)


def is_same_album(one: Credits, other: Credits) -> bool:
    names = ArtistNames([one, other])
    return bool(set(albums_of(one, names.of(one))) & set(albums_of(other, names.of(other))))


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "Unknown Artist",
        "unknown",
        "<unknown>",
        "[unknown]",
        "[data]",
        "[Dialogue]",
        "(Unknown)",
        "Various Artists",
        "VARIOUS",
        "VA",
        "V.A.",
        "No Artist",
        "N/A",
        "Unknown Album",
        "Untitled",
        "Track 01",
        "track01",
        "Track_1",
        "Audio Track 12",
        "Spur 3",
        "Piste 04",
        "Verschiedene Interpreten",
        "Unbekannter Ku\u0308nstler",
        "Artistes divers",
        "Artistas varios",
        "Artisti vari",
        "群星",
        "Разные исполнители",
        "ＶＡＲＩＯＵＳ　ＡＲＴＩＳＴＳ",
        "トラック 1",
        *("V.A", "V/A", "V. A.", "VV.AA.", "VVAA", "AA.VV.", "VA - Various Artists", "Various Artists - Compilation"),
        *("Unknown Artist (1)", "Unknown Artists", "Unknown Album (2/13/2008 8:37:01 PM)", "[Unknown Artist] 2", "???"),
        *("Неизвестный", "Разные", "Různí", "Neznámý", "Ukjent", "Nieznany", "Bilinmiyor", "Không rõ", "ไม่ทราบ"),
        *("Intérprete desconocido", "Interpreti vari", "Okända artister", "Nepoznat izvođač", "Ismeretlen album 3"),
        *(
            "各种艺术家",
            "アーティスト情報なし",
            "不明なアーティスト",
            "未知 艺术家",
            "알 수 없는 아티스트",
            "ศิลปินไม่ทราบชื่อ",
        ),
        *("אמן לא ידוע", "אמנים שונים", "فنان غير معروف", "فنانون متنوعون", "άγνωστος καλλιτέχνης"),
        *(
            "01",
            "01 Track",
            "Untitled Track 3",
            "Kappale 1",
            "Lag 1",
            "第1曲",
            "Piste 3",
            "Titel 4",
            "Pista 2",
            "Faixa 5",
        ),
        *("Track No. 1", "Track No01", "Track #7", "01 - Track 1", "track 1 of 12", "Track 01.mp3", "New Recording 12"),
        *("Anonymous", "[anonymous]", "[traditional]", "Trad.", "Anonyme", "undefined", "Assorted Artists", "Misc"),
        *("Multi-interprètes", "Različni izvajalci", "ศิลปินที่ไม่รู้จัก", "Various Artists - Topic"),
    ],
)
def test_a_placeholder_is_no_name(name: str) -> None:
    assert is_placeholder(name)
    assert compared_name(name) == ""
    assert named(name, "Anna") == "Anna"
    assert names_of(Credits(name)) == ()
    assert albums_of(Credits("Anna", album=name), ["anna"]) == ()


@pytest.mark.parametrize(
    "name",
    [
        *("Abba", "Unknown Mortal Orchestra", "Various Cruelties", "Various Production", "Track Dogs", "VAST", "Title"),
        *("808 State", "1989", "25", "311", "007", "The The", "The Artist", "Song 2", "+/-", "!!!", "Na", "Vaa", "Ava"),
        *(
            "Ukjent Konsonant",
            "群青",
            "未知との遭遇",
            "Compilation",
            "Artist",
            "Album 1",
            "8-Track",
            "Divers Down",
            "Nada",
        ),
        *("Anonymous 4", "Mixed Emotions", "Trad Gras och Stenar", "Topic", "Recording", "1 Giant Leap"),
    ],
)
def test_a_name_that_resembles_a_placeholder_is_a_name(name: str) -> None:
    assert not is_placeholder(name)


@pytest.mark.parametrize(
    "spelled",
    ["The Beatles", "beatles", "BEATLES", "Beatles, The", " The  Beatles ", "Ｔｈｅ Ｂｅａｔｌｅｓ"],
)
def test_one_artist_is_spelled_in_many_ways(spelled: str) -> None:
    assert compared_name(spelled) == "beatles"


@pytest.mark.parametrize(
    "track",
    [
        Credits("Muldjord"),
        Credits("Muldjord, Guest One", ("Muldjord", "Guest One")),
        Credits("Muldjord feat. Guest Two"),
        Credits("MULDJORD ft Guest"),
        Credits("Muldjord (featuring Guest)"),
        Credits("Muldjord [Feat. Guest & Other]"),
        Credits("Muldjord with Guest"),
        Credits("Muldjord; Guest"),
        Credits("Muldjord & Guest"),
        Credits("Guest & Muldjord"),
        Credits("Muldjord, Guest and Other"),
        Credits("Muldjord x Guest"),
        Credits("Muldjord vs. Guest"),
        Credits("Muldjord/Guest"),
        *(Credits(f"Muldjord{joint}Guest") for joint in ("＆", "・", " | ", "｜", "\\", " \\\\ ", " · ", "／")),
        *(Credits(f"Muldjord {word} Guest") for word in ("presents", "pres.", "und", "et", "y", "e", "mit", "avec")),
        *(
            Credits(f"Muldjord {word} Guest")
            for word in ("con", "CON", "vs", "og", "ft.", "meets", "b2b", "a.k.a.", "✕")
        ),
        *(Credits(f"Muldjord{added}") for added in (" (prod. by Guest)", " prod. Guest", "، Guest", " - Topic")),
        *(Credits(name) for name in ("\ufeffMuldjord", "Muldjord\u200b", "Muldjord \u200efeat. Guest")),
        *(Credits(f"Muldjord {word} Guest") for word in ("ve", "ja", "és", "și", "a", "και", "та", "và", "•", "と")),
        *(Credits(f"Muldjord{guests}Guest") for guests in (" - feat. ", " ft: ", ", feat. ", "〜feat. ", " f/ ")),
        *(Credits(f"Muldjord {word} Guest") for word in ("along with", "starring", "(part.", "при участии", "w/")),
        Credits("", (), album_artist="Muldjord"),
        Credits("Unknown Artist", (), album_artist="Muldjord"),
        Credits("", ("Muldjord feat. Guest",)),
    ],
)
def test_a_track_counts_for_each_of_its_main_artists(track: Credits) -> None:
    assert "muldjord" in names_of(track, "Muldjord")


@pytest.mark.parametrize("track", [Credits("Anna feat. Muldjord"), Credits("Anna (with Muldjord)")])
def test_a_track_does_not_count_for_its_guests(track: Credits) -> None:
    assert "muldjord" not in names_of(track, "Muldjord")


@pytest.mark.parametrize(
    "band",
    [
        "Simon & Garfunkel",
        "Earth, Wind & Fire",
        "Florence and the Machine",
        "AC/DC",
        "Tyler, The Creator",
        "Dances With Wolves",
        "10,000 Maniacs",
        "Crosby, Stills, Nash & Young",
        "Malcolm X",
        "Chew Lips x",
        "Nick Cave and the Bad Seeds",
        "+/-",
        "Y la Bamba e i Fratelli",
        "Simon und Jan",
        "Ibeyi・Sisters",
    ],
)
def test_a_band_counts_as_a_whole_and_shares_no_part_with_other_bands(band: str) -> None:
    strangers = ("Simon & Schuster", "Wind & Sea", "The Machine and Florence Foster", "AC, MC", "Tyler, Texas")
    whole = compared_name(band)
    assert whole in names_of(Credits(band), *strangers)
    assert whole == names_of(Credits(band))[-1]
    others = ArtistNames(map(Credits, (band, *strangers)))
    for stranger in strangers:
        assert not set(others.of(Credits(band))) & set(others.of(Credits(stranger)))


def test_a_band_whose_name_has_a_joint_is_found_before_another_joint() -> None:
    assert "earth, wind and fire" in names_of(Credits("Earth, Wind & Fire und Anna"), "Earth, Wind & Fire")
    assert "earth, wind and fire" in names_of(Credits("Earth, Wind & Fire presents Bo"), "Earth, Wind & Fire")


def test_the_first_artist_is_the_whole_band_unless_its_first_member_is_known() -> None:
    names = ArtistNames(map(Credits, ("Earth, Wind & Fire", "Fire", "Anna & Bo", "Anna")))
    assert names.main(Credits("Earth, Wind & Fire")) == "earth, wind and fire"
    assert names.main(Credits("Anna & Bo")) == "anna"
    assert names.main(Credits("Unknown Artist")) == ""


name_texts = st.text("abcd &,/x.;()[]ＦＥfeatwith", max_size=30) | st.text(max_size=30)


@given(st.lists(name_texts, max_size=5), st.lists(name_texts, max_size=3))
def test_every_name_of_any_credit_is_compared_with_itself(artists: list[str], values: list[str]) -> None:
    tracks = [
        *(Credits(artist) for artist in artists),
        Credits(", ".join(values), tuple(values), "Album", "", "x/y.mp3"),
    ]
    names = ArtistNames(tracks)
    for track in tracks:
        found = names.of(track)
        assert len(set(found)) == len(found)
        assert all(found), "no name is empty"
        assert names.main(track) == (found[0] if found else "")
        assert is_same_album(track, track) == bool(albums_of(track, found))


@given(
    st.text("abcdef", min_size=1, max_size=8),
    st.sampled_from(["feat.", "ft.", "featuring", "with"]),
    st.text("gh", min_size=1),
)
def test_guests_never_hide_the_artist(artist: str, word: str, guest: str) -> None:
    solo, together = Credits(artist), Credits(f"{artist} {word} {guest}")
    assert names_of(solo)[:1] == names_of(together)[:1]


def track(artist: str, album: str, blob_name: str = "a.mp3", album_artist: str = "") -> Credits:
    return Credits(artist, (), album, album_artist, blob_name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (track("Anna", "Sea", "1.mp3"), track("ANNA feat. Bo", "sea", "2.mp3")),
        (track("Anna", "Now 50", "Now/1.mp3"), track("Bo", "Now 50", "Now/2.mp3")),
        (track("Anna", "Now 50", "1.mp3"), track("Bo", "NOW 50", "2.mp3")),
        (
            track("Anna", "Now 50", "Now/1.mp3", "Various Artists"),
            track("Bo", "Now 50", "Now/2.mp3", "Various Artists"),
        ),
        (track("Anna", "Duets", "x/1.mp3", "Cy"), track("Bo", "Duets", "y/2.mp3", "CY")),
        (track("Anna", "Box", "Box/CD1/1.mp3"), track("Bo", "Box", "Box/CD2/1.mp3")),
        (track("Anna", "Box", "Box (Disc 1)/1.mp3"), track("Bo", "Box", "Box (Disc 2)/1.mp3")),
        (track("Anna", "The Wall (Disc 1)", "1/1.mp3"), track("Anna", "The Wall [CD 2]", "2/1.mp3")),
        (track("Anna", "Box", "Box/Disc 1 - Early/1.mp3", "Anna"), track("Anna", "Box", "Box/disk 02/1.mp3", "Anna")),
        (track("Anna", "Sea", "a/1.mp3"), track("Anna", "Sea", "b/2.mp3", "Anna")),
    ],
)
def test_one_album(one: Credits, other: Credits) -> None:
    assert is_same_album(one, other)
    assert is_same_album(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (track("Anna", "Greatest Hits", "1.mp3"), track("Bo", "Greatest Hits", "2.mp3")),
        (track("Anna", "Greatest Hits", "music/1.mp3"), track("Bo", "Greatest Hits", "music/2.mp3")),
        (track("Anna", "Best Of (Remastered)", "1.mp3"), track("Bo", "Best of (Remastered)", "2.mp3")),
        (track("Anna", "Greatest Hits, Vol. 2", "1.mp3"), track("Bo", "Greatest Hits, Vol. 2", "2.mp3")),
        (track("Anna", "Sea", "Anna/1.mp3"), track("Bo", "Sea", "Bo/2.mp3")),
        (track("Anna", "Sea", "x/1.mp3", "Anna"), track("Bo", "Sea", "x/2.mp3", "Bo")),
        (track("Anna", "Unknown Album", "x/1.mp3"), track("Anna", "Unknown Album", "x/2.mp3")),
        (track("Anna", "", "x/1.mp3"), track("Anna", "", "x/2.mp3")),
        (track("Anna", "Sea 1", "x/1.mp3"), track("Anna", "Sea 2", "x/2.mp3")),
    ],
)
def test_different_albums(one: Credits, other: Credits) -> None:
    assert not is_same_album(one, other)


def test_a_placeholder_in_the_list_of_one_track_is_no_artist_of_another() -> None:
    listed, joined, solo = Credits("Unknown Artist; Bo"), Credits("Unknown Artist & Anna & Cy"), Credits("Anna")
    names = ArtistNames([joined, solo])
    assert ArtistNames([listed, joined, solo]).of(joined) == names.of(joined)
    assert names.main(joined) == "unknown artist and anna and cy"
