// @ts-check
// Puts the parts of the player together. There is one player for as long as the document lives.
import { startActions } from "./actions.js";
import { startBar } from "./bar.js";
import { startKeyboard } from "./keyboard.js";
import { forgetState } from "./memory.js";
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
  if (document.querySelector("form.login")) {
    // Nobody is logged in, so nothing could be played, and the next listener need not see what the last one heard.
    forgetState();
  } else {
    player.restore();
  }
}
