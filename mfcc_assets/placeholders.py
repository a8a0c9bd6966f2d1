"""The words that programs write where the name of an artist, an album or a piece of music is not known."""

import re
from collections.abc import Iterable

from mfcc_assets.texts import folded

_NOT_KNOWN = {
    "abbreviations": "va, n a",
    "English": "unknown, various, untitled, unnamed, none, null, nil, tba, no artist, no album, no title, no name,"
    " not available, new artist, new album, multiple artists, several artists, assorted, mixed, misc, miscellaneous,"
    " undefined, tbd",
    "German": "unbekannt, unbekannter, unbekanntes, unbekannte, verschiedene, diverse, ohne titel",
    "French": "inconnu, inconnue, inconnus, divers, diverses, artistes variés, multi-interprètes, sans titre",
    "Spanish": "desconocido, desconocida, desconocidos, varios, varias, sin título, sin nombre",
    "Italian": "sconosciuto, sconosciuta, sconosciuti, vari, varie, senza titolo",
    "Portuguese": "desconhecido, desconhecida, vários, várias, artistas diversos, intérpretes diversos, sem título",
    "Dutch": "onbekend, onbekende, verschillende, zonder titel",
    "Danish, Norwegian and Swedish": "ukendt, ukjent, ukjente, okänd, okänt, okända, blandade, ymse, uden titel,"
    " uten tittel, utan titel",
    "Finnish": "tuntematon, eri esittäjiä, useita esittäjiä, nimetön",
    "Icelandic": "óþekktur, óþekkt, ýmsir, ýmsir flytjendur",
    "Polish": "nieznany, nieznana, nieznani, różni, bez tytułu",
    "Czech and Slovak": "neznámý, neznámá, neznámé, neznámy, neznáme, různí, rôzni, bez názvu",
    "Hungarian": "ismeretlen, különböző, válogatás, cím nélkül",
    "Romanian": "necunoscut, diverși, diferiți, fără titlu",
    "Croatian and Serbian": "nepoznat, nepoznati, razni, različiti, непознат, разни",
    "Slovenian": "neznan, neznani, različni",
    "Turkish": "bilinmeyen, bilinmiyor, çeşitli, isimsiz, karışık",
    "Russian": "неизвестный, неизвестная, неизвестные, неизвестен, неизвестно, разные, различные, сборник,"
    " без названия",
    "Ukrainian": "невідомий, невідома, невідомі, різні, збірка, без назви",
    "Bulgarian": "неизвестно, разни, различни, без заглавие",
    "Greek": "άγνωστος, άγνωστο, άγνωστοι, διάφοροι, διάφορα, χωρίς τίτλο",
    "Vietnamese": "không rõ, không biết, không xác định, nhiều nghệ sĩ, nhiều ca sĩ, chưa biết",
    "Indonesian": "tidak diketahui, tak dikenal, tidak dikenal, berbagai, beragam, tanpa judul",
    "Hebrew": "לא ידוע, לא ידועים, לא מוכר, אלמוני, שונים, ללא שם, ללא כותרת",
    "Arabic": "غير معروف, غير معروفة, مجهول, مجهولة, متنوع, متنوعة, متنوعون, متنوعين, مختلف, مختلفون, مختلفين,"
    " منوعات, عدة فنانين, بدون عنوان",
    "Persian": "ناشناس, نامشخص, هنرمندان مختلف, هنرمندان گوناگون",
    "Hindi": "अज्ञात, विभिन्न, अनाम",
    "Korean": "알 수 없는, 알 수 없음, 알수없는, 알수없음, 미상, 여러, 다양한, 제목 없음",
}
"""Words that say alone, or with the words below, that there is no name."""

_NOBODY = frozenset({"anonymous", "anon", "anonym", "anonyme", "anónimo", "anonimo", "anônimo", "traditional", "trad"})
"""Words that stand for nobody alone. With a number or another word they may be a name, such as "Anonymous 4"."""

_NAMED_THINGS = {
    "English": "artist, artists, album, title, track, song, performer, performers, composer, composers, singer,"
    " compilation, compilations, collection, am, pm, topic",
    "German": "interpret, interpreten, künstler, künstlern, titel, komponist, komponisten",
    "French": "artiste, artistes, interprète, interprètes, titre, piste, compositeur, chanteur",
    "Spanish, Italian and Portuguese": "artista, artistas, artisti, intérprete, intérpretes, interprete, interpreti,"
    " autor, autores, autori, álbum, título, titolo, pista, canción, cantante, faixa, traccia, brano",
    "Dutch": "artiest, artiesten, uitvoerder, uitvoerende, nummer",
    "Danish, Norwegian and Swedish": "artister, kunstner, kunstnere, kunstnerer, tittel, spår, spor, låt",
    "Finnish": "esittäjä, esittäjiä, artisti, artisteja, albumi, kappale, raita",
    "Icelandic": "flytjandi, flytjendur, plata, lag",
    "Polish": "wykonawca, wykonawcy, artysta, artyści, tytuł, utwór",
    "Czech and Slovak": "umělec, umělci, umelec, umelci, skladba, název, stopa",
    "Hungarian": "előadó, előadók, cím, szám",
    "Romanian": "artiști, titlu, piesă",
    "Croatian, Serbian and Slovenian": "izvođač, izvođači, umjetnik, izvajalec, izvajalci, извођач, извођачи",
    "Turkish": "sanatçı, sanatçılar, albüm, başlık, parça, şarkı",
    "Russian": "исполнитель, исполнители, артист, артисты, альбом, название, трек, дорожка, композиция",
    "Ukrainian": "виконавець, виконавці, пісня, назва",
    "Bulgarian": "изпълнител, изпълнители, албум",
    "Greek": "καλλιτέχνης, καλλιτέχνες, εκτελεστής, άλμπουμ, τίτλος, κομμάτι",
    "Vietnamese": "nghệ sĩ, ca sĩ, tên, bài hát",
    "Indonesian": "artis, penyanyi, judul, lagu",
    "Hebrew": "אמן, אומן, אמנים, אומנים, מבצע, מבצעים, אלבום, שיר, רצועה, כותרת",
    "Arabic": "فنان, الفنان, فنانون, فنانين, مطرب, مطربون, مغني, ألبوم, البوم, عنوان, مسار, أغنية",
    "Persian": "هنرمند, هنرمندان, خواننده, آلبوم, آهنگ",
    "Hindi": "कलाकार, एल्बम, शीर्षक",
    "Korean": "아티스트, 가수, 앨범, 제목, 트랙, 곡",
}
"""What programs name."""

