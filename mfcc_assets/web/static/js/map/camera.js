// @ts-check
// Which part of the map a window shows. Coordinates of the map go from 0 to 65,535, and upwards; those of the window are
// CSS pixels, and go downwards.

const EXTENT = 65_536;
const LEAST_EXTENT = EXTENT / 40;
const MARGIN = 0.94;
const CLOSEST = 400;

/** The middle of some points, and how far they reach. @typedef {{x: number, y: number, across: number, up: number}} Bounds */

/** @param {ArrayLike<number>} points the x and the y of each point, in turns @returns {Bounds} */
function boundsOf(points) {
  let [left, right, low, high] = points.length ? [EXTENT, 0, EXTENT, 0] : [0, EXTENT, 0, EXTENT];
  for (let i = 0; i < points.length; i += 2) {
    left = Math.min(left, points[i]);
    right = Math.max(right, points[i]);
    low = Math.min(low, points[i + 1]);
    high = Math.max(high, points[i + 1]);
  }
  return {
    x: (left + right) / 2,
    y: (low + high) / 2,
    across: Math.max(right - left, LEAST_EXTENT),
    up: Math.max(high - low, LEAST_EXTENT),
  };
}

export class Camera {
  /** With a zoom of 1, all points are shown. @param {Uint16Array} points the x and the y of each point, in turns */
  constructor(points) {
    this.everything = boundsOf(points);
    this.width = 1;
    this.height = 1;
    this.all();
  }

  /** Pixels of a unit of the map. */
  get scale() {
    return this.#scaleOf(this.everything) * this.zoom;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  toWindow(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (this.y - y) * this.scale + this.height / 2];
  }

  /** @param {number} left @param {number} top @returns {[number, number]} */
  toMap(left, top) {
    return [(left - this.width / 2) / this.scale + this.x, this.y - (top - this.height / 2) / this.scale];
  }

  /** Moves what is shown by pixels. @param {number} right @param {number} down */
  move(right, down) {
    this.#look(this.x - right / this.scale, this.y + down / this.scale);
  }

  /** Zooms so that what lies under a place of the window stays there. @param {number} factor @param {number} left
   * @param {number} top */
  zoomAt(factor, left, top) {
    const [x, y] = this.toMap(left, top);
    this.zoom = Math.max(1, Math.min(CLOSEST, this.zoom * factor));
    const [afterX, afterY] = this.toMap(left, top);
    this.#look(this.x + x - afterX, this.y + y - afterY);
  }

  all() {
    this.x = this.everything.x;
    this.y = this.everything.y;
    this.zoom = 1;
  }

  /** Shows a part of the map. @param {number} x @param {number} y @param {number} zoom */
  lookAt(x, y, zoom) {
    this.zoom = Math.max(1, Math.min(CLOSEST, zoom));
    this.#look(x, y);
  }

  /** Shows all of some points. @param {[number, number][]} points */
  frame(points) {
    const bounds = boundsOf(points.flat());
    this.lookAt(bounds.x, bounds.y, 0.75 * this.#scaleOf(bounds) / this.#scaleOf(this.everything));
  }

  /** Pixels of a unit if these bounds fill the window. @param {Bounds} bounds */
  #scaleOf(bounds) {
    return Math.min(this.width / bounds.across, this.height / bounds.up) * MARGIN;
  }

  #look(x, y) {
    this.x = Math.max(0, Math.min(EXTENT, x));
    this.y = Math.max(0, Math.min(EXTENT, y));
  }
}
