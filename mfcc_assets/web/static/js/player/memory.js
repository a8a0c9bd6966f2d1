// @ts-check
// What the player remembers while the document is loaded anew, and what the listener has chosen in this browser.

const STATE = "player";
const VOLUME = "volume";
const SINGLE_KEYS = "single-keys";

/** @returns {{tracks: object[], place: number, seconds: number, more: string} | null} */
export function rememberedState() {
  try {
    const state = JSON.parse(sessionStorage.getItem(STATE) ?? "null");
    return Array.isArray(state?.tracks) && state.tracks.length ? state : null;
  } catch {
    return null;
  }
}

/** @param {object} state */
export function rememberState(state) {
  attempt(() => sessionStorage.setItem(STATE, JSON.stringify(state)));
}

export function forgetState() {
  attempt(() => sessionStorage.removeItem(STATE));
}

export function rememberedVolume() {
  const volume = Number(attempt(() => localStorage.getItem(VOLUME)) ?? 1);
  return volume >= 0 && volume <= 1 ? volume : 1;
}

/** @param {number} volume */
export function rememberVolume(volume) {
  attempt(() => localStorage.setItem(VOLUME, String(volume)));
}

export function usesSingleKeys() {
  return attempt(() => localStorage.getItem(SINGLE_KEYS)) !== "off";
}

/** @param {boolean} used */
export function useSingleKeys(used) {
  attempt(() => localStorage.setItem(SINGLE_KEYS, used ? "on" : "off"));
}

/**
 * A browser may refuse to store anything. The player works without.
 * @template T @param {() => T} action
 */
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
