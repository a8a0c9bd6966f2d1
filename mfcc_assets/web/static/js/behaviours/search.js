// Searches while a listener types: asks for the page of the form, and takes the results from it.
//
//   <form data-behaviour="search" data-results="results" action="/library"> … </form> <div id="results"> … </div>
import { startBehaviours, stopBehaviours } from "../behaviours.js";
import { announce, notify } from "../notice.js";
import { text } from "../texts.js";

const PAUSE_MILLISECONDS = 180;

export function start(form) {
  let timer;
  let asked;

  async function search() {
    asked?.abort();
    asked = new AbortController();
    const address = addressOf(form);
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" }, signal: asked.signal });
      if (response.ok) {
        show(form, new DOMParser().parseFromString(await response.text(), "text/html"));
        history.replaceState(history.state, "", address);
      } else {
        notify(text("search_failed"));
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        notify(text("search_failed"));
      }
    }
  }

  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MILLISECONDS);
  };
  const onInput = (event) => {
    if (!event.isComposing) {
      wait();
    }
  };
  form.addEventListener("input", onInput);
  form.addEventListener("compositionend", wait);
  form.addEventListener("submit", stop);
  // A listener may have typed before this script had come.
  const field = /** @type {any} */ (document.activeElement);
  if (form.contains(field) && field.value !== field.defaultValue) {
    wait();
  }
  function stop() {
    clearTimeout(timer);
    asked?.abort();
  }
  return () => {
    stop();
    form.removeEventListener("input", onInput);
    form.removeEventListener("compositionend", wait);
    form.removeEventListener("submit", stop);
  };
}

function addressOf(form) {
  const address = new URL(form.action);
  address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();
  return address.href;
}

function show(form, page) {
  const shown = document.getElementById(form.dataset.results);
  const found = page.getElementById(form.dataset.results);
  if (shown && found && form.isConnected) {
    stopBehaviours(shown);
    shown.replaceWith(found);
    startBehaviours(found);
    announce(found.querySelector("[role=status]")?.textContent.trim() ?? "");
  }
}
