"use strict";
// Paints a grid on two canvases: the cells, and above them what is chosen and lit.
var lab = lab || {};

lab.gridPainter = (() => {
  const { make, signed } = lab.dom;
  const { css } = lab.gridColors;
  const WRITABLE = 36; // a cell of this width has its number written inside
  const SPACED = 12; // wider cells have a space between them
  const VEIL = 0.62;
  const PAD = 6; // room for the enlarged cell at the edges; grid.css has the same number

  /** A number that fits into a cell. */
  const short = (value) => (value === -Infinity ? "−∞" : signed(value));

  /** Sizes a canvas, with PAD on all sides, and returns its cleared context. */
  function fit(canvas, width, height) {
    const ratio = devicePixelRatio || 1;
    const [w, h] = [width + 2 * PAD, height + 2 * PAD];
    Object.assign(canvas, { width: w * ratio, height: h * ratio });
    Object.assign(canvas.style, { width: `${w}px`, height: `${h}px` });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, PAD * ratio, PAD * ratio);
    return context;
  }

  class Painter {
    constructor(sheet) {
      this.sheet = sheet;
      // Without a size, a canvas takes 300 pixels: more than a phone has beside the names.
      const canvas = () => make("canvas", { "aria-hidden": "true", width: 0, height: 0 });
      Object.assign(this, { under: canvas(), over: canvas() });
    }

    /** Paints all cells, on a width of `room` pixels. */
    cells(layout, palette, scale, room) {
      Object.assign(this, { layout, palette, scale, room });
      const context = fit(this.under, room, layout.total);
      for (let row = 0; row < layout.rows; row++) {
        for (let column = 0; column < layout.columns; column++) this.cell(context, row, column);
        this.heads(context, row);
      }
    }

    cell(context, row, column) {
      const value = this.sheet.value(row, column);
      const { x, y, width, height } = this.layout.box(row, column);
      // Without a space, neighbours overlap, or thin lines would show between them.
      const inner = width > SPACED ? width - 2 : width + 0.5;
      context.fillStyle = this.palette.of(value, this.scale);
      context.fillRect(x, y, inner, height);
      if (width >= WRITABLE) this.write(context, value, x + inner / 2, y + height / 2);
    }

    write(context, value, x, y) {
      context.fillStyle = this.palette.on(value, this.scale);
      context.font = "11.5px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText((this.sheet.write ?? short)(value), x, y);
    }

    /** Separates the parts of the heads in a row. */
    heads(context, row) {
      const { heads, columns } = this.sheet;
      context.fillStyle = css(this.palette.paper);
      for (let head = 1; head < (heads ?? 0); head++) {
        const { x, y, height } = this.layout.box(row, (head * columns) / heads);
        if (x > 0) context.fillRect(x - 1, y, 2, height);
      }
    }

    /** Paints what is chosen: `lit` regions, `marks` and the `cursor`. */
    chosen({ lit, veil, marks, cursor }) {
      if (!this.layout) return;
      const context = fit(this.over, this.room, this.layout.total);
      const boxes = lit.flatMap((region) => this.layout.boxes(region));
      if (boxes.length && veil) this.veil(context, boxes);
      for (const box of boxes) this.frame(context, box, this.palette.ink);
      for (const cell of marks) this.frame(context, this.layout.box(...cell), this.palette.bad);
      if (cursor) this.enlarge(context, ...cursor);
    }

    /** Veils all but the lit boxes. */
    veil(context, boxes) {
      context.fillStyle = css(this.palette.paper, VEIL);
      context.fillRect(-PAD, -PAD, this.room + 2 * PAD, this.layout.total + 2 * PAD);
      for (const { x, y, width, height } of boxes) context.clearRect(x, y, width, height);
    }

    frame(context, { x, y, width, height }, color) {
      const grow = Math.max(0, (5 - width) / 2); // a thin cell's frame stays visible
      context.strokeStyle = css(color);
      context.lineWidth = 1.5;
      context.strokeRect(x - grow - 0.75, y - 0.75, width + 2 * grow + 1.5, height + 1.5);
    }

    enlarge(context, row, column) {
      const { x, y, width, height } = this.layout.box(row, column);
      const [w, h] = [Math.max(width, SPACED), Math.max(height, SPACED) + 4];
      const corner = [x + (width - w) / 2, y + (height - h) / 2];
      if (width < SPACED) {
        context.fillStyle = this.palette.of(this.sheet.value(row, column), this.scale);
        context.fillRect(...corner, w, h);
      }
      context.lineWidth = 2;
      context.strokeStyle = css(this.palette.ink);
      context.strokeRect(...corner, w, h);
    }
  }

  return { Painter };
})();
