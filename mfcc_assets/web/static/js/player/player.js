// @ts-check
// The player: a queue, and the decks that play it. It knows nothing of what pages look like.
import { notify } from "../notice.js";
import { text } from "../texts.js";
import { Decks } from "./decks.js";
import { forgetState, rememberedState, rememberedVolume, rememberState, rememberVolume } from "./memory.js";
import { Queue } from "./queue.js";
import { tune } from "./radio.js";

const BEGIN_SECONDS = 3; // later than this, "previous" goes back to the beginning of the track
const LEAST_LEFT = 2;
const MOST_FAILURES = 2;
const REMEMBERED_EVERY_SECONDS = 2;
const ASKED_AGAIN_MILLISECONDS = 5000;

/** @typedef {import("./queue.js").Track} Track */

/** Events: `track` (another one), `queue`, `change` (plays or pauses), `time`. */
export class Player extends EventTarget {
  /** @param {HTMLElement} holder */
  constructor(holder) {
    super();
    this.queue = new Queue();
    this.more = ""; // address of further tracks of the radio
    this.asking = false;
    this.isUnreached = false; // the last request for further tracks has failed
    this.waits = false; // the queue is at its end, and the radio goes on as soon as it has further tracks
    this.failures = 0;
    this.rememberedAt = 0;
    this.timer = 0;
    this.decks = new Decks(holder);
    this.decks.setVolume(rememberedVolume());
    this.decks.addEventListener("change", () => this.#tell("change"));
    this.decks.addEventListener("length", () => this.#tell("time"));
    this.decks.addEventListener("time", () => this.#onTime());
    this.decks.addEventListener("handover", () => this.#onHandover());
    this.decks.addEventListener("end", () => this.#onEnd());
    this.decks.addEventListener("failure", () => this.#onFailure());
    addEventListener("pagehide", () => this.#remember());
  }

  /** @returns {Track | undefined} */
  get track() {
    return this.queue.current;
  }

  get isPlaying() {
    return this.decks.wanted && Boolean(this.track);
  }

  get seconds() {
    return this.decks.seconds;
  }

  get length() {
    return this.decks.length;
  }

  get volume() {
    return this.decks.playing.volume;
  }

  /** Shows the tracks of before a reload again, paused where they were. */
  restore() {
    const state = rememberedState();
    if (state) {
      this.#replace(/** @type {Track[]} */ (state.tracks), state.place, state.more ?? "");
      this.decks.load(this.queue.current.audio, state.seconds ?? 0, false);
      this.#onTrack();
    }
  }

  /** Plays tracks from a place on, instead of the present queue. @param {Track[]} tracks @param {number} place */
  playTracks(tracks, place = 0, { more = "", seconds = 0 } = {}) {
    this.#replace(tracks, place, more);
    this.#start(seconds);
  }

  /** @param {Track} track @param {number} seconds */
  playFrom(track, seconds) {
    if (this.track?.id === track.id) {
      this.seek(seconds);
      this.play();
    } else {
      this.playTracks([track], 0, { seconds });
    }
  }

  /** @param {Track[]} tracks */
  add(tracks) {
    const wasEmpty = !this.track;
    this.queue.add(tracks);
    if (wasEmpty && this.track) {
      this.decks.load(this.track.audio, 0, false);
      this.#onTrack();
    }
    this.#onQueue();
  }

  /** @param {number} place */
  remove(place) {
    const wasCurrent = place === this.queue.place;
    const wasPlaying = this.isPlaying;
    this.queue.remove(place);
    if (!this.track) {
      this.clear();
    } else if (wasCurrent) {
      this.decks.load(this.track.audio, 0, wasPlaying);
      this.#onTrack();
    }
    this.#onQueue();
  }

  clear() {
    this.#replace([], 0, "");
    this.decks.stop();
    forgetState();
    this.#tell("track");
    this.#tell("queue");
  }

  /** @param {number} place */
  goTo(place) {
    if (this.queue.goTo(place)) {
      this.#start(0);
    }
  }

  next() {
    this.goTo(this.queue.place + 1);
  }

  previous() {
    if (this.seconds > BEGIN_SECONDS || this.queue.place === 0) {
      this.seek(0);
    } else {
      this.goTo(this.queue.place - 1);
    }
  }

  play() {
    this.waits = false;
    if (this.track) {
      this.decks.play();
    }
  }

  pause() {
    this.waits = false;
    this.decks.pause();
    this.#remember();
  }

  toggle() {
    if (this.isPlaying) {
      this.pause();
    } else {
      this.play();
    }
  }

  /** @param {number} seconds */
  seek(seconds) {
    this.decks.seek(seconds);
  }

  /** @param {number} seconds */
  seekBy(seconds) {
    this.seek(this.seconds + seconds);
  }

  /** @param {number} volume */
  setVolume(volume) {
    this.decks.setVolume(volume);
    rememberVolume(volume);
    this.#tell("change");
  }

  #replace(tracks, place, more) {
    this.queue = new Queue(tracks, place);
    this.more = more;
    this.isUnreached = false;
    this.waits = false;
    this.failures = 0;
  }

  #start(seconds) {
    this.waits = false;
    if (this.track) {
      this.decks.load(this.track.audio, seconds, true);
      this.#onTrack();
    }
  }

  #onTrack() {
    this.#tell("track");
    this.#onQueue();
  }

  #onQueue() {
    this.decks.follow(this.queue.following?.audio);
    this.#tell("queue");
    this.#remember();
    this.#askForMore();
  }

  #onHandover() {
    this.failures = 0;
    this.queue.goTo(this.queue.place + 1);
    this.#onTrack();
  }

  #onEnd() {
    if (this.queue.following) {
      this.next();
    } else {
      this.pause();
      this.seek(0);
      this.waits = Boolean(this.more);
      this.#askForMore();
    }
  }

  #onTime() {
    this.#tell("time");
    if (Math.abs(this.seconds - this.rememberedAt) > REMEMBERED_EVERY_SECONDS) {
      this.failures = this.isPlaying && this.seconds > 0 ? 0 : this.failures;
      this.#remember();
    }
  }

  #onFailure() {
    notify(text("cannot_be_played", { title: this.track?.title ?? "" }));
    this.failures += 1;
    if (this.queue.following && this.failures < MOST_FAILURES) {
      this.next();
    } else {
      this.pause();
    }
  }

  async #askForMore() {
    if (!this.more || this.asking || this.queue.left > LEAST_LEFT) {
      return;
    }
    this.asking = true;
    const asked = this.more;
    const found = await tune(asked, this.queue.tracks.map((track) => track.id));
    this.asking = false;
    if (asked !== this.more) {
      this.#askForMore();
    } else if (found) {
      this.isUnreached = false;
      this.more = found.tracks.length ? found.next : "";
      this.#continue(found.tracks);
    } else {
      this.#askAgainLater();
    }
  }

  #continue(tracks) {
    const waits = this.waits;
    this.waits = false;
    if (tracks.length) {
      this.add(tracks);
      if (waits) {
        this.next();
      }
    } else {
      this.#onQueue(); // the radio has ended
    }
  }

  #askAgainLater() {
    if (!this.isUnreached) {
      notify(text("radio_failed"));
    }
    this.isUnreached = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#askForMore(), ASKED_AGAIN_MILLISECONDS);
  }

  #remember() {
    if (this.track) {
      this.rememberedAt = this.seconds;
      const { tracks, place } = this.queue;
      rememberState({ tracks, place, seconds: this.seconds, more: this.more });
    }
  }

  #tell(name) {
    this.dispatchEvent(new Event(name));
  }
}