# These languages write no spaces between words.
_NOT_KNOWN_UNSPACED = {
    "Chinese": "未知, 不明, 不詳, 不详, 佚名, 群星, 合辑, 合輯, 各种, 各種, 各位, 多位, 多个, 多個, 众多, 眾多",
    "Chinese titles": "无标题, 無標題, 無題, 无题",
    "Japanese": "名称未設定, ヴァリアス, バリアス, オムニバス, アーティスト情報なし, 情報なし, さまざま, 様々",
    "Thai": "ไม่ทราบชื่อ, ไม่ทราบ, ไม่รู้จัก, ไม่มีชื่อ, ไม่ระบุ, ศิลปินต่างๆ, ศิลปินหลายคน, หลายศิลปิน, รวมศิลปิน",
}
_NAMED_THINGS_UNSPACED = {
    "Chinese": "艺术家, 藝術家, 艺人, 藝人, 歌手, 演出者, 表演者, 作者, 专辑, 專輯, 标题, 標題, 曲目, 音轨, 音軌, 的",
    "Japanese": "アーティスト, アーチスト, アルバム, タイトル, トラック, 曲名, な, の",
    "Thai": "ศิลปิน, อัลบั้ม, เพลง, ชื่อ, ที่",
}

_NUMBERED = (
    "track, title, titel, spur, piste, titre, pista, traccia, faixa, spår, låt, lag, spor, raita, kappale, utwór,"
    "ścieżka, stopa, skladba, szám, parça, дорожка, трек, κομμάτι, トラック, 曲目, 音轨, 音軌, 트랙, แทร็ก, רצועה, مسار,"
    "recording, new recording, voice memo, aufnahme, neue aufnahme, sprachmemo, enregistrement, grabación"
)
"""What programs number where there is no name."""


_NO_ARTIST = re.compile(
    r"\[(?:data|dialogue|speech|language instruction|nature sounds|christmas music|church chimes|theatre|disney)\]"
)
"""What stands in MusicBrainz for an artist where there is none."""


def _choice(lists: Iterable[str], pattern: str) -> re.Pattern[str]:
    words = {_spaced(word) for each in lists for word in each.split(",")}
    return re.compile(pattern.format("|".join(map(re.escape, sorted(words, key=len, reverse=True)))))


def _spaced(name: str) -> str:
    """Return a name without case and punctuation, and with the abbreviations of "various artists" as one word."""
    key = _VARIOUS_ARTISTS.sub("va", folded(name))
    return " ".join(_PUNCTUATION.sub(" ", key).split())


_VARIOUS_ARTISTS = re.compile(r"\b(?:v[./]? ?a|vv[./]? ?aa|aa[./]? ?vv)\b")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~¡-¿×÷‐-⁞、-】〔-〟・]")
_NO_LETTERS = re.compile(r"[?._*\s‐-―…-]*")

_WORDS_FOR_NO_NAME = (
    _choice(_NOT_KNOWN.values(), r"(?<!\w)(?:{})(?!\w)"),
    _choice(_NOT_KNOWN_UNSPACED.values(), "{}"),
)
_WORDS_FOR_THINGS = (
    _choice(_NAMED_THINGS.values(), r"(?<!\w)(?:{}|[0-9]+)(?!\w)"),
    _choice(_NAMED_THINGS_UNSPACED.values(), "{}"),
)
_NUMBERED_THING = _choice(
    [_NUMBERED],
    r"(?:[0-9]+ )?(?:audio ?)?(?:{0})(?: n[or])? ?[0-9]+(?: (?:of|von|sur|de|di) [0-9]+)?"
    r"(?: (?:mp3|flac|m4a|ogg|wav|wma))?"
    r"|0[0-9]* ?(?:{0})|第 ?[0-9]+ ?[曲首轨軌]|0[1-9]",
)


def stands_for_no_name(text: str) -> bool:
    """Return True if a text consists of words for "unknown", "various" and the like, and of what is unknown.

    Case, punctuation, brackets and numbers at the end play no part. Numbered tracks, such as "Track 01", have no name
    either.

    Examples
    --------
    >>> [stands_for_no_name(text) for text in ("VA - Various Artists", "Unknown Album (2)", "Piste 3", "Unknown T")]
    [True, True, True, False]
    """
    key = folded(text)
    if _NO_LETTERS.fullmatch(key) or _NO_ARTIST.fullmatch(key):
        return True
    rest = _spaced(text)
    if rest in _NOBODY or _NUMBERED_THING.fullmatch(rest):
        return True
    said = 0
    for words in _WORDS_FOR_NO_NAME:
        rest, count = words.subn(" ", rest)
        said += count
    for words in _WORDS_FOR_THINGS:
        rest = words.sub(" ", rest)
    return said > 0 and not rest.strip()
