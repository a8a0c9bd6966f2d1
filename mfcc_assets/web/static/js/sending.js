// @ts-check
// Sends a file to the server, shows how far it is on any page, and goes to its page.
import { element } from "./element.js";
import { visit } from "./navigation.js";
import { announce } from "./notice.js";
import { text } from "./texts.js";

/** @type {{ stop: () => void } | null} */
let current = null;

/** @param {File} file */
export function sendFile(file) {
  current?.stop();
  const limit = Number(document.body.dataset.uploadLimit);
  const said = element("p", {}, text("sending", { name: file.name }));
  const bar = element("progress", { max: "100", value: "0", "aria-label": text("sending", { name: file.name }) });
  const share = element("span", { class: "soft small number" }, "0 %");
  const button = element("button", { type: "button", class: "quiet", onclick: () => mine.stop() }, text("cancel"));
  const panel = element("section", { class: "sending", "aria-label": text("upload") },
    said, bar, element("div", { class: "row" }, share, button));
  const request = new XMLHttpRequest();
  const close = () => {
    panel.remove();
    // Another file may have begun meanwhile.
    current = current === mine ? null : current;
  };
  const mine = {
    stop: () => {
      request.abort();
      close();
    },
  };
  current = mine;
  document.body.append(panel);
  announce(text("sending", { name: file.name }));

  const refuse = (/** @type {string} */ words) => {
    said.textContent = words;
    announce(words);
    bar.remove();
    share.remove();
    button.textContent = text("close");
    button.focus();
  };
  if (limit && file.size > limit) {
    refuse(text("too_large", { limit: String(Math.round(limit / 1e6)) }));
    return;
  }
  request.open("PUT", `/uploads?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    const percent = event.total ? Math.floor(100 * event.loaded / event.total) : 0;
    bar.value = percent;
    share.textContent = `${percent} %`;
  });
  request.upload.addEventListener("load", () => {
    share.textContent = text("almost");
    announce(text("almost"));
  });
  request.addEventListener("load", async () => {
    if (request.status === 201 && request.response) {
      await visit(request.response.address);
      close();
    } else {
      refuse(request.response?.detail || text("not_sent"));
    }
  });
  request.addEventListener("error", () => refuse(text("not_sent")));
  request.send(file);
}
