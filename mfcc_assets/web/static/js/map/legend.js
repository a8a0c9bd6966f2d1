// @ts-check
// The legend: what the colours mean. A press on a group fades all others.
import { element } from "../element.js";
import { text } from "../texts.js";

/**
 * @param {HTMLElement} holder @param {import("./data.js").Groups} groups @param {number} count
 * @param {(group: number) => void} choose called with the group that is shown alone, or -1
 */
export function showLegend(holder, groups, count, choose) {
  const buttons = groups.names.map((name, group) => element("button", {
    type: "button", "data-group": String(group), "aria-pressed": "false", onclick: () => press(group),
  }, element("span", { "aria-hidden": "true" }), element("bdi", {}, name),
  element("span", { class: "soft number" }, String(groups.counts[group]))));
  const others = count - groups.counts.reduce((sum, each) => sum + each, 0);
  const rest = others ? [element("span", { class: "soft small" }, text("map_others", { count: others }))] : [];
  holder.replaceChildren(...buttons, ...rest);

  function press(group) {
    const wasPressed = buttons[group].getAttribute("aria-pressed") === "true";
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === group && !wasPressed)));
    choose(wasPressed ? -1 : group);
  }
}
