// @ts-check
// The radio: tracks that sound like one, without an end.
import { notify } from "../notice.js";
import { text } from "../texts.js";

/**
 * Asks for the next tracks of a radio.
 * @param {string} address
 * @returns {Promise<{tracks: import("./queue.js").Track[], next: string}>}
 */
export async function tune(address) {
  try {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    if (!response.ok) {
      throw new Error(String(response.status));
    }
    const { tracks, next } = await response.json();
    if (!tracks.length) {
      notify(text("radio_ended"));
    }
    return { tracks, next: next ?? "" };
  } catch {
    notify(text("radio_failed"));
    return { tracks: [], next: "" };
  }
}
