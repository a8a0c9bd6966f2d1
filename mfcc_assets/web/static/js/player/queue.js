// @ts-check
// The tracks that are played one after the other, and the place in them.

/**
 * What pages say of a track in `data-track`.
 * @typedef {{id: string, title: string, artist?: string, audio: string, artwork?: string, waveform?: string,
 *            page?: string}} Track
 */

export class Queue {
  /** @param {Track[]} tracks @param {number} place */
  constructor(tracks = [], place = 0) {
    this.tracks = [...tracks];
    this.place = Math.max(0, Math.min(place, tracks.length - 1));
  }

  get current() {
    return this.tracks[this.place];
  }

  get following() {
    return this.tracks[this.place + 1];
  }

  get left() {
    return Math.max(0, this.tracks.length - 1 - this.place);
  }

  /** @param {number} place */
  goTo(place) {
    if (place < 0 || place >= this.tracks.length) {
      return false;
    }
    this.place = place;
    return true;
  }

  /** Adds tracks at the end. @param {Track[]} tracks */
  add(tracks) {
    this.tracks.push(...tracks);
  }

  /** @param {number} place */
  remove(place) {
    this.tracks.splice(place, 1);
    if (place < this.place) {
      this.place -= 1;
    }
    this.place = Math.max(0, Math.min(this.place, this.tracks.length - 1));
  }
}
