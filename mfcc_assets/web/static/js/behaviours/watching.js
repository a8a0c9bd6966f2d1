// @ts-check
// The page of an upload shows at once what is new: by events of the server, or by asking every few seconds.
import { startBehaviours, stopBehaviours } from "../behaviours.js";
import { text } from "../texts.js";

const ASKED_EVERY_MILLISECONDS = 2000;
const STEPS = ["waiting", "received", "recognised", "candidates", "ranked"];

/** @param {HTMLElement} page */
export function start(page) {
  const base = page.dataset.base ?? "";
  let shown = page.dataset.shown;
  let tag = page.dataset.tag ?? "";
  let isOver = page.dataset.ended === "yes";
  /** @type {EventSource | null} */
  let stream = null;
  let timer = 0;
  let coming = Promise.resolve();

  const listen = () => {
    if (isOver || stream || document.hidden) {
      return;
    }
    stream = new EventSource(`${base}/events`);
    stream.addEventListener("news", (event) => take(JSON.parse(event.data)));
    stream.addEventListener("error", () => {
      // A browser opens a stream again by itself, unless the server has refused it.
      if (stream?.readyState === EventSource.CLOSED) {
        stream = null;
        timer = window.setTimeout(ask, ASKED_EVERY_MILLISECONDS);
      }
    });
  };

  const rest = () => {
    stream?.close();
    stream = null;
    clearTimeout(timer);
  };

  const ask = async () => {
    try {
      const response = await fetch(`${base}/state`, { headers: { "If-None-Match": `"${tag}"`, Accept: "application/json" } });
      if (response.ok) {
        take(await response.json());
      } else if (response.status === 404) {
        take({ tag: "gone", state: "gone", shown: "none", is_last: true });
      }
    } catch {
      // The server cannot be reached now. It is asked again.
    }
    if (!isOver) {
      timer = window.setTimeout(ask, ASKED_EVERY_MILLISECONDS);
    }
  };

  const take = (/** @type {{tag: string, state: string, shown: string, is_last: boolean}} */ news) => {
    mark(page, news.state);
    if (!news.tag) {
      return; // a step that went by between two looks
    }
    const isNew = news.tag !== tag;
    tag = news.tag;
    isOver = news.is_last;
    if (isOver) {
      rest();
    }
    if (isNew && (news.shown !== shown || news.is_last)) {
      shown = news.shown;
      coming = coming.then(() => replace(page, base));
    }
  };

  const turn = () => (document.hidden ? rest() : listen());
  document.addEventListener("visibilitychange", turn);
  listen();
  return () => {
    isOver = true;
    rest();
    document.removeEventListener("visibilitychange", turn);
  };
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
  const words = { ranked: "answered", failed: "no_answer", gone: "deleted" };
  const name = words[state];
  if (name && said) {
    said.textContent = { answered: text("answered"), no_answer: text("no_answer"), deleted: text("deleted") }[name];
  }
}

async function replace(page, base) {
  const response = await fetch(`${base}/answer`, { headers: { Accept: "text/html" } });
  if (!response.ok) {
    return;
  }
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of next.querySelectorAll("[data-part]")) {
    for (const present of page.querySelectorAll(`[data-part="${part.dataset.part}"]`)) {
      if (present.dataset.key !== part.dataset.key) {
        present.dataset.key = part.dataset.key;
        stopBehaviours(present);
        present.replaceChildren(...[...part.childNodes].map((node) => node.cloneNode(true)));
        startBehaviours(present);
      }
    }
  }
  const waveform = page.querySelector("[data-behaviour=waveform]");
  const seconds = next.querySelector("[data-part=title]")?.dataset.seconds;
  if (waveform && seconds && waveform.dataset.seconds !== seconds) {
    // The file was read, so it has a waveform by now.
    waveform.dataset.seconds = seconds;
    stopBehaviours(waveform);
    startBehaviours(waveform);
  }
}
