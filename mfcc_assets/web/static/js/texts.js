// Texts in the language of the page.
const texts = JSON.parse(document.getElementById("texts").textContent);

export function text(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
