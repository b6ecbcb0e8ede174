"use strict";
// A grid of coloured cells with one row for each token. A long row is folded into lines.
// All vectors and matrices are drawn as this grid: blue above 0, orange below.
var lab = lab || {};

lab.grid = (() => {
  const { make, signed } = lab.dom;
  const LEAST = 2.2; // width of a cell in pixels
  const SQUARE = 44; // largest width of a cell of a square matrix
  const WRITABLE = 36; // a cell of this width has its number written inside
  const NARROW = 34; // above narrower cells, names are turned
  const PAD = 6; // room for the enlarged cell at the edges
  const SHADES = 24;
  const GRIDS = new WeakMap(); // by their elements

  /** Where the cells are: `lines` for each row, with `per` cells on a line. */
  function layout(width, rows, columns) {
    if (columns <= 40) return squares(width, columns);
    let lines = 1;
    while (width / Math.ceil(columns / lines) < LEAST) lines *= 2;
    const per = Math.ceil(columns / lines);
    const height = lines === 1 ? 20 : lines <= 4 ? 8 : 5;
    return { lines, per, width: width / per, height, gap: rows > 8 ? 3 : 6 };
  }

  function squares(width, columns) {
    const size = Math.min(SQUARE, Math.floor(width / columns));
    return { lines: 1, per: columns, width: size, height: Math.max(14, Math.min(size, 28)), gap: 2 };
  }

  /** The colours of the page's theme, as [red, green, blue]. */
  function readColors(element) {
    const probe = make("span", { hidden: true });
    element.append(probe);
    const read = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    };
    const [above, below, zero, ink, paper, bad] = ["--fig-1", "--fig-2", "--soft", "--ink", "--bg", "--bad"].map(read);
    probe.remove();
    return { above, below, zero, ink, paper, bad };
  }

  const rgb = (color, alpha = 1) => `rgb(${color.map(Math.round).join(" ")} / ${alpha})`;
  const blend = (a, b, share) => a.map((x, i) => x + share * (b[i] - x));

  /** How strong a number's colour is, −1 to 1; weak numbers stay visible. */
  const strength = (x, scale) => Math.sign(x) * Math.min(1, Math.abs(x) / scale) ** 0.7;

  /** The number at which the colour is full: nearly the largest, but for outliers. */
  function scaleOf(values) {
    const sizes = Float64Array.from(values, Math.abs).filter(Number.isFinite).sort();
    return sizes[Math.ceil(0.985 * (sizes.length - 1))] || 1;
  }

  /** A number that fits into a cell. */
  const short = (value) => (value === -Infinity ? "−∞" : signed(value));

  class Grid {
    /**
     * @param sheet { title, shape, label, rows: [names], tops: [names] or null, columns,
     *   value(row, column), heads }, and maybe beside(row) and aside: elements beside the
     *   names and instead of the shape, and write(value): a number as text
     * @param listener { point(row, column) }
     */
    constructor(sheet, { scale, point }) {
      Object.assign(this, { sheet, scale, point, lit: [], marks: [], cursor: null, last: null });
      this.canvas = make("canvas", { "aria-hidden": "true" });
      this.over = make("canvas", { className: "grid-over", "aria-hidden": "true" });
      this.cells = make("div", {
        className: "grid-cells", tabIndex: 0, role: "application",
        "aria-label": `${sheet.label}. Arrow keys move from cell to cell.`,
      }, this.canvas, this.over);
      const named = (name, row) =>
        make("div", { className: "grid-name" }, name, sheet.beside?.(row) ?? "");
      this.names = make("div", { className: "grid-names" }, ...sheet.rows.map(named));
      this.tops = make("div", { className: "grid-tops" }, ...(sheet.tops ?? []));
      this.tops.hidden = !sheet.tops;
      this.element = make("figure", { className: sheet.tops ? "grid grid-square" : "grid" },
        make("figcaption", {}, make("span", { className: "grid-title" }, sheet.title),
          make("span", { className: "grid-shape" }, sheet.aside ?? sheet.shape)),
        make("div", { className: "grid-body" }, this.tops, this.names, this.cells));
      this.element.style.setProperty("--columns", sheet.columns);
      this.listen();
    }

    listen() {
      for (const kind of ["pointermove", "pointerdown"]) {
        this.cells.addEventListener(kind, (event) => this.follow(event));
      }
      this.cells.addEventListener("keydown", (event) => this.move(event));
      this.cells.addEventListener("focus", () => {
        if (!this.cursor && this.cells.matches(":focus-visible")) this.go(this.last ?? [0, 0]);
      });
      new ResizeObserver(() => this.paint()).observe(this.cells);
      GRIDS.set(this.cells, this);
    }

    /** Chooses the cell under the pointer. */
    follow(event) {
      const box = this.cells.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const { lines, per, width, height, gap } = this.layout;
      const row = Math.floor(y / (lines * height + gap));
      const line = Math.floor((y - row * (lines * height + gap)) / height);
      const column = Math.min(line, lines - 1) * per + Math.floor(x / width);
      if (this.inside(row, column) && x < per * width) this.go([row, column]);
    }

    move(event) {
      const [row, column] = this.cursor ?? this.last ?? [0, 0];
      const target = {
        ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
        ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        Home: [row, 0], End: [row, this.sheet.columns - 1],
      }[event.key];
      if (!target || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation(); // the book would open another page
      if (this.inside(...target)) this.go(target);
    }

    inside(row, column) {
      return row >= 0 && row < this.sheet.rows.length && column >= 0 && column < this.sheet.columns;
    }

    go([row, column]) {
      if (this.cursor?.join() !== [row, column].join()) this.point(row, column);
    }

    /** Frames regions { rows, columns }, maybe veils the rest, enlarges the cursor's cell. */
    show({ cursor = null, lit = [], veil = false }) {
      if (cursor) this.last = cursor;
      Object.assign(this, { cursor, lit, veil });
      this.paintOver();
    }

    /** The corner and the size of a cell. */
    box(row, column) {
      const { lines, per, width, height, gap } = this.layout;
      const y = row * (lines * height + gap) + Math.floor(column / per) * height;
      return { x: (column % per) * width, y, width, height };
    }

    color(value) {
      if (value === -Infinity) return this.colors.paper; // a hidden score
      if (Number.isNaN(value)) return this.colors.bad;
      const { above, below, zero } = this.colors;
      const t = Math.round(strength(value, this.scale) * SHADES) / SHADES;
      return blend(zero, t < 0 ? below : above, Math.abs(t));
    }

    paint() {
      const room = this.cells.clientWidth;
      if (!room) return;
      this.colors = readColors(this.cells);
      const { rows, columns } = this.sheet;
      this.layout = layout(room, rows.length, columns);
      const { lines, height, gap, width } = this.layout;
      const total = rows.length * (lines * height + gap) - gap;
      this.element.style.setProperty("--row", `${lines * height}px`);
      this.element.style.setProperty("--between", `${gap}px`);
      this.element.style.setProperty("--cell", `${width}px`);
      this.element.classList.toggle("grid-narrow", width < NARROW);
      this.cells.style.height = `${total}px`;
      const context = fit(this.canvas, room, total);
      for (let row = 0; row < rows.length; row++) {
        for (let column = 0; column < columns; column++) this.paintCell(context, row, column);
      }
      if (this.sheet.heads) this.paintHeads(context, rows.length);
      this.paintOver();
    }

    paintCell(context, row, column) {
      const value = this.sheet.value(row, column);
      const { x, y, width, height } = this.box(row, column);
      const space = width > 12 ? 2 : 0;
      context.fillStyle = rgb(this.color(value));
      // Without gaps, neighbours overlap a little, or thin lines would show between them.
      context.fillRect(x, y, width - space + (space ? 0 : 0.5), height);
      if (width >= WRITABLE) this.write(context, value, x + (width - space) / 2, y + height / 2);
    }

    write(context, value, x, y) {
      const strong = Math.abs(strength(value, this.scale)) > 0.55 && Number.isFinite(value);
      context.fillStyle = rgb(strong ? this.colors.paper : this.colors.ink);
      context.font = "12px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(this.sheet.write?.(value) ?? short(value), x, y);
    }

    /** Separates the parts of the heads. */
    paintHeads(context, count) {
      const size = this.sheet.columns / this.sheet.heads;
      context.fillStyle = rgb(this.colors.paper);
      for (let row = 0; row < count; row++) {
        for (let head = 1; head < this.sheet.heads; head++) {
          const { x, y, height } = this.box(row, head * size);
          if (x > 0) context.fillRect(x - 1, y, 2, height);
        }
      }
    }

    paintOver() {
      if (!this.layout) return;
      const [width, height] = [this.cells.clientWidth, this.cells.clientHeight];
      const context = fit(this.over, width, height);
      const boxes = this.lit.flatMap((region) => this.linesOf(region));
      if (boxes.length && this.veil) this.paintVeil(context, boxes, width, height);
      for (const box of boxes) this.frame(context, box, this.colors.ink);
      for (const [row, column] of this.marks) this.frame(context, this.box(row, column), this.colors.bad);
      if (this.cursor && this.inside(...this.cursor)) this.enlarge(context, ...this.cursor);
    }

    /** Veils all but the lit boxes. */
    paintVeil(context, boxes, width, height) {
      context.fillStyle = rgb(this.colors.paper, 0.62);
      context.fillRect(-PAD, -PAD, width + 2 * PAD, height + 2 * PAD);
      for (const { x, y, width: w, height: h } of boxes) context.clearRect(x, y, w, h);
    }

    /** The boxes of a region, one for each line. */
    linesOf({ rows: [top, bottom], columns: [from, to] }) {
      const { per } = this.layout;
      const boxes = [];
      for (let row = top; row < bottom; row++) {
        for (let start = from; start < to; start = (Math.floor(start / per) + 1) * per) {
          const end = Math.min(to, (Math.floor(start / per) + 1) * per);
          const first = this.box(row, start);
          boxes.push({ ...first, width: (end - start) * first.width });
        }
      }
      return boxes;
    }

    frame(context, { x, y, width, height }, color) {
      const grow = Math.max(0, (5 - width) / 2); // a thin cell's frame stays visible
      context.strokeStyle = rgb(color);
      context.lineWidth = 1.5;
      context.strokeRect(x - grow - 0.75, y - 0.75, width + 2 * grow + 1.5, height + 1.5);
    }

    enlarge(context, row, column) {
      const { x, y, width, height } = this.box(row, column);
      const [w, h] = [Math.max(width, 12), Math.max(height, 12) + 4];
      const corner = [x + (width - w) / 2, y + (height - h) / 2];
      if (width < 12) {
        context.fillStyle = rgb(this.color(this.sheet.value(row, column)));
        context.fillRect(...corner, w, h);
      }
      context.lineWidth = 2;
      context.strokeStyle = rgb(this.colors.ink);
      context.strokeRect(...corner, w, h);
    }
  }

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

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const cells of document.querySelectorAll(".grid-cells")) GRIDS.get(cells).paint();
  });

  return { Grid, scaleOf };
})();
