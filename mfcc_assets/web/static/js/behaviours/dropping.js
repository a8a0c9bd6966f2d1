// @ts-check
// A file that is dropped anywhere on any page is sent.
import { sendFile } from "../sending.js";
import { notify } from "../notice.js";
import { text } from "../texts.js";

/** @param {HTMLElement} body */
export function start(body) {
  let depth = 0;
  const hasFiles = (/** @type {DragEvent} */ event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (/** @type {boolean} */ isDragged) => body.toggleAttribute("data-dragged", isDragged);
  body.addEventListener("dragenter", (event) => {
    if (hasFiles(event)) {
      depth += 1;
      show(true);
    }
  });
  body.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    show(depth > 0);
  });
  body.addEventListener("dragover", (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
    }
  });
  body.addEventListener("drop", (event) => {
    if (!hasFiles(event)) {
      return;
    }
    event.preventDefault();
    depth = 0;
    show(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 1) {
      notify(text("only_first"));
    }
    if (files.length) {
      sendFile(files[0]);
    }
  });
}
