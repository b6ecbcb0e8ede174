"use strict";
// Cells and regions of a trace's arrays. A cell is { name, head, row, column }; `head` is
// null unless the array is [H, T, T]. A region is { name, rows: [from, to], columns:
// [from, to] } without `to`.
var lab = lab || {};

lab.cells = (() => {
  const { row } = lab.trace;

  /** A name's prefix and last part: "h.2.ln_1" → ["h.2.", "ln_1"]. */
  function split(name) {
    const [, prefix, last] = name.match(/^(h\.\d+\.)?(.*)$/);
    return [prefix ?? "", last];
  }

  /** The value of a cell. */
  function valueOf(trace, cell) {
    const { name, head, row: t, column } = cell;
    if (name.endsWith(".parts")) return part(trace, cell);
    const array = trace.arrays[name];
    return row(array, (head === null ? 0 : head * array.shape[1]) + t)[column];
  }

  /** One token's part of the mix of values of the token that is asking. */
  function part(trace, { name, head, row: j, column, asking }) {
    const [at] = split(name);
    const share = valueOf(trace, { name: `${at}shares`, head, row: asking, column: j });
    return share * valueOf(trace, { name: `${at}value`, head: null, row: j, column });
  }

  /** The region of a row's numbers, from a column on. */
  const whole = (name, t, size, from = 0) =>
    ({ name, rows: [t, t + 1], columns: [from, from + size] });

  /** The region of one cell. */
  const one = (name, t, c) => whole(name, t, 1, c);

  return { split, valueOf, whole, one };
})();
