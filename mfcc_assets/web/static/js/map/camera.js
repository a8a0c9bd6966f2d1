// @ts-check
// Which part of the map a window shows. Coordinates of the map go from 0 to 65,535, and upwards; those of the window are
// CSS pixels, and go downwards.

const EXTENT = 65_536;
const MARGIN = 0.94;
const CLOSEST = 400;

export class Camera {
  constructor() {
    this.x = EXTENT / 2;
    this.y = EXTENT / 2;
    this.zoom = 1;
    this.width = 1;
    this.height = 1;
  }

  /** Pixels of a unit of the map. */
  get scale() {
    return Math.min(this.width, this.height) * MARGIN / EXTENT * this.zoom;
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
    this.x = this.y = EXTENT / 2;
    this.zoom = 1;
  }

  /** Shows a part of the map. @param {number} x @param {number} y @param {number} zoom */
  lookAt(x, y, zoom) {
    this.zoom = Math.max(1, Math.min(CLOSEST, zoom));
    this.#look(x, y);
  }

  /** Shows all of some points. @param {[number, number][]} points */
  frame(points) {
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    this.lookAt((left + right) / 2, (low + high) / 2, 0.75 * EXTENT / Math.max(right - left, high - low, EXTENT / 40));
  }

  #look(x, y) {
    this.x = Math.max(0, Math.min(EXTENT, x));
    this.y = Math.max(0, Math.min(EXTENT, y));
  }
}
