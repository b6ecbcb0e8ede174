"use strict";
// Where the cells of a grid are. A row that is too long for its place is folded into lines.
var lab = lab || {};

lab.gridLayout = (() => {
  const LEAST = 2.2; // width of a cell in pixels
  const MATRIX = 40; // with so few columns, cells are nearly square
  const [SQUARE, HIGH, LOW] = [38, 26, 14]; // largest width, largest and smallest height

  /** The lines of a row, the cells on a line, and a cell's size. */
  function measures(room, rows, columns) {
    if (columns <= MATRIX) {
      const width = Math.min(SQUARE, Math.floor(room / columns));
      const height = Math.max(LOW, Math.min(width, HIGH));
      return { lines: 1, per: columns, width, height, gap: 2 };
    }
    let lines = 1;
    while (room / Math.ceil(columns / lines) < LEAST) lines *= 2;
    const per = Math.ceil(columns / lines);
    const height = lines === 1 ? 20 : lines <= 4 ? 8 : 5;
    return { lines, per, width: room / per, height, gap: rows > 8 ? 3 : 6 };
  }

  class Layout {
    constructor(room, rows, columns) {
      Object.assign(this, { rows, columns }, measures(room, rows, columns));
      this.row = this.lines * this.height; // a row's height
      this.total = rows * (this.row + this.gap) - this.gap;
    }

    /** The corner and the size of a cell. */
    box(row, column) {
      const { per, width, height } = this;
      const y = row * (this.row + this.gap) + Math.floor(column / per) * height;
      return { x: (column % per) * width, y, width, height };
    }

    /** The [row, column] at a point, or null. */
    at(x, y) {
      const row = Math.floor(y / (this.row + this.gap));
      const line = Math.floor((y - row * (this.row + this.gap)) / this.height);
      const column = Math.min(line, this.lines - 1) * this.per + Math.floor(x / this.width);
      const inside = x >= 0 && x < this.per * this.width && y >= 0;
      return inside && row < this.rows && column < this.columns ? [row, column] : null;
    }

    /** The boxes of a region { rows: [from, to], columns: [from, to] }, one for each line. */
    boxes({ rows: [top, bottom], columns: [from, to] }) {
      const after = (column) => (Math.floor(column / this.per) + 1) * this.per; // next line
      const boxes = [];
      for (let row = top; row < bottom; row++) {
        for (let start = from; start < to; start = after(start)) {
          const count = Math.min(to, after(start)) - start;
          boxes.push({ ...this.box(row, start), width: count * this.width });
        }
      }
      return boxes;
    }
  }

  return { Layout };
})();
