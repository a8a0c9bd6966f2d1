// @ts-check
// Draws the points. Each is a small disc that is written into the pixels of the canvas: this takes a few milliseconds for
// tens of thousands, with or without a graphics card.

const MOST_PIXELS = 2_500_000;
const OTHERS = 10;
const NONE = 255;
const FADED = 0.15;

export class PointsCanvas {
  /** @param {HTMLCanvasElement} canvas @param {import("./data.js").MapData} data */
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.brush = canvas.getContext("2d", { willReadFrequently: true });
    this.kind = "artist";
    this.only = -1; // the one group that is not faded; -1 for all
    this.ratio = 1;
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(this.canvas);
    const names = [...Array(OTHERS).keys()].map((group) => `--map-${group}`);
    this.colours = [...names, "--map-others"].map((name) => rgb(style.getPropertyValue(name).trim()));
  }

  /** @param {import("./camera.js").Camera} camera */
  resize(camera) {
    const most = Math.sqrt(MOST_PIXELS / (camera.width * camera.height));
    this.ratio = Math.min(devicePixelRatio, 2, Math.max(1, most));
    this.canvas.width = Math.round(camera.width * this.ratio);
    this.canvas.height = Math.round(camera.height * this.ratio);
    this.image = this.brush.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** @param {number} row */
  isShown(row) {
    return this.only < 0 || this.data.groups[this.kind].codes[row] === this.only;
  }

  /** @param {import("./camera.js").Camera} camera */
  draw(camera) {
    const { points, count } = this.data;
    const codes = this.data.groups[this.kind].codes;
    const { width, height } = this.canvas;
    const scale = camera.scale * this.ratio;
    const [left, top] = [width / 2 - camera.x * scale, height / 2 + camera.y * scale];
    const radius = this.ratio * Math.min(6, Math.max(1.6, 3.4 * Math.sqrt(camera.zoom) * (2_000 / Math.max(count, 500)) ** 0.25));
    const disc = discOf(radius, width);
    const margin = Math.ceil(radius) + 1;
    this.pixels.fill(0);
    // The points of the other groups lie below.
    for (const isOnTop of [false, true]) {
      for (let row = 0; row < count; row++) {
        const code = codes[row];
        if ((code !== NONE && (this.only < 0 || code === this.only)) !== isOnTop) {
          continue;
        }
        const x = Math.round(points[2 * row] * scale + left);
        const y = Math.round(top - points[2 * row + 1] * scale);
        if (x < margin || y < margin || x >= width - margin || y >= height - margin) {
          continue;
        }
        const strength = isOnTop || this.only < 0 ? 1 : FADED;
        this.#stamp(disc, y * width + x, this.colours[code === NONE ? OTHERS : code], strength);
      }
    }
    this.brush.putImageData(this.image, 0, 0);
  }

  #stamp(disc, middle, colour, strength) {
    const { offsets, coverages } = disc;
    const pixels = this.pixels;
    for (let at = 0; at < offsets.length; at++) {
      const alpha = coverages[at] * strength | 0;
      const pixel = middle + offsets[at];
      if (alpha >= pixels[pixel] >>> 24) {
        pixels[pixel] = (colour | (alpha << 24)) >>> 0;
      }
    }
  }
}

/** Returns the pixels of a disc, from its middle, and how much of each it covers: 0 to 255. */
function discOf(radius, width) {
  const [offsets, coverages] = [[], []];
  const reach = Math.ceil(radius);
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const coverage = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      if (coverage > 0) {
        offsets.push(y * width + x);
        coverages.push(Math.round(coverage * 255));
      }
    }
  }
  return { offsets: Int32Array.from(offsets), coverages: Uint8Array.from(coverages) };
}

/** Returns a colour like #a1b2c3 as the number of a pixel without its alpha. @param {string} colour */
function rgb(colour) {
  const number = parseInt(colour.slice(1), 16);
  return ((number & 255) << 16) | (number & 0xff00) | (number >> 16);
}
