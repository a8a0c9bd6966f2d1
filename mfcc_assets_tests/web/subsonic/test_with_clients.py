"""Clients that others wrote, against the running server: py-opensonic, npm's subsonic-api, and a browser."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from libopensonic import AsyncConnection
from libopensonic.errors import CredentialError, DataNotFoundError

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import copied_home
from mfcc_assets_tests.services.web import running_web
from mfcc_assets_tests.web.subsonic.players import NAME

NPM_PACKAGE = Path(sys.prefix) / "servers/node_modules/subsonic-api/lib/index.js"
WAYS: dict[str, dict[str, Any]] = {
    "token by form": {},
    "token by address": {"use_get": True, "use_views": False},
    "key as password": {"legacy_auth": True},
}


@dataclass(frozen=True)
class Served:
    """A running server with a key for it, and the file of its log."""

    address: str
    key: str
    log: Path
    audio: bytes

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


@pytest.fixture(scope="module")
def served(up_to_date_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("players")
    copied_home(up_to_date_home, folder / "home")
    with Library(Settings(home=folder / "home")) as library:
        key = make_key(library, NAME, is_operator=False)
        audio = library.blobs.read("soundtracks", "song-0.flac")
    with running_web(folder / "home", folder / "web.log") as address:
        yield Served(address, key, folder / "web.log", audio)


@asynccontextmanager
async def connected(served: Served, **options: Any) -> AsyncIterator[Any]:
    who = {} if "api_key" in options else {"username": NAME, "password": served.key}
    connection = AsyncConnection("http://127.0.0.1", port=served.port, **{**who, **options})
    try:
        yield connection
    finally:
        await connection.cleanup()


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
def test_py_opensonic_uses_the_library(served: Served, options: dict[str, Any]) -> None:
    async def play() -> None:
        async with connected(served, **options) as connection:
            await use(connection)

    asyncio.run(play())


def test_py_opensonic_uses_the_library_with_a_key_alone(served: Served) -> None:
    async def play() -> None:
        async with connected(served, api_key=served.key) as connection:
            await use(connection)
            assert (await connection.token_info()).username == NAME

    asyncio.run(play())


async def use(connection: Any) -> None:
    """Go through the calls that players make, and check what py-opensonic reads."""
    assert await connection.ping()
    assert {each.name for each in await connection.get_open_subsonic_extensions()} >= {"formPost", "sonicSimilarity"}
    assert (await connection.get_user(NAME)).stream_role
    assert (await connection.get_scan_status()).count == 10

    (index,) = (await connection.get_artists()).index
    artist = await connection.get_artist(index.artist[0].id)
    album = await connection.get_album(artist.album[0].id)
    songs = {song.title: song for song in album.song}
    assert set(songs) == {f"Song {number}" for number in range(10)}
    assert await connection.get_song(songs["Song 0"].id) == songs["Song 0"]
    assert len(await connection.get_album_list2("newest")) == len(await connection.get_album_list("random")) == 1
    assert len((await connection.search3("", song_count=4, song_offset=8)).song) == 2
    assert [song.title for song in (await connection.search2("song 7")).song] == ["Song 7"]
    assert len(await connection.get_random_songs(size=3)) == 3
    assert await connection.get_genres() == []
    assert (await connection.get_indexes()).index[0].artist[0].name == "[Unknown Artist]"
    assert len((await connection.get_music_directory(album.id)).child) == 10

    start, end = songs["Song 0"].id, songs["Song 9"].id
    near = await connection.get_sonic_similar_tracks(start, count=3)
    assert len(near) == 3
    assert near[0].similarity >= near[-1].similarity > 0
    path = await connection.find_sonic_path(start, end, count=5)
    assert (path[0].entry.id, path[-1].entry.id, len(path)) == (start, end, 5)
    assert path[0].similarity == 1.0
    assert (
        len(await connection.get_similar_songs(start, count=4))
        == len(await connection.get_similar_songs2(artist.id, 4))
        == 4
    )

    assert await connection.get_playlists() == []
    assert (await connection.get_starred2()).song == []
    assert await connection.get_top_songs("x") == []
    assert await connection.scrobble(start)
    assert await connection.save_play_queue([start, end])
    with pytest.raises(DataNotFoundError):
        await connection.get_song("none")


def test_py_opensonic_is_told_of_a_wrong_key(served: Served) -> None:
    async def play() -> None:
        async with connected(served, password="wrong") as connection:
            with pytest.raises(CredentialError):
                await connection.get_artists()

    asyncio.run(play())


def test_npms_subsonic_api_uses_the_library(served: Served) -> None:
    script = Path(__file__).with_name("npm_client.mjs")
    command = ["node", str(script), str(NPM_PACKAGE), served.address, NAME, served.key]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    for way in ("token", "form", "key"):
        assert found[way] == {
            "ping": "ok",
            "extensions": ["apiKeyAuthentication", "formPost", "sonicSimilarity"],
            "albums": 1,
            "similar": 3,
            "near": 2,
            "ends": [True, True],
            "bytes": len(served.audio),
        }


def test_the_log_of_the_server_has_no_key(served: Served) -> None:
    for line in (
        f"GET /rest/ping?apiKey={served.key} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        f"GET /rest/ping?u=a b&p={served.key} HTTP/1.1\r\n\r\n",
        f"GET /rest/ping?p={served.key} HTTP/9\r\n\r\n",
        f"GET /rest/ping HTTP/1.1\r\nHost: localhost\r\nbad {served.key}: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as raw:
            raw.sendall(line.encode())
            assert raw.recv(12).startswith(b"HTTP/1.1")
    told = served.log.read_text()
    assert "Invalid" in told
    assert served.key not in told
