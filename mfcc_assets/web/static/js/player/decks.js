// @ts-check
// Two <audio> elements that take turns, so that the next track is loaded before the one that plays has ended.

/** The next track is loaded this long before it is needed. Its link would end if it were loaded much earlier. */
const LOADED_AHEAD_SECONDS = 20;

/** A track is handed over by a timer in its last second, because the event `ended` comes a little late. */
const TIMED_SECONDS = 1;
const HANDED_OVER_SECONDS = 0.02;

/** A link that ends again before this much was heard is not asked for once more. */
const LEAST_HEARD_SECONDS = 1;

/**
 * Events: `change` (plays or pauses), `time`, `length`, `end` (the track has ended, and none was loaded behind it),
 * `handover` (the loaded track plays), `failure` (it cannot be played).
 */
export class Decks extends EventTarget {
  /** @param {HTMLElement} holder */
  constructor(holder) {
    super();
    this.playing = this.#newDeck(holder);
    this.waiting = this.#newDeck(holder);
    this.address = "";
    this.next = "";
    this.wanted = false;
    this.begin = 0;
    this.retriedAt = NaN;
    this.timer = 0;
  }

  get seconds() {
    return this.begin || this.playing.currentTime;
  }

  get length() {
    return Number.isFinite(this.playing.duration) ? this.playing.duration : 0;
  }

  /** Loads a track from a second on. @param {string} address @param {number} seconds @param {boolean} play */
  load(address, seconds, play) {
    this.retriedAt = NaN;
    this.#unload(this.waiting);
    this.next = "";
    this.#open(address, seconds, play);
  }

  /** Says which track follows, if any. It is loaded when it is nearly needed. @param {string} [address] */
  follow(address = "") {
    // After a handover, the last moments of the track before are still heard, so they are not cut off.
    if (this.next && address !== this.next) {
      this.#unload(this.waiting);
    }
    this.next = address;
  }

  async play() {
    this.wanted = true;
    try {
      await this.playing.play();
    } catch (error) {
      // A browser may want a click first. A track that cannot be loaded is told by the event `error`.
      if (error.name === "NotAllowedError") {
        this.wanted = false;
      }
    }
    this.#tell("change");
  }

  pause() {
    this.wanted = false;
    this.playing.pause();
    this.#tell("change");
  }

  stop() {
    this.wanted = false;
    this.address = this.next = "";
    this.#unload(this.playing);
    this.#unload(this.waiting);
    this.#tell("change");
  }

  /** @param {number} seconds */
  seek(seconds) {
    const target = Math.max(0, this.length ? Math.min(seconds, this.length - 0.05) : seconds);
    if (this.playing.readyState === HTMLMediaElement.HAVE_NOTHING) {
      this.begin = target;
    } else {
      this.playing.currentTime = target;
    }
    this.#tell("time");
  }

  /** @param {number} volume 0 to 1 */
  setVolume(volume) {
    this.playing.volume = this.waiting.volume = volume;
  }

  /** @param {HTMLElement} holder */
  #newDeck(holder) {
    const deck = document.createElement("audio");
    deck.preload = "auto";
    holder.append(deck);
    const own = (action) => () => deck === this.playing && action();
    deck.addEventListener("loadedmetadata", own(() => this.#begin()));
    deck.addEventListener("durationchange", own(() => this.#tell("length")));
    deck.addEventListener("timeupdate", own(() => this.#onTime()));
    deck.addEventListener("play", own(() => this.#tell("change")));
    deck.addEventListener("pause", own(() => this.#onPause()));
    deck.addEventListener("ended", own(() => this.#onEnd()));
    deck.addEventListener("error", () => (deck === this.playing ? this.#onError() : this.#unload(deck)));
    return deck;
  }

  #open(address, seconds, play) {
    clearTimeout(this.timer);
    this.timer = 0;
    this.address = address;
    this.begin = seconds;
    this.wanted = play;
    this.playing.src = address;
    this.playing.load();
    if (play) {
      this.play();
    }
    this.#tell("time");
  }

  #begin() {
    if (this.begin) {
      this.playing.currentTime = this.begin;
      this.begin = 0;
    }
    this.#tell("length");
  }

  #onTime() {
    this.#tell("time");
    this.#prepare();
    const left = this.length - this.playing.currentTime;
    if (this.length && left < TIMED_SECONDS && !this.timer && this.next && !this.playing.paused) {
      this.timer = setTimeout(() => this.#handOver(), Math.max(0, left - HANDED_OVER_SECONDS) * 1000);
    }
  }

  /** The system may pause a track too, for example when headphones are pulled out. */
  #onPause() {
    this.wanted = this.wanted && this.playing.ended;
    this.#tell("change");
  }

  #prepare() {
    const isNear = this.length && this.length - this.playing.currentTime < LOADED_AHEAD_SECONDS;
    if (this.next && isNear && this.waiting.getAttribute("src") !== this.next) {
      this.waiting.src = this.next;
      this.waiting.load();
    }
  }

  #handOver() {
    this.timer = 0;
    const left = this.length - this.playing.currentTime;
    const isAtEnd = this.playing.ended || (!this.playing.paused && left < 5 * HANDED_OVER_SECONDS);
    // The listener may have gone back or paused meanwhile, and the next track may not have come yet.
    if (isAtEnd && this.next && this.waiting.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      [this.playing, this.waiting] = [this.waiting, this.playing];
      this.address = this.next;
      this.next = "";
      this.begin = 0;
      this.retriedAt = NaN;
      this.play();
      this.#tell("handover");
      return true;
    }
    return false;
  }

  #onEnd() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!this.#handOver()) {
      this.#tell("end");
    }
  }

  /** Asks for the same address again: it leads to a fresh link. Goes on at the same second. */
  #onError() {
    const heard = this.seconds;
    if (Math.abs(heard - this.retriedAt) < LEAST_HEARD_SECONDS || !this.address) {
      this.wanted = false;
      this.#tell("failure");
      return;
    }
    this.retriedAt = heard;
    this.#open(this.address, heard, this.wanted);
  }

  /** @param {HTMLAudioElement} deck */
  #unload(deck) {
    deck.pause();
    if (deck.hasAttribute("src")) {
      deck.removeAttribute("src");
      deck.load();
    }
  }

  /** @param {string} name */
  #tell(name) {
    this.dispatchEvent(new Event(name));
  }
}
