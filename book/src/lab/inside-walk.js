"use strict";
// A trace: every intermediate result for one text, by the names of the stages. The walk
// computes all but what needs weights, which a source makes.
// Shapes: T tokens, C channels, H heads, D head size, V vocabulary.
var lab = lab || {};

lab.walk = (() => {
  /** The i-th row [width] of an array [..., width]. */
  function row({ shape, values }, i) {
    const width = shape.at(-1);
    return values.subarray(i * width, (i + 1) * width);
  }

  /** All rows of an array. */
  function rows(array) {
    const count = array.values.length / array.shape.at(-1);
    return Array.from({ length: count }, (_, i) => row(array, i));
  }

  /** The array [N, width] of N rows. */
  function stack(list) {
    const width = list[0].length;
    const values = new Float64Array(list.length * width);
    list.forEach((numbers, i) => values.set(numbers, i * width));
    return { shape: [list.length, width], values };
  }

  const add = (a, b) => a.map((x, t) => x.map((value, c) => value + b[t][c]));
  const part = (list, i, size) => list.map((x) => x.subarray(i * size, (i + 1) * size));

  /** A row of scores [T] of any head, with −∞ for the tokens after its own. */
  function hideFuture(scores, row) {
    return scores.map((score, j) => (j <= row % scores.length ? score : -Infinity));
  }

  /** Walks a text through the model and keeps every result. */
  class Walk {
    /**
     * @param text { sizes, text, tokens, ids }
     * @param source makes what needs weights, as rows: embed("wte"), product(layer, rows),
     *   vector(name), head(rows) and guesses(streams). Of the logits only the last
     *   token's are kept, [1, V].
     */
    constructor(text, source) {
      this.trace = { format: 1, ...text, arrays: {} };
      this.source = source;
      const embedded = ["wte", "wpe"].map((name) => this.keep(name, source.embed(name)));
      const streams = [add(...embedded)];
      for (let i = 0; i < text.sizes.layers; i++) {
        streams.push(this.block(`h.${i}.`, streams.at(-1)));
      }
      this.keep("logits", source.head(this.norm("ln_f", streams.at(-1)).slice(-1)));
      this.trace.guesses = source.guesses(streams);
    }

    keep(name, list, shape = null) {
      const array = stack(list);
      this.trace.arrays[name] = shape ? { ...array, shape } : array;
      return list;
    }

    norm(name, list) {
      const [weight, bias] = ["weight", "bias"].map((kind) => {
        const vector = this.source.vector(`${name}.${kind}`);
        this.trace.arrays[`${name}.${kind}`] = { shape: [vector.length], values: vector };
        return vector;
      });
      const { eps } = this.trace.sizes;
      return this.keep(name, list.map((x) => lab.model.layerNorm(x, weight, bias, eps)));
    }

    /** One block [T, C] → [T, C]; `at` is the prefix of its names. */
    block(at, stream) {
      const normed = this.norm(`${at}ln_1`, this.keep(`${at}in`, stream));
      const mixed = this.attend(at, this.source.product(`${at}attn.c_attn`, normed));
      const attended = this.source.product(`${at}attn.c_proj`, mixed);
      const middle = this.keep(`${at}mid`, add(stream, this.keep(`${at}attn`, attended)));
      const fed = this.feed(at, this.norm(`${at}ln_2`, middle));
      return this.keep(`${at}out`, add(middle, fed));
    }

    /** All heads' attention, from queries, keys and values in one, [T, 3C] → [T, C]. */
    attend(at, joined) {
      const { heads, channels } = this.trace.sizes;
      const [query, key, value] = ["query", "key", "value"].map((name, i) =>
        this.keep(at + name, part(joined, i, channels)));
      const size = channels / heads;
      const [scores, shares, mixed] = [[], [], joined.map(() => new Float64Array(channels))];
      for (let h = 0; h < heads; h++) {
        const [q, k, v] = [query, key, value].map((list) => part(list, h, size));
        q.forEach((asking, t) => {
          const row = Float64Array.from(k, (key) => lab.model.score(asking, key));
          const visible = lab.decoding.softmax(row.subarray(0, t + 1));
          scores.push(row);
          shares.push(Float64Array.from(row, (_, j) => (j <= t ? visible[j] : 0)));
          mixed[t].set(lab.model.mix(visible, v.slice(0, t + 1)), h * size);
        });
      }
      const shape = [heads, joined.length, joined.length];
      this.keep(`${at}scores`, scores, shape);
      this.keep(`${at}masked`, scores.map(hideFuture), shape);
      this.keep(`${at}shares`, shares, shape);
      return this.keep(`${at}mixed`, mixed);
    }

    /** The feed-forward network, [T, C] → [T, C]. */
    feed(at, list) {
      const hidden = this.keep(`${at}hidden`, this.source.product(`${at}mlp.c_fc`, list));
      const active = this.keep(`${at}active`, hidden.map((x) => x.map(lab.model.gelu)));
      return this.keep(`${at}mlp`, this.source.product(`${at}mlp.c_proj`, active));
    }
  }

  return { Walk, row, rows, stack, hideFuture };
})();
