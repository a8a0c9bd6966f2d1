// @ts-check
// The search box of the map. Chosen tracks are shown on the map; one that is not on it leads to its page.
import { element } from "../element.js";
import { visit } from "../navigation.js";
import { announce } from "../notice.js";
import { text } from "../texts.js";

const WAIT_MILLISECONDS = 200;

/** @param {HTMLInputElement} field @param {HTMLElement} list @param {(row: number) => void} show */
export function startSearch(field, list, show) {
  let timer = 0;
  let asked = 0;
  let found = [];
  let selected = -1;

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MILLISECONDS);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(selected + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !list.hidden && found.length) {
      event.preventDefault();
      choose(found[Math.max(0, selected)]);
    } else if (event.key === "Escape") {
      close();
    }
  });
  field.addEventListener("blur", close);
  // The field would lose the focus before the click.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  // The points of a large map take a while to come, and a listener may have typed meanwhile.
  if (document.activeElement === field && field.value) {
    look();
  }

  async function look() {
    const mine = ++asked;
    const words = field.value.trim();
    const answered = words ? await tracksWith(words) : [];
    if (mine === asked) {
      found = answered ?? [];
      selected = -1;
      list.replaceChildren(...found.map((track, at) => element("li", {
        id: `map-found-${at}`, role: "option", "aria-selected": "false", onclick: () => choose(track),
      }, element("bdi", {}, track.title), " ", element("span", { class: "soft" }, track.artist))));
      if (words && !found.length) {
        const reason = answered ? text("map_found_none") : text("search_failed");
        list.replaceChildren(element("li", { role: "option", "aria-disabled": "true" }, reason));
        announce(reason);
      } else if (words) {
        announce(text("map_found", { count: String(found.length) }));
      }
      list.hidden = !words;
      field.setAttribute("aria-expanded", String(!list.hidden));
      field.removeAttribute("aria-activedescendant");
    }
  }

  function select(place) {
    const options = [...list.children];
    if (!found.length) {
      return;
    }
    selected = place < 0 ? options.length - 1 : place % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === selected)));
    field.setAttribute("aria-activedescendant", options[selected].id);
    options[selected].scrollIntoView({ block: "nearest" });
  }

  function choose(track) {
    close();
    if (track.row === null) {
      visit(`/tracks/${track.id}`);
    } else {
      field.value = track.title;
      show(track.row);
    }
  }

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }
}

/** Returns the tracks that have these words in their names; null if the server cannot be asked now. */
async function tracksWith(/** @type {string} */ words) {
  try {
    const response = await fetch(`/map/search?search=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
    return response.ok ? (await response.json()).tracks : null;
  } catch {
    return null; // it cannot be reached, or it has sent the page for the log-in
  }
}
