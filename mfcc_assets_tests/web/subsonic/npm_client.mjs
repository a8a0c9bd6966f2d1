// Calls a server by npm's subsonic-api, and prints what it got. Its arguments are the library's path, the address of
// the server, and a name with a key.
const [library, url, username, password] = process.argv.slice(2);
const { SubsonicAPI } = await import(library);

const found = {};
for (const [way, options] of Object.entries({
  token: { auth: { username, password } },
  form: { auth: { username, password }, post: true },
  key: { auth: { apiKey: password } },
})) {
  const api = new SubsonicAPI({ url, ...options });
  const { searchResult3 } = await api.search3({ query: "", songCount: 3 });
  const [first, last] = [searchResult3.song[0].id, searchResult3.song[2].id];
  const near = await api.customJSON("getSonicSimilarTracks", { id: first, count: 2 });
  const path = await api.customJSON("findSonicPath", { startSongId: first, endSongId: last, count: 4 });
  const audio = await api.stream({ id: first });
  found[way] = {
    ping: (await api.ping()).status,
    extensions: (await api.getOpenSubsonicExtensions()).openSubsonicExtensions.map((each) => each.name),
    albums: (await api.getAlbumList2({ type: "newest" })).albumList2.album.length,
    similar: (await api.getSimilarSongs2({ id: searchResult3.song[0].artistId, count: 3 })).similarSongs2.song.length,
    near: near.sonicMatch.length,
    ends: [path.sonicMatch[0].entry.id === first, path.sonicMatch.at(-1).entry.id === last],
    bytes: (await audio.arrayBuffer()).byteLength,
  };
}
const wrong = new SubsonicAPI({ url, auth: { username, password: "wrong" } });
found.wrong = (await wrong.ping().catch((error) => error)).error?.code ?? "no code";
console.log(JSON.stringify(found));
