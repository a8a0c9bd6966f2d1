// @ts-check
// The form for a file sends it as soon as it is chosen, and shows how far it is.
import { sendFile } from "../sending.js";

/** @param {HTMLFormElement} form */
export function start(form) {
  const input = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
  const send = () => {
    const file = input.files?.[0];
    if (file) {
      sendFile(file);
      input.value = "";
    }
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    send();
  };
  form.dataset.started = "";
  input.addEventListener("change", send);
  form.addEventListener("submit", submit);
  send(); // a file that was chosen before this script was there
  return () => {
    input.removeEventListener("change", send);
    form.removeEventListener("submit", submit);
  };
}
