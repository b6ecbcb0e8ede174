"use strict";
// What a grid shows: an array of the trace, one head of it, or one head's channels.
var lab = lab || {};

lab.sheet = (() => {
  const { chip } = lab.token;
  const { valueOf, split } = lab.cells;
  const TITLES = {
    wte: "row of the token", wpe: "row of the place", in: "the stream, as it comes in",
    ln_1: "normalized", query: "query", key: "key", value: "value", scores: "scores",
    masked: "masked scores", shares: "shares", mixed: "mixed values",
    parts: "share · value", attn: "attention's result", mid: "the stream, after attention",
    ln_2: "normalized", hidden: "hidden units", active: "hidden units, after GELU",
    mlp: "the network's result", out: "the stream, as it goes out", ln_f: "normalized",
    logits: "logits",
  };

  /**
   * The sheet of an array.
   * @param view { trace, head }
   * @param pattern such as "h.0.query", or "h.0.query[head]" for one head's channels
   */
  function sheet({ trace, head, row: asking }, pattern, { from = 0, to = trace.ids.length } = {}) {
    const name = pattern.replace("[head]", "");
    const [, last] = split(name);
    const array = trace.arrays[name.replace(".parts", ".value")]; // of the same shape
    const { heads, channels } = trace.sizes;
    const cube = array.shape.length === 3;
    const size = channels / heads;
    const start = pattern.endsWith("[head]") ? head * size : 0;
    const columns = pattern.endsWith("[head]") ? size : array.shape.at(-1);
    const logits = last === "logits";
    const tokens = logits ? [trace.ids.length - 1] : range(from, to);
    const cell = (row, column) => ({
      name, row: logits ? 0 : from + row, column: start + column,
      head: cube || last === "parts" ? head : null, asking,
    });
    const title = start || columns === size ? `${TITLES[last]} of head ${head}` : TITLES[last];
    return {
      name, last, columns, cell, title: cube ? `${TITLES[last]} of head ${head}` : title,
      shape: `${tokens.length} × ${columns}`,
      label: `${title}: ${tokens.length} by ${columns} numbers`,
      rows: tokens.map((t) => chip(trace.tokens[t])),
      tops: cube ? trace.tokens.map(chip) : null,
      heads: columns === channels && /query|key|value|mixed/.test(last) ? heads : null,
      value: (row, column) => valueOf(trace, cell(row, column)),
      /** The place of a cell of the array here, or null. */
      place: (other) => other.name !== name ? null
        : [other.row - (logits ? 0 : from), other.column - start],
      /** A region of the array, in this sheet's rows and columns, or null. */
      region: (other) => other.name !== name ? null
        : clip(other, from, tokens.length, start, columns),
    };
  }

  const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

  function clip({ rows, columns }, top, height, left, width) {
    const cut = ([from, to], start, size) =>
      [Math.max(0, from - start), Math.min(size, to - start)];
    const region = { rows: cut(rows, top, height), columns: cut(columns, left, width) };
    return region.rows[0] < region.rows[1] && region.columns[0] < region.columns[1] ? region : null;
  }

  /** All values of a sheet. */
  const values = ({ rows, columns, value }) =>
    rows.flatMap((_, row) => Array.from({ length: columns }, (_, column) => value(row, column)));

  return { sheet, values, range, TITLES };
})();
