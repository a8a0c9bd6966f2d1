// Goes to another page without loading the document anew, so that the music goes on.
import { text } from "./texts.js";
import { notify } from "./notice.js";

let hooks = { before: () => {}, after: () => {} };
let coming = 0;

export function startNavigation(given) {
  hooks = given;
  history.replaceState({ scroll: 0 }, "");
  document.addEventListener("click", followLink);
  document.addEventListener("submit", followForm);
  window.addEventListener("popstate", () => show(location.href, { push: false }));
}

export async function visit(address) {
  await show(new URL(address, location.href).href, { push: true });
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

function staysHere(link) {
  const address = new URL(link.href);
  const isSamePage = address.pathname === location.pathname && address.search === location.search && address.hash;
  return address.origin === location.origin && !isSamePage && !link.target && !link.hasAttribute("download")
    && link.dataset.reload === undefined;
}

async function show(address, { push }) {
  const mine = ++coming;
  let page;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" } });
    if (!(response.headers.get("Content-Type") ?? "").startsWith("text/html")) {
      location.assign(address);
      return;
    }
    address = response.redirected ? response.url : address;
    page = new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    notify(text("offline"));
    return;
  }
  if (mine !== coming) {
    return;
  }
  const main = document.querySelector("main");
  const next = page.querySelector("main");
  if (!next) {
    location.assign(address);
    return;
  }
  hooks.before(main);
  await addStyles(page);
  main.replaceWith(next);
  document.title = page.title;
  document.querySelector("header.top").replaceWith(page.querySelector("header.top"));
  if (push) {
    history.pushState({}, "", address);
    window.scrollTo(0, 0);
  }
  next.focus({ preventScroll: true });
  await hooks.after(next);
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
