// Goes to another page without loading the document anew, so that the music goes on.
import { text } from "./texts.js";
import { notify } from "./notice.js";

const PLACES = "places";

let hooks = { before: () => {}, after: () => {} };
let coming = new AbortController();
let shownKey = "";
const places = storedPlaces();

export function startNavigation(given) {
  hooks = given;
  history.scrollRestoration = "manual";
  shownKey = history.state?.key ?? newKey();
  history.replaceState({ key: shownKey }, "");
  if (places[shownKey] !== undefined) {
    window.scrollTo(0, places[shownKey]);
  }
  document.addEventListener("click", followLink);
  document.addEventListener("click", nameThisPage);
  document.addEventListener("submit", followForm);
  window.addEventListener("popstate", goBack);
  window.addEventListener("pagehide", storePlaces);
}

export async function visit(address) {
  await show(new URL(address, location.href).href, "");
}

function followLink(event) {
  const link = event.target.closest?.("a[href]");
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || event.defaultPrevented || !isPlain || !staysHere(link)) {
    return;
  }
  event.preventDefault();
  visit(link.href);
}

/** A search changes the address of the page, so the link that leads back to it is made when it is used. */
function nameThisPage(event) {
  const link = event.target.closest?.("a[data-leads-back]");
  if (link) {
    const address = new URL(link.href);
    address.searchParams.set("back", location.pathname + location.search);
    link.href = address.href;
  }
}

function followForm(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "get" || form.dataset.reload !== undefined) {
    return;
  }
  event.preventDefault();
  const address = new URL(form.action);
  const filled = [...new FormData(form, event.submitter)].filter(([, value]) => value !== "");
  address.search = new URLSearchParams(filled).toString();
  visit(address.href);
}

function goBack(event) {
  if (event.state?.key) {
    show(location.href, event.state.key);
  } else {
    // The browser itself has gone to a place on this page.
    shownKey = newKey();
    history.replaceState({ key: shownKey }, "");
  }
}

function staysHere(link) {
  const address = new URL(link.href);
  const isSamePage = address.pathname === location.pathname && address.search === location.search && address.hash;
  return address.origin === location.origin && !isSamePage && !link.target && !link.hasAttribute("download")
    && link.dataset.reload === undefined;
}

/** Shows a page. With the key of an entry of the history, the page is that of this entry; without, a new one is added. */
async function show(address, key) {
  coming.abort();
  const mine = coming = new AbortController();
  let page;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, signal: mine.signal });
    const isPage = (response.headers.get("Content-Type") ?? "").startsWith("text/html");
    page = isPage ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
    if (page?.querySelector("main")) {
      address = response.redirected ? response.url : address;
      await addStyles(page);
    }
  } catch {
    if (!mine.signal.aborted) {
      notify(text("offline"));
    }
    return;
  }
  // Another visit may have begun meanwhile. From here on nothing waits, so two visits do not mix.
  if (mine.signal.aborted) {
    return;
  }
  if (!page?.querySelector("main")) {
    location.assign(address);
    return;
  }
  replacePage(page, address, key);
  await hooks.after(document.querySelector("main"));
}

function replacePage(page, address, key) {
  const main = document.querySelector("main");
  const next = page.querySelector("main");
  places[shownKey] = window.scrollY;
  hooks.before(main);
  main.replaceWith(next);
  document.title = page.title;
  document.querySelector("header.top").replaceWith(page.querySelector("header.top"));
  shownKey = key || newKey();
  if (!key) {
    history.pushState({ key: shownKey }, "", address);
  }
  next.focus({ preventScroll: true });
  const named = key ? null : document.getElementById(location.hash.slice(1));
  if (named) {
    named.scrollIntoView();
  } else {
    window.scrollTo(0, places[shownKey] ?? 0);
  }
}

/** Names an entry of the history. */
function newKey() {
  return `${Date.now()} ${Math.random()}`;
}

function storedPlaces() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACES) ?? "{}");
  } catch {
    return {};
  }
}

function storePlaces() {
  places[shownKey] = window.scrollY;
  try {
    sessionStorage.setItem(PLACES, JSON.stringify(places));
  } catch {
    // A browser may refuse to store anything. A page that is loaded anew then begins at its top.
  }
}

async function addStyles(page) {
  const known = new Set([...document.querySelectorAll("link[rel=stylesheet]")].map((link) => link.href));
  const missing = [...page.querySelectorAll("link[rel=stylesheet]")].filter(
    (link) => !known.has(new URL(link.getAttribute("href"), location.href).href));
  await Promise.all(missing.map((link) => new Promise((loaded) => {
    const added = document.createElement("link");
    added.rel = "stylesheet";
    added.href = link.getAttribute("href");
    added.onload = added.onerror = loaded;
    document.head.append(added);
  })));
}
