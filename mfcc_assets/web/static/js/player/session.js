// @ts-check
// The Media Session of the browser: what plays on a lock screen, and the keys of a keyboard or headphones.

const SKIPPED_SECONDS = 10;

/** @param {import("./player.js").Player} player @param {import("./stretches.js").Stretches} stretches */
export function startSession(player, stretches) {
  const session = navigator.mediaSession;
  if (!session) {
    return;
  }
  const handlers = {
    play: () => player.play(),
    pause: () => (stretches.isPlaying ? stretches.end() : player.pause()),
    previoustrack: () => player.previous(),
    nexttrack: () => player.next(),
    seekbackward: (details) => player.seekBy(-(details.seekOffset ?? SKIPPED_SECONDS)),
    seekforward: (details) => player.seekBy(details.seekOffset ?? SKIPPED_SECONDS),
    seekto: (details) => player.seek(details.seekTime),
  };
  for (const [name, handler] of Object.entries(handlers)) {
    try {
      session.setActionHandler(/** @type {MediaSessionAction} */ (name), handler);
    } catch {
      // An older browser does not know this action.
    }
  }
  player.addEventListener("track", () => showTrack(session, player.track));
  const showState = () => {
    const isPlaying = player.isPlaying || stretches.isPlaying;
    session.playbackState = isPlaying ? "playing" : player.track ? "paused" : "none";
  };
  player.addEventListener("change", showState);
  document.addEventListener("stretches", showState);
  player.addEventListener("time", () => showPlace(session, player));
}

function showTrack(session, track) {
  session.metadata = track
    ? new MediaMetadata({
      title: track.title,
      artist: track.artist ?? "",
      artwork: track.artwork ? [{ src: new URL(track.artwork, location.href).href }] : [],
    })
    : null;
}

function showPlace(session, player) {
  if (player.length && session.setPositionState) {
    session.setPositionState({ duration: player.length, position: Math.min(player.seconds, player.length) });
  }
}
