// @ts-check
// The waveform of a track on a page, with spans. A click on it plays the track from there.
//
//   <div data-behaviour="waveform" data-waveform="/tracks/…/waveform" data-seconds="201.5"
//        data-spans='[{"from": 12.5, "to": 20, "number": 1}]'></div>
//
// The element is in an element with `data-track`, or has one itself. Without a track it cannot be clicked.
import { clock } from "../clock.js";
import { element } from "../element.js";
import { trackOf } from "../player/actions.js";
import { player } from "../player/start.js";
import { Waveform } from "../player/waveform.js";
import { text } from "../texts.js";

const STEP_SECONDS = 5;

/** @param {HTMLElement} holder */
export function start(holder) {
  const canvas = element("canvas", { "aria-hidden": "true" });
  const track = trackOf(holder);
  const length = Number(holder.dataset.seconds ?? 0);
  holder.classList.add("waveform");
  holder.replaceChildren(canvas);
  const waveform = new Waveform(canvas);
  waveform.mark(JSON.parse(holder.dataset.spans ?? "[]"), length);
  waveform.show(holder.dataset.waveform);

  const isCurrent = () => track !== null && player.track?.id === track.id;
  const seconds = () => (isCurrent() ? player.seconds : 0);
  const show = () => {
    waveform.hear(length ? seconds() / length : 0);
    seek?.setAttribute("aria-valuetext", text("place", { time: clock(seconds()), length: clock(length) }));
    if (seek && document.activeElement !== seek) {
      seek.value = String(Math.round(seconds()));
    }
  };
  const stopped = new AbortController();
  const { signal } = stopped;

  const seek = track && length
    ? element("input", {
      type: "range", min: "0", max: String(Math.floor(length)), step: String(STEP_SECONDS), value: "0",
      "aria-label": text("place_in", { title: track.title }),
      onchange: (event) => player.playFrom(track, Number(event.target.value)),
    })
    : null;
  if (seek && track) {
    holder.append(seek);
    // A pointer means an exact place, while the keys of the field go by steps. The field takes no pointer.
    holder.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      player.playFrom(track, Math.max(0, (event.clientX - box.left) / box.width) * length);
    }, { signal });
  }
  player.addEventListener("time", show, { signal });
  player.addEventListener("track", show, { signal });
  document.addEventListener("stretches", (event) => {
    waveform.activate(/** @type {CustomEvent} */ (event).detail.number);
  }, { signal });
  show();
  return () => {
    stopped.abort();
    waveform.end();
  };
}
