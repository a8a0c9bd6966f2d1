// @ts-check
// Makes a link to an answer, and shows it with a button that copies it.
import { element } from "../element.js";
import { announce, notify } from "../notice.js";
import { text } from "../texts.js";

/** @param {HTMLFormElement} form */
export function start(form) {
  const share = async (/** @type {Event} */ event) => {
    event.preventDefault();
    let made;
    try {
      const response = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
      made = response.ok ? await response.json() : null;
    } catch {
      made = null;
    }
    if (!made) {
      notify(text("not_shared"));
      return;
    }
    const link = element("input", { class: "link", readonly: true, value: made.address, "aria-label": text("shared_link") });
    const copy = element("button", {
      type: "button",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(made.address);
        } catch {
          link.select();
          if (!document.execCommand("copy")) {
            return; // the link is selected, so the listener can copy it by the keys of the browser
          }
        }
        notify(text("copied"));
      },
    }, text("copy"));
    const said = element("p", { class: "small" }, text("shared_for", { days: String(made.days) }));
    form.replaceChildren(said, link, copy);
    announce(said.textContent);
    link.focus();
    link.select();
  };
  form.addEventListener("submit", share);
  return () => form.removeEventListener("submit", share);
}
