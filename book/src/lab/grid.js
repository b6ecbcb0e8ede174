"use strict";
// A grid of coloured cells with one row for each token. All vectors and matrices of the
// pages are such grids. A pointer, a finger or the arrow keys choose a cell.
var lab = lab || {};

lab.grid = (() => {
  const { make } = lab.dom;
  const { Layout } = lab.gridLayout;
  const { Palette } = lab.gridColors;
  const { Painter } = lab.gridPainter;
  const NARROW = 34; // above narrower cells, names are turned
  const GRIDS = new WeakMap(); // by their elements

  class Grid {
    /**
     * @param sheet { title, shape, label, rows: [names], tops: [names] or null, columns,
     *   value(row, column), heads }, and maybe beside(row) and aside: elements beside the
     *   names and instead of the shape, and write(value): a number as text
     * @param options { scale: the number of full colour, point(row, column): is called
     *   when the reader chooses a cell }
     */
    constructor(sheet, { scale, point }) {
      Object.assign(this, { sheet, scale, point, marks: [], last: null });
      this.chosen = { lit: [], cursor: null };
      this.painter = new Painter(sheet);
      this.cells = make("div", {
        className: "grid-cells", tabIndex: 0, role: "application",
        "aria-label": `${sheet.label}. Arrow keys move from cell to cell.`,
      }, this.painter.under, this.painter.over);
      this.element = this.figure();
      this.listen();
    }

    figure() {
      const { title, shape, aside, rows, tops, beside, columns } = this.sheet;
      const named = (name, row) =>
        make("div", { className: "grid-name" }, name, beside?.(row) ?? "");
      const figure = make("figure", { className: tops ? "grid grid-square" : "grid" },
        make("figcaption", {}, make("span", { className: "grid-title" }, title),
          make("span", { className: "grid-shape" }, aside ?? shape)),
        make("div", { className: "grid-body" },
          make("div", { className: "grid-tops", hidden: !tops }, ...(tops ?? [])),
          make("div", { className: "grid-names" }, ...rows.map(named)),
          this.cells));
      figure.style.setProperty("--columns", columns);
      return figure;
    }

    listen() {
      for (const kind of ["pointermove", "pointerdown"]) {
        this.cells.addEventListener(kind, (event) => this.follow(event));
      }
      this.cells.addEventListener("keydown", (event) => this.move(event));
      this.cells.addEventListener("focus", () => {
        const byKey = this.cells.matches(":focus-visible");
        if (byKey && !this.chosen.cursor) this.go(this.last ?? [0, 0]);
      });
      new ResizeObserver(() => this.paint()).observe(this.cells);
      GRIDS.set(this.cells, this);
    }

    /** Chooses the cell under the pointer. */
    follow(event) {
      const box = this.cells.getBoundingClientRect();
      const cell = this.layout.at(event.clientX - box.left, event.clientY - box.top);
      if (cell) this.go(cell);
    }

    /** Chooses a neighbour by the arrow keys, or a row's first or last cell. */
    move(event) {
      const [row, column] = this.chosen.cursor ?? this.last ?? [0, 0];
      const target = {
        ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
        ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        Home: [row, 0], End: [row, this.sheet.columns - 1],
      }[event.key];
      if (!target || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation(); // the book would open another page
      if (this.has(...target)) this.go(target);
    }

    has(row, column) {
      const { rows, columns } = this.sheet;
      return row >= 0 && row < rows.length && column >= 0 && column < columns;
    }

    go([row, column]) {
      if (this.chosen.cursor?.join() !== [row, column].join()) this.point(row, column);
    }

    /** Frames regions { rows, columns }, maybe veils the rest, enlarges the cursor's cell. */
    show({ cursor = null, lit = [], veil = false }) {
      this.last = cursor ?? this.last;
      this.chosen = { cursor, lit, veil };
      this.painter.chosen({ ...this.chosen, marks: this.marks });
    }

    paint() {
      const room = this.cells.clientWidth;
      if (!room) return; // it is hidden
      this.layout = new Layout(room, this.sheet.rows.length, this.sheet.columns);
      const { row, gap, width, total } = this.layout;
      const lengths = { "--row": row, "--between": gap, "--cell": width };
      for (const [name, length] of Object.entries(lengths)) {
        this.element.style.setProperty(name, `${length}px`);
      }
      this.element.classList.toggle("grid-narrow", width < NARROW);
      this.cells.style.height = `${total}px`;
      this.painter.cells(this.layout, new Palette(this.cells), this.scale, room);
      this.show(this.chosen);
    }
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const cells of document.querySelectorAll(".grid-cells")) GRIDS.get(cells).paint();
  });

  return { Grid };
})();
