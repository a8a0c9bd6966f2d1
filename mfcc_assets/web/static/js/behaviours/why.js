// @ts-check
// The link "Why" of a track opens the explanation below the track, without going to its page.
import { startBehaviours, stopBehaviours } from "../behaviours.js";
import { element } from "../element.js";
import { announce, notify } from "../notice.js";
import { text } from "../texts.js";

/** @param {HTMLElement} list */
export function start(list) {
  const left = new AbortController();
  const open = async (/** @type {MouseEvent} */ event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href*='/why/']") : null;
    const track = link?.closest(".track");
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !track || !isPlain || track.closest(".why-panel")) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const present = track.querySelector(".why-panel");
    if (present) {
      stopBehaviours(present);
      present.remove();
      link.setAttribute("aria-expanded", "false");
      return;
    }
    link.setAttribute("aria-expanded", "true");
    const panel = element("div", { class: "why-panel", tabindex: "-1" },
      element("p", { class: "soft" }, text("comparing")));
    track.append(panel);
    announce(text("comparing"));
    const found = await explanation(link.href, left.signal);
    if (left.signal.aborted || !panel.isConnected) {
      return; // the listener has gone to another page, or has closed the panel
    }
    if (!found) {
      panel.remove();
      link.setAttribute("aria-expanded", "false");
      notify(text("not_explained"));
      return;
    }
    panel.replaceChildren(found);
    announce(found.querySelector(".sentences")?.textContent.trim() ?? "");
    startBehaviours(panel);
  };
  for (const link of list.querySelectorAll("a[href*='/why/']")) {
    link.setAttribute("aria-expanded", "false");
  }
  list.addEventListener("click", open, { signal: left.signal });
  return () => left.abort();
}

async function explanation(address, signal) {
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return response.ok ? page.querySelector("[data-why]") : null;
  } catch {
    return null;
  }
}
