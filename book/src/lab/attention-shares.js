"use strict";
// Recorded attention by block and head, and averages.
var lab = lab || {};

lab.attentionShares = (() => {
  /** A sentence's tokens and the shares [L][H][T][T] as nested arrays. */
  function unpack({ tokens, shares }, layers, heads) {
    const flat = lab.unpack.array(Uint16Array, shares);
    let next = 0;
    const row = (t) => tokens.map((_, j) => (j <= t ? flat[next++] / 65535 : 0));
    const matrix = () => tokens.map((_, t) => row(t));
    const head = () => Array.from({ length: heads }, matrix);
    return { tokens, shares: Array.from({ length: layers }, head) };
  }

  const mean = (numbers) => numbers.reduce((a, b) => a + b) / numbers.length;

  /** The heads of a choice of block and head; "all" selects every one. */
  function chosen(table, { layer, head }) {
    const layers = layer === "all" ? table : [table[layer]];
    return layers.flatMap((heads) => (head === "all" ? heads : [heads[head]]));
  }

  /** The matrix [T][T] of a choice: the average over its heads. */
  function matrix(shares, choice) {
    const all = chosen(shares, choice);
    return all[0].map((row, i) => row.map((_, j) => mean(all.map((m) => m[i][j]))));
  }

  /** A choice's mean shares of: itself, the token before, the first, all others. */
  function targets(table, choice) {
    const all = chosen(table, choice);
    return all[0].map((_, i) => mean(all.map((row) => row[i])));
  }

  return { unpack, matrix, targets };
})();
