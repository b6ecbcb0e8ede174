"use strict";
// What a grid shows: an array of the trace, one head of it, or one head's channels.
var lab = lab || {};

lab.sheet = (() => {
  const { chip } = lab.token;
  const { valueOf, split } = lab.cells;
  const TITLES = {
    wte: "row of the token", wpe: "row of the position", in: "the stream, as it comes in",
    ln_1: "normalized", query: "query", key: "key", value: "value", scores: "scores",
    masked: "masked scores", shares: "shares", mixed: "mixed values",
    parts: "share · value", attn: "attention's result", mid: "the stream, after attention",
    ln_2: "normalized", hidden: "hidden units", active: "hidden units, after GELU",
    mlp: "the network's result", out: "the stream, as it goes out", ln_f: "normalized",
    logits: "logits",
  };

  const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

  /** Rows and columns of an array of the trace; both are counted from 0 here. */
  class Sheet {
    /**
     * @param scene { trace, head, row }; `row` is the token that asks, in the mix of values
     * @param pattern such as "h.0.query", or "h.0.query[head]" for one head's channels
     * @param rows { from, to } of a part of the rows
     */
    constructor({ trace, head, row: asking }, pattern, { from = 0, to = trace.ids.length }) {
      Object.assign(this, { trace, head, asking });
      this.name = pattern.replace("[head]", "");
      this.last = split(this.name)[1];
      const { shape } = trace.arrays[this.name.replace(".parts", ".value")]; // shaped alike
      this.isSquare = shape.length === 3;
      const size = trace.sizes.channels / trace.sizes.heads;
      const isPart = pattern !== this.name;
      this.left = isPart ? head * size : 0; // the first column in the array
      this.columns = isPart ? size : shape.at(-1);
      const isLogits = this.last === "logits"; // of the last token alone
      this.top = isLogits ? 0 : from; // the first row in the array
      this.tokens = isLogits ? trace.tokens.slice(-1) : trace.tokens.slice(from, to);
      this.describe(isPart || this.isSquare);
    }

    /** Sets what the grid shows around its cells. */
    describe(isOfHead) {
      const { last, tokens, columns, trace, head } = this;
      this.title = isOfHead ? `${TITLES[last]} of head ${head}` : TITLES[last];
      this.shape = `${tokens.length} × ${columns}`;
      this.label = `${this.title}: ${tokens.length} by ${columns} numbers`;
      this.rows = tokens.map(chip);
      this.tops = this.isSquare ? trace.tokens.map(chip) : null;
      const isSplit = ["query", "key", "value", "mixed"].includes(last) && !isOfHead;
      this.heads = isSplit ? trace.sizes.heads : null;
    }

    /** The cell of the array at a place here. */
    cell(row, column) {
      const { name, top, left, asking, isSquare, last } = this;
      const head = isSquare || last === "parts" ? this.head : null;
      return { name, head, row: top + row, column: left + column, asking };
    }

    value(row, column) {
      return valueOf(this.trace, this.cell(row, column));
    }

    /** The place of a cell here, which may be outside; null of another array's cell. */
    place({ name, row, column }) {
      return name === this.name ? [row - this.top, column - this.left] : null;
    }

    /** The part of a region that is here, or null. */
    region({ name, rows, columns }) {
      if (name !== this.name) return null;
      const cut = ([from, to], start, size) =>
        [Math.max(0, from - start), Math.min(size, to - start)];
      const region = {
        rows: cut(rows, this.top, this.tokens.length),
        columns: cut(columns, this.left, this.columns),
      };
      return Object.values(region).every(([from, to]) => from < to) ? region : null;
    }

    /** All numbers. */
    values() {
      return range(0, this.tokens.length).flatMap((row) =>
        range(0, this.columns).map((column) => this.value(row, column)));
    }
  }

  return { Sheet, range, TITLES };
})();
