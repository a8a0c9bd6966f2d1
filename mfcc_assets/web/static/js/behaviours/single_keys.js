// @ts-check
// A checkbox with which a listener turns off the keys that are single letters, as those who speak to a computer need.
import { useSingleKeys, usesSingleKeys } from "../player/memory.js";

/** @param {HTMLInputElement} box */
export function start(box) {
  box.checked = usesSingleKeys();
  box.addEventListener("change", () => useSingleKeys(box.checked));
}
