// @ts-check
// Keys that play from everywhere on a page, but not while the listener types.
import { visit } from "../navigation.js";
import { usesSingleKeys } from "./memory.js";

const STEP_SECONDS = 5;
const TYPED_INTO = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
const OWN_SPACE = "button, summary, input, [role=button]";
const OWN_ARROWS = "[role=application], [role=listbox], [role=radiogroup], input[type=radio], .wide";

/** @param {import("./player.js").Player} player @param {import("./stretches.js").Stretches} stretches */
export function startKeyboard(player, stretches) {
  const hasTrack = () => Boolean(player.track);
  const hasSound = () => hasTrack() || stretches.isPlaying;
  const actions = new Map(Object.entries({
    " ": { action: playOrPause, except: OWN_SPACE, needs: hasSound },
    ArrowLeft: { action: () => player.seekBy(-STEP_SECONDS), except: OWN_ARROWS, needs: hasTrack },
    ArrowRight: { action: () => player.seekBy(STEP_SECONDS), except: OWN_ARROWS, needs: hasTrack },
    j: { action: () => player.next(), isSingle: true, needs: hasTrack },
    k: { action: () => player.previous(), isSingle: true, needs: hasTrack },
    "/": { action: search, isSingle: true },
    "?": { action: () => visit("/help"), isSingle: true },
  }));

  document.addEventListener("keydown", (event) => {
    const key = actions.get(event.key);
    const focused = event.target instanceof Element ? event.target : document.body;
    if (!key || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing
      || focused.closest(TYPED_INTO) || (key.except && focused.closest(key.except))
      || (key.needs && !key.needs()) || (key.isSingle && !usesSingleKeys())) {
      return;
    }
    event.preventDefault();
    key.action();
  });

  function playOrPause() {
    if (stretches.isPlaying) {
      stretches.end();
    } else {
      player.toggle();
    }
  }
}

async function search() {
  const field = () => /** @type {HTMLElement | null} */ (document.querySelector("main input[type=search]"));
  if (!field()) {
    await visit("/library");
  }
  field()?.focus();
}
