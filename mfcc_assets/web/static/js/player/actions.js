// @ts-check
// What the buttons of pages do with the player. A page says it with attributes:
//
// - An element with `data-track='{"id", "title", "artist", "audio", "artwork", "waveform", "page"}'` is a track. The
//   current one gets `aria-current`. In an element with `data-queue`, the next track of the list follows.
// - `<button data-action="play">` in a track plays or pauses it. It has `data-state` "playing" or "paused".
// - `<button data-action="queue">` in a track adds it to the queue.
// - `<button data-action="stretches" data-stretches='[{"audio", "from", "to", "name"}, …]' data-number="1">` plays these
//   stretches in turn. Spans of waveforms with the same number stand out meanwhile. Without a number, the buttons of a
//   page are counted from 1.
// - `<button data-action="radio" data-radio="address">` plays a radio. The address returns the JSON
//   `{"tracks": [tracks as in data-track, …], "next": "address of further tracks"}`. Without `next`, it is asked again.
//   Further requests name the ids of the tracks that were played, in `after`, separated by commas.
import { notify } from "../notice.js";
import { text } from "../texts.js";
import { tune } from "./radio.js";

const PLAY_ICON = "M7 4.5v15l13-7.5z";
const PAUSE_ICON = "M6 5h4v14H6zM14 5h4v14h-4z";

/** @typedef {import("./queue.js").Track} Track */

/** @param {import("./player.js").Player} player @param {import("./stretches.js").Stretches} stretches */
export function startActions(player, stretches) {
  const actions = {
    play: (button) => playOrPause(player, button),
    queue: (button) => {
      const track = trackOf(button);
      if (track) {
        player.add([track]);
        notify(text("queued", { title: track.title }));
      }
    },
    stretches: (button) => stretches.toggle(button),
    radio: (button) => startRadio(player, button),
  };
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    const action = button && actions[/** @type {HTMLElement} */ (button).dataset.action ?? ""];
    if (action) {
      event.preventDefault();
      action(button);
    }
  });
  const mark = () => markTracks(player);
  player.addEventListener("track", mark);
  player.addEventListener("change", mark);
  // Pages come and go, and so do parts of them. The player itself changes several times a second while it plays.
  const section = document.getElementById("player");
  new MutationObserver((changes) => {
    if (changes.some((change) => !section?.contains(change.target))) {
      mark();
    }
  }).observe(document.body, { childList: true, subtree: true });
}

/** Returns the track that an element belongs to. @param {Element} inside @returns {Track | null} */
export function trackOf(inside) {
  const holder = /** @type {HTMLElement | null} */ (inside.closest("[data-track]"));
  return holder ? readTrack(holder) : null;
}

/** @param {HTMLElement} holder @returns {Track | null} */
function readTrack(holder) {
  try {
    return JSON.parse(holder.dataset.track ?? "null");
  } catch {
    return null;
  }
}

function playOrPause(player, button) {
  const track = trackOf(button);
  if (!track) {
    return;
  }
  if (track.id === player.track?.id) {
    player.toggle();
    return;
  }
  const list = button.closest("[data-queue]");
  const holders = list ? [...list.querySelectorAll("[data-track]")] : [];
  const place = holders.indexOf(button.closest("[data-track]"));
  const tracks = holders.map((holder) => readTrack(holder));
  if (place >= 0 && tracks.every(Boolean)) {
    player.playTracks(tracks, place);
  } else {
    player.playTracks([track]);
  }
}

async function startRadio(player, button) {
  button.disabled = true;
  const found = await tune(radioAddress(button));
  button.disabled = false;
  if (!found) {
    notify(text("radio_failed"));
  } else if (found.tracks.length) {
    player.playTracks(found.tracks, 0, { more: found.next });
  }
}

/** A page may let the listener choose how strict a radio is, in a field of the same form. */
function radioAddress(button) {
  const address = new URL(button.dataset.radio, location.href);
  const strictness = button.form?.elements.namedItem("strictness")?.value;
  if (strictness) {
    address.searchParams.set("strictness", strictness);
  }
  return address.href;
}

/** Shows on the page which track plays. */
function markTracks(player) {
  for (const holder of document.querySelectorAll("main [data-track]")) {
    const track = readTrack(/** @type {HTMLElement} */ (holder));
    const isCurrent = Boolean(track) && track?.id === player.track?.id;
    setAttribute(holder, "aria-current", isCurrent ? "true" : null);
    const isPlaying = isCurrent && player.isPlaying;
    for (const button of holder.querySelectorAll('[data-action="play"]')) {
      markButton(button, track, isPlaying);
    }
  }
}

/** A button may have an icon, a word or both. */
function markButton(button, track, isPlaying) {
  const title = track?.title ?? "";
  setAttribute(button, "data-state", isPlaying ? "playing" : "paused");
  setAttribute(button, "aria-label", isPlaying ? text("pause_track", { title }) : text("play_track", { title }));
  for (const path of button.querySelectorAll("svg path")) {
    setAttribute(path, "d", isPlaying ? PAUSE_ICON : PLAY_ICON);
  }
  const word = isPlaying ? text("pause") : text("play");
  for (const node of button.childNodes) {
    if (node.nodeType === Node.TEXT_NODE && node.nodeValue.trim() && node.nodeValue !== word) {
      node.nodeValue = word;
    }
  }
}

/** Changes an attribute only if it is different, because each change would be observed. */
function setAttribute(element, name, value) {
  if (value === null) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}
