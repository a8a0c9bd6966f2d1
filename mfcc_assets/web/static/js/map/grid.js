// @ts-check
// Finds the points near a place, without looking at all of them.

const CELLS = 128; // along each side
const CELL_BITS = 9; // 65,536 / 128 = 2 to the 9

export class Grid {
  /** @param {Uint16Array} points */
  constructor(points) {
    this.points = points;
    const count = points.length / 2;
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    for (let row = 0; row < count; row++) {
      this.starts[this.#cell(row) + 1] += 1;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell++) {
      this.starts[cell + 1] += this.starts[cell];
    }
    const filled = this.starts.slice();
    this.rows = new Uint32Array(count);
    for (let row = 0; row < count; row++) {
      this.rows[filled[this.#cell(row)]++] = row;
    }
  }

  /**
   * Returns the row of the nearest point within a distance, or -1.
   * @param {number} x @param {number} y @param {number} most @param {(row: number) => boolean} isShown
   */
  nearest(x, y, most, isShown = () => true) {
    let [found, least] = [-1, most * most];
    this.within(x - most, y - most, x + most, y + most, (row) => {
      const distance = (this.points[2 * row] - x) ** 2 + (this.points[2 * row + 1] - y) ** 2;
      if (distance <= least && isShown(row)) {
        [found, least] = [row, distance];
      }
      return true;
    });
    return found;
  }

  /**
   * Calls a function with the rows of the cells that touch a rectangle, until it returns false.
   * @param {number} left @param {number} low @param {number} right @param {number} high
   * @param {(row: number) => boolean} visit
   */
  within(left, low, right, high, visit) {
    const [fromX, toX, fromY, toY] = [left, right, low, high].map((place) =>
      Math.max(0, Math.min(CELLS - 1, Math.floor(place) >> CELL_BITS)));
    for (let cellY = fromY; cellY <= toY; cellY++) {
      const [from, to] = [this.starts[cellY * CELLS + fromX], this.starts[cellY * CELLS + toX + 1]];
      for (let at = from; at < to; at++) {
        if (!visit(this.rows[at])) {
          return;
        }
      }
    }
  }

  #cell(row) {
    return (this.points[2 * row + 1] >> CELL_BITS) * CELLS + (this.points[2 * row] >> CELL_BITS);
  }
}
