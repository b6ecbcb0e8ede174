"use strict";
// One open stage: its grids, the chosen cell, and what made it.
var lab = lab || {};

lab.insideScene = (() => {
  const { make, percent, written } = lab.dom;
  const { split } = lab.cells;
  const { explain } = lab.sums;
  const { quoted } = lab.token;
  const { Sheet, range, TITLES } = lab.sheet;
  const { Grid } = lab.grid;
  const { scaleOf } = lab.gridColors;
  const percentages = (value) => (value === 0 ? "0" : `${Math.round(100 * value)} %`);

  /**
   * @param view { stage, trace, block, head, row, model, compact, id, choose, append,
   *   token(id) → text or null, marks(name) → cells, compared(cell) → text or null,
   *   moved(cell), says: the element that tells what a cell is }
   */
  class Scene {
    constructor(view) {
      Object.assign(this, view);
      this.grids = [];
      const build = lab.views[this.stage.name] ?? lab.views.equation;
      this.says.replaceChildren();
      this.parts = build(this);
      this.align();
    }

    /** A grid of an array; grids that are added up have one scale of colours. */
    grid(pattern, options = {}) {
      const name = lab.trace.named(pattern, this.block, this.trace.sizes);
      const sheet = Object.assign(new Sheet(this, name, options), options.look);
      const isShares = sheet.last === "shares";
      if (isShares) sheet.write = percentages;
      const grid = new Grid(sheet, {
        scale: isShares ? 1 : scaleOf(sheet.values()),
        point: (row, column) => this.point(sheet.cell(row, column)),
      });
      grid.sums = options.sums;
      const marks = this.marks(sheet.name).map((cell) => sheet.place(cell));
      grid.marks = marks.filter((place) => grid.has(...place));
      this.grids.push(grid);
      return grid.element;
    }

    align() {
      const together = this.grids.filter((grid) => grid.sums);
      const scale = Math.max(...together.map((grid) => grid.scale));
      for (const grid of together) grid.scale = scale;
    }

    /** Chooses a cell: shows its sum, and lights what made it. A first look has no veil. */
    point(cell, veil = true) {
      this.cell = cell;
      const { value, sum, note, from } = explain(this.trace, cell, this.model);
      for (const grid of this.grids) {
        const place = grid.sheet.place(cell);
        const cursor = place && grid.has(...place) ? place : null;
        const lit = from.map((region) => grid.sheet.region(region)).filter(Boolean);
        grid.show({ cursor, veil, lit: cursor ? [] : lit });
      }
      this.say(this.name(cell), value, this.compared(cell) ?? sum, note);
      this.moved(cell);
    }

    /**
     * Chooses a cell for a first look: that of an array's last name and of a column, or the
     * strongest of the stage's result.
     */
    pointAt({ row, column, last }) {
      const grid = this.grids.find((each) => each.sheet.last === last) ?? this.grids.at(-1);
      if (!grid) return;
      const { sheet } = grid;
      const place = sheet.place({ name: sheet.name, row, column });
      const line = grid.has(place[0], 0) ? place[0] : 0;
      const known = column !== null && grid.has(line, place[1]);
      this.point(sheet.cell(line, known ? place[1] : strongest(sheet, line)), false);
    }

    /** What a cell is, in words. */
    name({ name, row, column }) {
      const [, last] = split(name);
      const { tokens } = this.trace;
      if (last === "logits") return `Logit of ${this.token(column)}`;
      const asking = quoted(tokens[row]);
      if (["scores", "masked", "shares"].includes(last)) {
        return `${asking} asks ${quoted(tokens[column])}: ${last === "shares" ? "share" : "score"}`;
      }
      const kind = ["hidden", "active"].includes(last) ? "unit" : "channel";
      return `${asking}, ${kind} ${column}: ${TITLES[last]}`;
    }

    say(what, value, sum, note = "") {
      const shown = /share|Probability/.test(what) ? percent(value) : written(value);
      this.says.replaceChildren(
        make("p", { className: "inside-what" }, `${what} `, make("strong", {}, shown)),
        make("p", { className: "inside-sum" }, sum),
        make("p", { className: "inside-why" }, note));
    }
  }

  /** The column of a row's strongest number. */
  function strongest(sheet, row) {
    const size = (column) => {
      const x = Math.abs(sheet.value(row, column));
      return Number.isFinite(x) ? x : -1;
    };
    return range(0, sheet.columns).reduce((a, b) => (size(b) > size(a) ? b : a));
  }

  return { Scene };
})();
