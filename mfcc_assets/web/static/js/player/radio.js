// @ts-check
// The radio: tracks that sound like one, without an end.
import { notify } from "../notice.js";
import { text } from "../texts.js";

/**
 * Asks for the next tracks of a radio.
 * @param {string} address
 * @param {string[]} played ids of the tracks that it has played, which it does not play again
 * @returns {Promise<{tracks: import("./queue.js").Track[], next: string} | null>} null if it cannot be reached now
 */
export async function tune(address, played = []) {
  const asked = new URL(address, location.href);
  if (played.length) {
    // The server says how many it reads.
    asked.searchParams.set("after", played.slice(-Number(document.body.dataset.mostPlayed)).join(","));
  }
  try {
    const response = await fetch(asked, { headers: { Accept: "application/json" } });
    if (!response.ok) {
      throw new Error(String(response.status));
    }
    const { tracks, next } = await response.json();
    if (!tracks.length) {
      notify(text("radio_ended"));
    }
    return { tracks, next: next ?? address };
  } catch {
    return null;
  }
}
