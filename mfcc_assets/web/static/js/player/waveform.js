// @ts-check
// Draws the waveform of a track: the height of a column is the peak, and its colours are the energies of three bands.

const NUMBERS_A_BIN = 4; // peak, low, middle, high: 0 to 255
const COLUMN_PIXELS = 3;
const GAP_PIXELS = 1;
const FADED = 0.35;
const MOST_KEPT = 50;

/** @type {Map<string, Promise<Uint8Array | null>>} */
const loaded = new Map();

/** Returns the numbers of a waveform, or null if there is none. @param {string} [address] */
export async function loadWaveform(address) {
  if (!address) {
    return null;
  }
  if (!loaded.has(address)) {
    loaded.set(address, request(address));
    if (loaded.size > MOST_KEPT) {
      loaded.delete(loaded.keys().next().value ?? "");
    }
  }
  const numbers = await loaded.get(address);
  if (!numbers) {
    loaded.delete(address); // it may come with the next run
  }
  return numbers ?? null;
}

async function request(address) {
  try {
    const response = await fetch(address);
    return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

/**
 * Reduces the bins of a waveform to as many columns as there is room for. Each column has the largest peak of its bins,
 * and the shares of the bands in their energies.
 * @param {Uint8Array} numbers @param {number} count
 * @returns {{peak: number, shares: number[]}[]}
 */
export function columnsOf(numbers, count) {
  const bins = Math.floor(numbers.length / NUMBERS_A_BIN);
  const columns = [];
  for (let column = 0; column < Math.min(count, bins); column++) {
    const from = Math.floor(column * bins / Math.min(count, bins));
    const to = Math.max(from + 1, Math.floor((column + 1) * bins / Math.min(count, bins)));
    let peak = 0;
    const bands = [0, 0, 0];
    for (let bin = from; bin < to; bin++) {
      peak = Math.max(peak, numbers[bin * NUMBERS_A_BIN]);
      bands.forEach((_, band) => { bands[band] += numbers[bin * NUMBERS_A_BIN + 1 + band]; });
    }
    const sum = bands[0] + bands[1] + bands[2];
    columns.push({ peak: peak / 255, shares: bands.map((band) => (sum ? band / sum : 1 / 3)) });
  }
  return columns;
}

/**
 * A canvas that shows a waveform, how much of it was heard, and spans of it.
 * @typedef {{from: number, to: number, number?: number}} Span
 */
export class Waveform {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.numbers = null;
    this.heard = 0;
    this.length = 0;
    /** @type {Span[]} */
    this.spans = [];
    this.active = 0;
    this.asked = "";
    this.columns = [];
    this.drawn = "";
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(canvas);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw(true);
    this.scheme.addEventListener("change", this.redraw);
  }

  /** @param {string} [address] */
  async show(address = "") {
    if (address === this.asked && this.numbers) {
      return;
    }
    this.asked = address;
    this.numbers = null;
    this.draw(true);
    const numbers = await loadWaveform(address);
    if (address === this.asked) {
      this.numbers = numbers;
      this.draw(true);
    }
  }

  /** @param {number} heard share of the track, 0 to 1 */
  hear(heard) {
    this.heard = heard;
    this.draw();
  }

  /** Marks spans. Their times are seconds of a track of this length. @param {Span[]} spans @param {number} length */
  mark(spans, length) {
    this.spans = spans;
    this.length = length;
    this.draw(true);
  }

  /** Makes the spans of a number stand out. @param {number} number */
  activate(number) {
    this.active = number;
    this.draw(true);
  }

  end() {
    this.sizes.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
  }

  draw(isNew = false) {
    const ratio = Math.min(devicePixelRatio, 2);
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    const stride = COLUMN_PIXELS * ratio;
    const heardColumns = Math.round(this.heard * width / stride);
    const state = `${width} ${height} ${heardColumns}`;
    if (!width || !height || (!isNew && state === this.drawn)) {
      return;
    }
    if (isNew || this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.columns = this.numbers ? columnsOf(this.numbers, Math.floor(width / stride)) : [];
    }
    this.drawn = state;
    this.#paint(width, height, stride, heardColumns, ratio);
  }

  #paint(width, height, stride, heardColumns, ratio) {
    const brush = this.canvas.getContext("2d");
    if (!brush) {
      return;
    }
    const style = getComputedStyle(this.canvas);
    const colours = ["--low", "--middle", "--high"].map((name) => style.getPropertyValue(name).trim());
    brush.clearRect(0, 0, width, height);
    this.#paintSpans(brush, width, height, ratio, style);
    if (!this.columns.length) {
      this.#paintPlain(brush, width, height, ratio, style);
      return;
    }
    const step = width / this.columns.length;
    this.columns.forEach((column, place) => {
      brush.globalAlpha = place < heardColumns ? 1 : FADED;
      let inner = 0;
      column.shares.forEach((share, band) => {
        const outer = Math.max(inner, Math.max(ratio, column.peak * height / 2) * sum(column.shares, band));
        brush.fillStyle = colours[band];
        brush.fillRect(place * step, height / 2 - outer, step - GAP_PIXELS * ratio, outer - inner);
        brush.fillRect(place * step, height / 2 + inner, step - GAP_PIXELS * ratio, outer - inner);
        inner = outer;
      });
    });
    brush.globalAlpha = 1;
  }

  #paintPlain(brush, width, height, ratio, style) {
    brush.fillStyle = style.getPropertyValue("--line").trim();
    brush.fillRect(0, height / 2 - ratio, width, 2 * ratio);
    brush.fillStyle = style.getPropertyValue("--accent").trim();
    brush.fillRect(0, height / 2 - ratio, this.heard * width, 2 * ratio);
  }

  #paintSpans(brush, width, height, ratio, style) {
    for (const span of this.length ? this.spans : []) {
      const from = span.from / this.length * width;
      const size = Math.max(2 * ratio, (span.to - span.from) / this.length * width);
      const isActive = span.number !== undefined && span.number === this.active;
      brush.fillStyle = style.getPropertyValue("--accent").trim();
      brush.globalAlpha = isActive ? 0.35 : 0.12;
      brush.fillRect(from, 0, size, height);
      brush.globalAlpha = 1;
      brush.fillRect(from, height - 3 * ratio, size, (isActive ? 3 : 2) * ratio);
      if (span.number !== undefined) {
        brush.fillStyle = style.getPropertyValue("--ink").trim();
        brush.font = `600 ${11 * ratio}px system-ui, sans-serif`;
        brush.textBaseline = "top";
        brush.fillText(String(span.number), from + 3 * ratio, 2 * ratio);
      }
    }
  }
}

/** @param {number[]} shares @param {number} last */
function sum(shares, last) {
  return shares.slice(0, last + 1).reduce((total, share) => total + share, 0);
}
