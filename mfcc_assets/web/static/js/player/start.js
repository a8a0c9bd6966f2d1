// @ts-check
// Puts the parts of the player together. There is one player for as long as the document lives.
import { startActions } from "./actions.js";
import { startBar } from "./bar.js";
import { startKeyboard } from "./keyboard.js";
import { Player } from "./player.js";
import { startSession } from "./session.js";
import { Stretches } from "./stretches.js";

const section = /** @type {HTMLElement} */ (document.getElementById("player"));

export const player = new Player(section);

export function startPlayer() {
  startBar(section, player);
  const stretches = new Stretches(section, player);
  startSession(player, stretches);
  startKeyboard(player, stretches);
  startActions(player, stretches);
  if (!emptyAtLogIn()) {
    player.restore();
  }
}

/**
 * Empties the player on the page of the log-in, and returns whether this is that page. Nobody is logged in, so nothing
 * could be played, and the next listener need not see what the last one heard.
 */
export function emptyAtLogIn() {
  const isLogIn = document.querySelector("form.login") !== null;
  if (isLogIn) {
    player.clear();
  }
  return isLogIn;
}
