// @ts-check
// Keys that play from everywhere on a page, but not while the listener types.
import { visit } from "../navigation.js";
import { usesSingleKeys } from "./memory.js";

const STEP_SECONDS = 5;
const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
const OWN_SPACE = "button, summary, input, [role=button]";
const OWN_ARROWS = "[role=application], [role=listbox], [role=radiogroup], input[type=radio], .wide";

/** @param {import("./player.js").Player} player */
export function startKeyboard(player) {
  const actions = new Map(Object.entries({
    " ": { action: () => player.toggle(), except: OWN_SPACE, needsTrack: true },
    ArrowLeft: { action: () => player.seekBy(-STEP_SECONDS), except: OWN_ARROWS, needsTrack: true },
    ArrowRight: { action: () => player.seekBy(STEP_SECONDS), except: OWN_ARROWS, needsTrack: true },
    j: { action: () => player.next(), isSingle: true, needsTrack: true },
    k: { action: () => player.previous(), isSingle: true, needsTrack: true },
    "/": { action: search, isSingle: true },
    "?": { action: () => visit("/help"), isSingle: true },
  }));

  document.addEventListener("keydown", (event) => {
    const key = actions.get(event.key);
    const focused = event.target instanceof Element ? event.target : document.body;
    if (!key || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing
      || focused.closest(TYPED_INTO) || (key.except && focused.closest(key.except))
      || (key.needsTrack && !player.track) || (key.isSingle && !usesSingleKeys())) {
      return;
    }
    event.preventDefault();
    key.action();
  });
}

async function search() {
  const field = () => /** @type {HTMLElement | null} */ (document.querySelector("main input[type=search]"));
  if (!field()) {
    await visit("/library");
  }
  field()?.focus();
}
