// @ts-check
// The page of an upload shows at once what is new: by events of the server, or by asking every few seconds.
import { startBehaviours, stopBehaviours } from "../behaviours.js";
import { announce } from "../notice.js";
import { text } from "../texts.js";

const ASKED_EVERY_MILLISECONDS = 2000;
const STEPS = ["waiting", "received", "recognised", "candidates", "ranked"];
const FOCUSABLE = "a[href], button, input, summary";

/** @typedef {{tag: string, state: string, shown: string, is_last: boolean}} News */

/** @param {HTMLElement} page */
export function start(page) {
  const base = page.dataset.base ?? "";
  const left = new AbortController();
  let tag = page.dataset.tag ?? "";
  let isOver = page.dataset.ended === "yes";
  let shown = isOver ? tag : page.dataset.shown;
  let wanted = shown;
  let isRenewing = false;
  /** @type {EventSource | null} */
  let stream = null;
  let timer = 0;
  let asking = new AbortController();

  const listen = () => {
    if (isOver || stream || document.hidden) {
      return;
    }
    stream = new EventSource(`${base}/events`);
    stream.addEventListener("news", (event) => take(JSON.parse(event.data)));
    stream.addEventListener("error", () => {
      // A browser opens a stream again by itself, unless the server has refused it.
      if (stream?.readyState === EventSource.CLOSED) {
        rest();
        askLater();
      }
    });
  };

  const rest = () => {
    stream?.close();
    stream = null;
    clearTimeout(timer);
    asking.abort();
  };

  const askLater = () => {
    clearTimeout(timer);
    timer = window.setTimeout(ask, ASKED_EVERY_MILLISECONDS);
  };

  const ask = async () => {
    const mine = asking = new AbortController();
    const headers = { "If-None-Match": `"${tag}"`, Accept: "application/json" };
    try {
      const response = await fetch(`${base}/state`, { headers, signal: mine.signal });
      if (response.ok) {
        take(await response.json());
      } else if (response.status === 404) {
        take({ tag: "gone", state: "gone", shown: "none", is_last: true });
      } else if (isRefusal(response)) {
        giveUp();
      }
    } catch {
      // The server cannot be reached now. It is asked again.
    }
    if (!isOver && !mine.signal.aborted) {
      askLater();
    }
  };

  const take = (/** @type {News} */ news) => {
    mark(page, news.state);
    if (!news.tag) {
      return; // a step that went by between two looks
    }
    tag = news.tag;
    wanted = news.is_last ? news.tag : news.shown;
    if (news.is_last) {
      isOver = true;
      rest();
    }
    renew();
  };

  // What cannot be loaded now is tried again. Only one request for it is on its way.
  const renew = async () => {
    if (isRenewing) {
      return;
    }
    isRenewing = true;
    while (shown !== wanted && !left.signal.aborted) {
      const goal = wanted;
      const isShown = await replace(page, base, left.signal).catch(() => false);
      if (isShown) {
        shown = goal;
        if (goal === "preview" && !left.signal.aborted) {
          announce(text("previewed"));
        }
      } else if (!left.signal.aborted) {
        await new Promise((resolve) => { window.setTimeout(resolve, ASKED_EVERY_MILLISECONDS); });
      }
    }
    isRenewing = false;
  };

  /** Ends the requests, because the listener has to log in before anything is answered. */
  const giveUp = () => {
    end();
    const said = page.querySelector("[data-said]");
    if (said) {
      said.classList.remove("unseen");
      said.textContent = text("logged_out");
    }
  };

  const end = () => {
    isOver = true;
    left.abort();
    rest();
  };

  /** @param {HTMLElement} holder @param {string} address @param {AbortSignal} signal @returns {Promise<boolean>} */
  const replace = async (holder, address, signal) => {
    const response = await fetch(`${address}/answer`, { headers: { Accept: "text/html" }, signal });
    if (response.status === 404) {
      return true; // it was deleted, so there is nothing that could be shown
    }
    if (isRefusal(response)) {
      giveUp();
      return false;
    }
    if (!response.ok) {
      return false;
    }
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!signal.aborted) {
      replaceParts(holder, next);
    }
    return true;
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()), { signal: left.signal });
  listen();
  return end;
}

/** Tells whether a request was refused because nobody is logged in. Pages are then led to the log-in. */
function isRefusal(/** @type {Response} */ response) {
  return response.status === 401 || response.status === 403 || response.redirected;
}

function mark(page, state) {
  const place = STEPS.indexOf(state);
  for (const step of page.querySelectorAll("[data-state]")) {
    const at = STEPS.indexOf(step.dataset.state);
    step.toggleAttribute("data-reached", place >= 0 ? at <= place : step.hasAttribute("data-reached"));
    if (at === place) {
      step.setAttribute("aria-current", "step");
    } else {
      step.removeAttribute("aria-current");
    }
  }
  const said = page.querySelector("[data-said]");
  const words = { ranked: text("answered"), failed: text("no_answer"), gone: text("deleted") }[state];
  if (words && said) {
    said.textContent = words;
  }
}

/** Replaces the parts whose keys have changed. */
function replaceParts(page, next) {
  for (const part of next.querySelectorAll("[data-part]")) {
    const present = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!present || present.dataset.key === part.dataset.key) {
      continue;
    }
    const focused = [...present.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
    present.dataset.key = part.dataset.key;
    stopBehaviours(present);
    present.replaceChildren(...part.childNodes);
    startBehaviours(present);
    present.querySelectorAll(FOCUSABLE)[focused]?.focus({ preventScroll: true });
  }
}
