// @ts-check
// Plays stretches of tracks in turn: those of one track, then those that sound like them in the other.
import { announce, notify } from "../notice.js";
import { text } from "../texts.js";
import { partsOf } from "./bar.js";

const CHECKED_EVERY_MILLISECONDS = 20;
const PLAY_SIGN = "M7 4.5v15l13-7.5z";
const STOP_SIGN = "M6 6h12v12H6z";

/** @typedef {{audio: string, from: number, to: number, name: string}} Stretch */

export class Stretches {
  /** @param {HTMLElement} section @param {import("./player.js").Player} player */
  constructor(section, player) {
    this.player = player;
    this.section = section;
    this.part = partsOf(section);
    this.decks = [document.createElement("audio"), document.createElement("audio")];
    this.decks.forEach((deck) => {
      deck.preload = "auto";
      section.append(deck);
      deck.addEventListener("error", () => this.#onError(deck));
    });
    /** @type {Stretch[]} */
    this.stretches = [];
    this.place = 0;
    this.isLooped = false;
    this.isRepeated = false; // whoever knows a stretch does not want a voice over it
    /** @type {HTMLElement | null} */
    this.button = null;
    this.timer = 0;
    this.part("stretch-loop").addEventListener("click", () => this.#loop(!this.isLooped));
    this.part("stretch-next").addEventListener("click", () => this.#nextPair());
    this.part("stretch-end").addEventListener("click", () => this.end());
    // Whoever starts the queue wants to hear the queue.
    player.addEventListener("change", () => player.isPlaying && this.isPlaying && this.end());
  }

  get isPlaying() {
    return this.stretches.length > 0;
  }

  /** Plays the stretches of a button, or ends them if they play. @param {HTMLElement} button */
  toggle(button) {
    if (button === this.button) {
      this.end();
    } else {
      this.#start(button);
    }
  }

  end() {
    clearInterval(this.timer);
    this.decks.forEach((deck) => deck.pause());
    this.stretches = [];
    this.#mark(null);
    this.part("stretches").hidden = true;
    this.section.hidden = !this.player.track;
    document.body.classList.toggle("has-player", !this.section.hidden);
  }

  #start(button) {
    this.player.pause();
    clearInterval(this.timer);
    this.decks.forEach((deck) => deck.pause());
    this.stretches = JSON.parse(button.dataset.stretches ?? "[]");
    if (!this.stretches.length) {
      return;
    }
    this.#mark(button);
    this.part("stretches").hidden = this.section.hidden = false;
    document.body.classList.add("has-player");
    this.part("stretch-next").disabled = !this.#following();
    this.retried = new Set();
    this.isRepeated = false;
    this.stretches.slice(0, 2).forEach((stretch, at) => this.#load(at, stretch));
    this.#play(0);
    this.timer = setInterval(() => this.#check(), CHECKED_EVERY_MILLISECONDS);
  }

  #load(at, stretch) {
    const deck = this.decks[at % 2];
    if (deck.getAttribute("src") !== stretch.audio) {
      deck.src = stretch.audio;
      deck.load();
    }
  }

  #play(place) {
    this.place = place;
    const stretch = this.stretches[place];
    const deck = this.decks[place % 2];
    this.#load(place, stretch);
    deck.volume = this.player.volume;
    deck.currentTime = stretch.from; // kept until the file is open
    deck.play().catch(() => {}); // the event `error` tells why
    this.part("stretch-name").textContent = stretch.name;
    const counted = text("stretch_place", { place: place + 1, count: this.stretches.length });
    this.part("stretch-place").textContent = counted;
    if (!this.isRepeated) {
      announce(`${stretch.name}, ${counted}`);
    }
  }

  #check() {
    const deck = this.decks[this.place % 2];
    const stretch = this.stretches[this.place];
    if (!deck.ended && (deck.readyState < HTMLMediaElement.HAVE_METADATA || deck.currentTime < stretch.to)) {
      return;
    }
    deck.pause();
    if (this.place + 1 < this.stretches.length) {
      this.#play(this.place + 1);
    } else if (this.isLooped) {
      this.isRepeated = true;
      this.#play(0);
    } else {
      this.end();
    }
  }

  /** A link may have ended. The same address leads to a fresh one, once. */
  #onError(deck) {
    const stretch = this.stretches[this.place];
    if (!stretch || deck !== this.decks[this.place % 2]) {
      return;
    }
    if (this.retried.has(this.place)) {
      notify(text("cannot_be_played", { title: stretch.name }));
      this.end();
      return;
    }
    this.retried.add(this.place);
    const reached = Math.max(stretch.from, deck.currentTime);
    deck.src = stretch.audio;
    deck.currentTime = reached;
    deck.play().catch(() => {});
  }

  #loop(isLooped) {
    this.isLooped = isLooped;
    this.part("stretch-loop").setAttribute("aria-pressed", String(isLooped));
  }

  #nextPair() {
    const following = this.#following();
    if (following) {
      this.#start(following);
    }
  }

  #following() {
    if (!this.button?.isConnected) {
      return undefined; // the listener has gone to another page
    }
    const buttons = buttonsOfPage();
    return buttons[buttons.indexOf(this.button) + 1];
  }

  /** Lets pages show which stretches play. @param {HTMLElement | null} button */
  #mark(button) {
    showOn(this.button, false);
    this.button = button;
    showOn(button, true);
    const number = button ? Number(button.dataset.number ?? buttonsOfPage().indexOf(button) + 1) : 0;
    document.dispatchEvent(new CustomEvent("stretches", { detail: { number } }));
  }
}

/** @param {HTMLElement | null} button @param {boolean} isPlaying */
function showOn(button, isPlaying) {
  button?.setAttribute("aria-pressed", String(isPlaying));
  button?.querySelector("svg path")?.setAttribute("d", isPlaying ? STOP_SIGN : PLAY_SIGN);
}

/** @returns {HTMLElement[]} */
function buttonsOfPage() {
  return [...document.querySelectorAll('main [data-action="stretches"]')];
}
