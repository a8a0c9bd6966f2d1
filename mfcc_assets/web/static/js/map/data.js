// @ts-check
// The points of the map, the groups that colour them, and the names, which come when they are needed.

import { notify } from "../notice.js";
import { text } from "../texts.js";

const NONE = 255;

/**
 * @typedef {{names: string[], counts: number[], codes: Uint8Array}} Groups
 * @typedef {{id: string, title: string, artist: string}} Named
 */

export class MapData {
  /** @param {Uint16Array} points @param {any} tracks */
  constructor(points, tracks) {
    this.points = points;
    this.count = tracks.count;
    this.version = tracks.version;
    this.namesAtOnce = tracks.names_at_once;
    /** @type {Record<string, Groups>} */
    this.groups = Object.fromEntries(Object.entries(tracks.groups).map(([kind, found]) => [kind, {
      names: found.names,
      counts: found.counts,
      codes: Uint8Array.from(found.codes, (code) => (code === "-" ? NONE : Number(code))),
    }]));
    /** @type {Map<number, Promise<void>>} */
    this.asked = new Map();
    /** @type {Map<number, any>} */
    this.chunks = new Map();
    /** Is called when names have come. */
    this.onNames = () => {};
  }

  /** Returns the name of a track if it has come, and asks for it if not. @param {number} row @returns {Named | null} */
  named(row) {
    const number = Math.floor(row / this.namesAtOnce);
    const chunk = this.chunks.get(number);
    if (!chunk) {
      this.#ask(number);
      return null;
    }
    const at = row % this.namesAtOnce;
    return { id: chunk.ids[at], title: chunk.titles[at], artist: chunk.artists[at] };
  }

  /** Returns the name of a track when it has come. @param {number} row @returns {Promise<Named | null>} */
  async name(row) {
    await this.#ask(Math.floor(row / this.namesAtOnce));
    return this.chunks.has(Math.floor(row / this.namesAtOnce)) ? this.named(row) : null;
  }

  #ask(number) {
    if (!this.asked.has(number)) {
      this.asked.set(number, this.#load(number));
    }
    return this.asked.get(number);
  }

  async #load(number) {
    try {
      const response = await fetch(`/map/names/${this.version}/${number}`);
      if (response.ok) {
        this.chunks.set(number, await response.json());
        this.onNames();
      } else if (response.status === 404) {
        notify(text("map_changed"));
      } else {
        this.asked.delete(number); // it is asked for again when it is needed again
      }
    } catch {
      this.asked.delete(number);
    }
  }
}

/** @returns {Promise<MapData>} */
export async function loadMap() {
  const answers = await Promise.all(["/map/points", "/map/tracks"].map((address) => fetch(address)));
  const failed = answers.find((answer) => !answer.ok);
  if (failed) {
    throw new Error(`${failed.url}: ${failed.status}`);
  }
  const points = new Uint16Array(await answers[0].arrayBuffer());
  return new MapData(points, await answers[1].json());
}

/** Returns a track as the player takes it. @param {Named} named @returns {import("../player/queue.js").Track} */
export function trackOfName({ id, title, artist }) {
  const page = `/tracks/${id}`;
  return {
    id, title, artist, page, audio: `${page}/audio`, artwork: `${page}/artwork?size=128`, waveform: `${page}/waveform`,
  };
}
