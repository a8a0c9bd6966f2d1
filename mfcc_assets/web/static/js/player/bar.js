// @ts-check
// What the player looks like at the bottom of every page.
import { clock } from "../clock.js";
import { element } from "../element.js";
import { announce } from "../notice.js";
import { text } from "../texts.js";
import { Waveform } from "./waveform.js";

/** @param {HTMLElement} section @param {import("./player.js").Player} player */
export function startBar(section, player) {
  const part = partsOf(section);
  const waveform = new Waveform(part("waveform"));
  const seek = part("seek");
  let isSeeking = false;
  let announced = "";

  part("previous").addEventListener("click", () => player.previous());
  part("play").addEventListener("click", () => player.toggle());
  part("next").addEventListener("click", () => player.next());
  part("clear").addEventListener("click", () => player.clear());
  part("volume").addEventListener("input", (event) => player.setVolume(Number(event.target.value)));
  seek.addEventListener("input", () => {
    isSeeking = true;
    showPlace(Number(seek.value));
  });
  seek.addEventListener("change", () => {
    isSeeking = false;
    player.seek(Number(seek.value));
  });
  part("queue").addEventListener("click", () => showQueue(part("queue-panel").hidden));
  section.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !part("queue-panel").hidden) {
      showQueue(false);
      part("queue").focus();
    }
  });
  part("artwork").addEventListener("error", () => { part("artwork").hidden = true; });

  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--covered", `${section.offsetHeight}px`);
  }).observe(section);

  player.addEventListener("track", showTrack);
  player.addEventListener("queue", listTracks);
  player.addEventListener("change", showState);
  player.addEventListener("time", () => isSeeking || showPlace(player.seconds));
  part("volume").value = String(player.volume);

  function showTrack() {
    const track = player.track;
    section.hidden = !track;
    document.body.classList.toggle("has-player", Boolean(track));
    if (!track) {
      showQueue(false);
      return;
    }
    part("title").textContent = track.title;
    if (track.page) {
      part("title").href = track.page;
    } else {
      part("title").removeAttribute("href");
    }
    part("artist").textContent = track.artist ?? "";
    part("artwork").hidden = !track.artwork;
    if (track.artwork) {
      part("artwork").src = track.artwork;
    }
    waveform.show(track.waveform);
    showPlace(player.seconds);
    showState();
  }

  function showState() {
    const isPlaying = player.isPlaying;
    part("play-icon").hidden = isPlaying;
    part("pause-icon").hidden = !isPlaying;
    part("play").setAttribute("aria-label", isPlaying ? text("pause") : text("play"));
    part("volume").value = String(player.volume);
    // A track that was shown again after a reload, or that waits in the queue, is not heard yet.
    if (isPlaying && announced !== player.track.id) {
      announced = player.track.id;
      const { title, artist } = player.track;
      announce(text("now_playing", { title: artist ? `${title}, ${artist}` : title }));
    }
  }

  function showPlace(seconds) {
    seek.max = String(Math.ceil(player.length));
    seek.value = String(Math.round(seconds));
    seek.setAttribute("aria-valuetext", text("place", { time: clock(seconds), length: clock(player.length) }));
    part("time").textContent = clock(seconds);
    part("length").textContent = clock(player.length);
    waveform.hear(player.length ? seconds / player.length : 0);
  }

  function showQueue(isShown) {
    part("queue-panel").hidden = !isShown;
    part("queue").setAttribute("aria-expanded", String(isShown));
  }

  function listTracks() {
    const { tracks, place } = player.queue;
    part("previous").disabled = !player.track;
    part("next").disabled = !player.queue.following;
    part("radio").hidden = !player.more;
    const focused = focusedPlace();
    part("queue-list").replaceChildren(...tracks.map((track, at) => element("li", { "aria-current": at === place && "true" },
      element("button", { class: "player-queued", type: "button", onclick: () => player.goTo(at) },
        element("span", {}, track.title), element("span", { class: "soft small" }, track.artist ?? "")),
      element("button", {
        class: "quiet round", type: "button", onclick: () => player.remove(at),
        "aria-label": text("remove_from_queue", { title: track.title }),
      }, "×"))));
    focusAgain(focused);
  }

  // The list is made anew, so the button that was used would lose the focus.
  function focusedPlace() {
    const buttons = [...part("queue-list").querySelectorAll("button")];
    return buttons.indexOf(document.activeElement);
  }

  function focusAgain(place) {
    const buttons = part("queue-list").querySelectorAll("button");
    if (place >= 0) {
      (buttons[Math.min(place, buttons.length - 1)] ?? part("queue")).focus();
    }
  }
}

/** Returns a function that finds a part of the player. @param {HTMLElement} section @returns {(name: string) => any} */
export function partsOf(section) {
  return (name) => section.querySelector(`[data-part="${name}"]`);
}
