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
  startSession(player);
  startKeyboard(player);
  startActions(player, new Stretches(section, player));
  player.restore();
}
