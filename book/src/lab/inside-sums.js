"use strict";
// What made a number of a trace: the calculation in words and figures, and the cells that
// went into it, as regions.
var lab = lab || {};

lab.sums = (() => {
  const { written } = lab.dom;
  const { row } = lab.trace;
  const { split, valueOf, whole, one } = lab.cells;
  const LARGEST = 3;
  const PRODUCTS = {
    query: ["attn.c_attn", "ln_1", 0],
    key: ["attn.c_attn", "ln_1", 1],
    value: ["attn.c_attn", "ln_1", 2],
    attn: ["attn.c_proj", "mixed", 0],
    hidden: ["mlp.c_fc", "ln_2", 0],
    mlp: ["mlp.c_proj", "active", 0],
  };
  const INPUTS = { ln_1: "in", ln_2: "mid", ln_f: "out" };

  /** A number as a factor or as a later term: in brackets if negative. */
  const bracketed = (x) => (x < 0 ? `(${written(x)})` : written(x));
  const times = (a, b) => `${bracketed(a)} · ${bracketed(b)}`;
  const plus = (a, b) => `${written(a)} ${b < 0 ? "−" : "+"} ${written(Math.abs(b))}`;

  /** The largest products of two vectors, as text. */
  function largest(a, b) {
    const size = (i) => Math.abs(a[i] * b[i]);
    const order = Array.from(a.keys()).sort((i, j) => size(j) - size(i));
    return order.slice(0, LARGEST).map((i) => times(a[i], b[i])).join(", ");
  }

  /** The calculation of one cell; its methods have the names of the arrays. */
  class Sum {
    constructor(trace, cell, model) {
      Object.assign(this, { trace, cell, model, sizes: trace.sizes });
      [this.at, this.last] = split(cell.name);
      this.value = valueOf(trace, cell);
    }

    get(name, head = null, t = this.cell.row, column = this.cell.column) {
      return valueOf(this.trace, { name, head, row: t, column });
    }

    rowOf(name, t = this.cell.row) {
      return row(this.trace.arrays[name], t);
    }

    /** { sum, from }: text, and regions. */
    make() {
      if (this.last in PRODUCTS) return this.product(...PRODUCTS[this.last]);
      if (this.last in INPUTS) return this.norm();
      return this[this.last]();
    }

    looked(table, number) {
      return { sum: `Row ${number} of ${table}, a trained number.`, from: [] };
    }

    wte() {
      return this.looked("wte, the table of tokens", this.trace.ids[this.cell.row]);
    }

    wpe() {
      return this.looked("wpe, the table of positions", this.cell.row);
    }

    added(first, second) {
      const { row: t, column } = this.cell;
      const [a, b] = [first, second].map((name) => this.get(name));
      const from = [first, second].map((name) => one(name, t, column));
      return { sum: `${plus(a, b)} = ${written(this.value)}`, from };
    }

    in() {
      const block = Number(this.at.split(".")[1]);
      if (block === 0) return this.added("wte", "wpe");
      const { row: t, column } = this.cell;
      const from = [one(`h.${block - 1}.out`, t, column)];
      return { sum: `What block ${block - 1} has put out.`, from };
    }

    mid() {
      return this.added(`${this.at}in`, `${this.at}attn`);
    }

    out() {
      return this.added(`${this.at}mid`, `${this.at}mlp`);
    }

    /** The array that a normalization reads. */
    input() {
      const at = this.last === "ln_f" ? `h.${this.sizes.layers - 1}.` : this.at;
      return at + INPUTS[this.last];
    }

    norm() {
      const { name, row: t, column } = this.cell;
      const input = this.input();
      const x = this.rowOf(input);
      const mean = x.reduce((a, b) => a + b) / x.length;
      const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
      const deviation = Math.sqrt(variance + this.sizes.eps);
      const [weight, bias] = ["weight", "bias"].map((kind) =>
        this.trace.arrays[`${name}.${kind}`].values[column]);
      const centred = `(${plus(x[column], -mean)}) / ${written(deviation)}`;
      const scaled = `${centred} · ${bracketed(weight)}`;
      const shifted = `${scaled} ${bias < 0 ? "−" : "+"} ${written(Math.abs(bias))}`;
      const legend = "(x − mean) / deviation · weight + bias";
      return {
        sum: `${shifted} = ${written(this.value)}`,
        note: legend,
        from: [whole(input, t, x.length), one(input, t, column)],
      };
    }

    /** A product with trained weights, of which only the page's model knows the weights. */
    product(layer, input, part) {
      const { row: t, column } = this.cell;
      const x = this.rowOf(this.at + input);
      const number = part * this.sizes.channels + column;
      const name = `${this.at}${layer}`;
      const sum = `${x.length} products and a bias: row ${number} of ${name}, ` +
        `times the row of ${input}.`;
      const from = [whole(this.at + input, t, x.length)];
      if (!this.model) return { sum, from };
      const { [`${name}.weight`]: weights, [`${name}.bias`]: bias } = this.model.tensors;
      const weight = weights.subarray(number * x.length, (number + 1) * x.length);
      const note = `The largest: ${largest(weight, x)}. The bias: ${written(bias[number])}.`;
      return { sum, note, from };
    }

    scores() {
      const { head, row: t, column } = this.cell;
      const size = this.sizes.channels / this.sizes.heads;
      const [query, key] = [["query", t], ["key", column]].map(([name, place]) =>
        this.rowOf(this.at + name, place).subarray(head * size, (head + 1) * size));
      const dot = lab.model.dot(query, 0, key);
      return {
        sum: `${written(dot)} / √${size} = ${written(this.value)}`,
        note: `${written(dot)} is a sum of ${size} products. The largest: ${largest(query, key)}.`,
        from: [whole(`${this.at}query`, t, size, head * size),
          whole(`${this.at}key`, column, size, head * size)],
      };
    }

    masked() {
      const { row: t, column } = this.cell;
      const sum = column <= t ? "Not after the token that asks: the score stays."
        : "After the token that asks: hidden.";
      return { sum, from: [one(`${this.at}scores`, t, column)] };
    }

    shares() {
      const { head, row: t, column } = this.cell;
      const from = [whole(`${this.at}masked`, t, t + 1)];
      if (column > t) return { sum: "Hidden: e^−∞ = 0.", from };
      const scores = Array.from({ length: t + 1 }, (_, j) =>
        this.get(`${this.at}scores`, head, t, j));
      const below = scores.map((score) => `e^${bracketed(score)}`).join(" + ");
      const sum = `e^${bracketed(scores[column])} / (${below}) = ${written(this.value)}`;
      return { sum, from };
    }

    parts() {
      const { head, row: j, column, asking } = this.cell;
      const share = this.get(`${this.at}shares`, head, asking, j);
      const value = this.get(`${this.at}value`, null, j, column);
      return {
        sum: `${times(share, value)} = ${written(this.value)}`,
        from: [one(`${this.at}shares`, asking, j), one(`${this.at}value`, j, column)],
      };
    }

    mixed() {
      const { row: t, column } = this.cell;
      const head = Math.floor((column * this.sizes.heads) / this.sizes.channels);
      const terms = Array.from({ length: t + 1 }, (_, j) => times(
        this.get(`${this.at}shares`, head, t, j), this.get(`${this.at}value`, null, j, column)));
      const below = { rows: [0, t + 1], columns: [column, column + 1] };
      return {
        sum: `${terms.join(" + ")} = ${written(this.value)}`,
        from: [whole(`${this.at}shares`, t, t + 1), { name: `${this.at}value`, ...below },
          { name: `${this.at}parts`, ...below }],
      };
    }

    active() {
      const { row: t, column } = this.cell;
      const x = this.get(`${this.at}hidden`);
      const inner = `${written(x)} + 0.0447 · ${bracketed(x)}³`;
      return {
        sum: `0.5 · ${bracketed(x)} · (1 + tanh(0.798 · (${inner}))) = ${written(this.value)}`,
        from: [one(`${this.at}hidden`, t, column)],
      };
    }

    logits() {
      const last = this.trace.ids.length - 1;
      const x = this.rowOf("ln_f", last);
      const sum = `${x.length} products: row ${this.cell.column} of wte, times the row of ln_f.`;
      const from = [whole("ln_f", last, x.length)];
      if (!this.model) return { sum, from };
      const start = this.cell.column * x.length;
      const weight = this.model.tensors["wte.weight"].subarray(start, start + x.length);
      return { sum, note: `The largest: ${largest(weight, x)}.`, from };
    }
  }

  /** What made a cell: { value, sum, note, from }. */
  function explain(trace, cell, model = null) {
    const sum = new Sum(trace, cell, model);
    return { value: sum.value, ...sum.make() };
  }

  return { explain };
})();
