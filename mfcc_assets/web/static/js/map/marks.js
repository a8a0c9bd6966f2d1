// @ts-check
// What is drawn over the points: a path, an upload, the chosen track, and names where there is room.

const NAMED_ZOOM = 4;
const MOST_NAMES = 40;
const LONGEST_NAME = 28;

export class Marks {
  /** @param {HTMLCanvasElement} canvas @param {import("./data.js").MapData} data @param {import("./grid.js").Grid} grid */
  constructor(canvas, data, grid) {
    this.canvas = canvas;
    this.data = data;
    this.grid = grid;
    this.brush = canvas.getContext("2d");
    /** @type {number[]} */
    this.path = [];
    /** @type {{x: number, y: number, name: string} | null} */
    this.upload = null;
    this.chosen = -1;
    this.hovered = -1;
    this.isAimed = false; // the keyboard chooses the track in the middle
  }

  /** @param {import("./camera.js").Camera} camera */
  resize(camera) {
    this.ratio = Math.min(devicePixelRatio, 2);
    this.canvas.width = Math.round(camera.width * this.ratio);
    this.canvas.height = Math.round(camera.height * this.ratio);
  }

  /** @param {import("./camera.js").Camera} camera */
  draw(camera) {
    const brush = this.brush;
    const style = getComputedStyle(this.canvas);
    const [ink, ground, accent] = ["--ink", "--raised", "--accent"].map((name) => style.getPropertyValue(name).trim());
    brush.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    brush.clearRect(0, 0, camera.width, camera.height);
    brush.font = "12px system-ui, sans-serif";
    brush.textBaseline = "middle";
    this.taken = [];
    this.#drawPath(camera, ink, ground);
    if (this.upload) {
      this.#ring(camera.toWindow(this.upload.x, this.upload.y), 9, accent, ground);
      this.#name(camera.toWindow(this.upload.x, this.upload.y), this.upload.name, ink, ground, true);
    }
    for (const row of [this.chosen, this.hovered].filter((each) => each >= 0)) {
      this.#ring(this.#place(camera, row), 8, row === this.chosen ? accent : ink, ground);
    }
    if (this.isAimed) {
      this.#aim(camera, ink);
    }
    this.#drawNames(camera, ink, ground);
  }

  #place(camera, row) {
    return camera.toWindow(this.data.points[2 * row], this.data.points[2 * row + 1]);
  }

  #drawPath(camera, ink, ground) {
    if (!this.path.length) {
      return;
    }
    const places = this.path.map((row) => this.#place(camera, row));
    for (const [width, colour] of [[5, ground], [2, ink]]) {
      this.brush.lineWidth = width;
      this.brush.strokeStyle = colour;
      this.brush.lineJoin = "round";
      this.brush.beginPath();
      places.forEach(([x, y]) => this.brush.lineTo(x, y));
      this.brush.stroke();
    }
    places.forEach((place, at) => {
      this.#ring(place, 9, ink, ground, true);
      this.brush.fillStyle = ink;
      this.brush.textAlign = "center";
      this.brush.fillText(String(at + 1), ...place);
      this.brush.textAlign = "left";
    });
    this.path.forEach((row, at) => {
      const named = this.data.named(row);
      if (named) {
        this.#name(places[at], named.title, ink, ground, true);
      }
    });
  }

  #ring([x, y], radius, colour, ground, isFilled = false) {
    this.brush.beginPath();
    this.brush.arc(x, y, radius, 0, 2 * Math.PI);
    if (isFilled) {
      this.brush.fillStyle = ground;
      this.brush.fill();
    }
    for (const [width, stroke] of [[5, ground], [2.5, colour]]) {
      this.brush.lineWidth = width;
      this.brush.strokeStyle = stroke;
      this.brush.stroke();
    }
  }

  #aim(camera, ink) {
    const [x, y] = [camera.width / 2, camera.height / 2];
    this.brush.lineWidth = 1.5;
    this.brush.strokeStyle = ink;
    this.brush.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      this.brush.moveTo(x + 12 * dx, y + 12 * dy);
      this.brush.lineTo(x + 22 * dx, y + 22 * dy);
    }
    this.brush.stroke();
  }

  /** Names the tracks in the window if they are few. */
  #drawNames(camera, ink, ground) {
    if (camera.zoom < NAMED_ZOOM && this.data.count > MOST_NAMES) {
      return;
    }
    const [left, high] = camera.toMap(0, 0);
    const [right, low] = camera.toMap(camera.width, camera.height);
    const rows = [];
    this.grid.within(left, low, right, high, (row) => {
      const [x, y] = this.#place(camera, row);
      if (x > 0 && y > 0 && x < camera.width && y < camera.height) {
        rows.push(row);
      }
      return rows.length <= 4 * MOST_NAMES;
    });
    if (rows.length > 4 * MOST_NAMES) {
      return;
    }
    for (const row of rows) {
      const named = this.data.named(row);
      if (named) {
        this.#name(this.#place(camera, row), named.title, ink, ground, false);
      }
    }
  }

  /** Writes a name beside a point, unless it would cover another one. */
  #name([x, y], name, ink, ground, isNeeded) {
    const shown = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
    const box = { left: x + 10, top: y - 8, right: x + 14 + this.brush.measureText(shown).width, bottom: y + 8 };
    const isCovered = this.taken.some((other) => box.left < other.right && other.left < box.right
      && box.top < other.bottom && other.top < box.bottom);
    if (isCovered && !isNeeded) {
      return;
    }
    this.taken.push(box);
    this.brush.lineWidth = 4;
    this.brush.lineJoin = "round";
    this.brush.strokeStyle = ground;
    this.brush.fillStyle = ink;
    this.brush.strokeText(shown, x + 12, y);
    this.brush.fillText(shown, x + 12, y);
  }
}
