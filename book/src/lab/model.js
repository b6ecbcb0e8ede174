"use strict";
// GPT-2 in the browser, one token at a time with a key-value cache. Parameters have the
// names of the course's steps. Shapes: C channels, H heads, D head size, V vocabulary.
var lab = lab || {};

lab.model = (() => {
  /** weight [out, in] · x [in] + bias [out]. */
  function linear(x, weight, bias) {
    return Float64Array.from(bias, (start, row) => start + dot(weight, row * x.length, x));
  }

  /** The dot product of x with the numbers of `row` from `start` on. */
  function dot(row, start, x) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += row[start + i] * x[i];
    return sum;
  }

  function layerNorm(x, weight, bias, eps) {
    const mean = x.reduce((a, b) => a + b) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    const scale = 1 / Math.sqrt(variance + eps);
    return x.map((value, i) => (value - mean) * scale * weight[i] + bias[i]);
  }

  /** GELU in its tanh form, as in GPT-2. */
  function gelu(x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  }

  const add = (x, y) => x.map((value, i) => value + y[i]);

  /** Attention's score of a query [D] and a key [D]. */
  const score = (query, key) => dot(key, 0, query) / Math.sqrt(query.length);

  /** The sum [D] of values, each [D], times its share. */
  function mix(shares, values) {
    return values[0].map((_, i) => values.reduce((sum, v, t) => sum + shares[t] * v[i], 0));
  }

  /** One head's attention: a query [D] over the cached keys and values, each [D]. */
  function attend(query, keys, values) {
    return mix(lab.decoding.softmax(keys.map((key) => score(query, key))), values);
  }

  /** A text's last token, with its keys, its values and its hidden state. */
  class Node {
    constructor(parent, id) {
      this.parent = parent;
      this.id = id;
      this.position = parent ? parent.position + 1 : -1; // the root is the empty text
      this.following = new Map();
      this.keys = []; // [L] of [C]
      this.values = [];
    }

    /** All tokens of the text, from the first to this one. */
    path() {
      const nodes = [];
      for (let node = this; node.parent; node = node.parent) nodes.unshift(node);
      return nodes;
    }
  }

  class GPT2 {
    constructor({ layers, heads, positions, eps, tensors }) {
      Object.assign(this, { layers, heads, positions, eps });
      this.tensors = Object.fromEntries(
        Object.entries(tensors).map(([name, packed]) => [
          name,
          typeof packed === "string"
            ? lab.unpack.array(Float32Array, packed)
            : lab.unpack.matrix(packed),
        ]),
      );
      this.channels = this.tensors["ln_f.weight"].length;
      this.root = new Node(null, null);
    }

    /** The logits [V] of the next token after 1 to `positions` ids. */
    next(ids) {
      const node = ids.reduce((text, id) => this.extend(text, id), this.root);
      node.logits ??= this.head(node.hidden);
      return node.logits;
    }

    /** The text with one more token; an earlier calculation is used again. */
    extend(text, id) {
      if (!text.following.has(id)) text.following.set(id, this.forward(new Node(text, id)));
      return text.following.get(id);
    }

    forward(node) {
      const path = node.path();
      let x = add(this.row("wte.weight", node.id), this.row("wpe.weight", node.position));
      for (let layer = 0; layer < this.layers; layer++) {
        x = add(x, this.attention(this.norm(x, `h.${layer}.ln_1`), layer, path));
        x = add(x, this.mlp(this.norm(x, `h.${layer}.ln_2`), layer));
      }
      node.hidden = this.norm(x, "ln_f");
      return node;
    }

    /** [C] → [C]; stores this layer's key and value in the last node of the path. */
    attention(x, layer, path) {
      const qkv = this.linear(x, `h.${layer}.attn.c_attn`);
      const [query, key, value] = [0, 1, 2].map((i) => this.part(qkv, i, this.channels));
      path.at(-1).keys[layer] = key;
      path.at(-1).values[layer] = value;
      const size = this.channels / this.heads;
      const mixed = new Float64Array(this.channels);
      for (let head = 0; head < this.heads; head++) {
        const keys = path.map((node) => this.part(node.keys[layer], head, size));
        const values = path.map((node) => this.part(node.values[layer], head, size));
        mixed.set(attend(this.part(query, head, size), keys, values), head * size);
      }
      return this.linear(mixed, `h.${layer}.attn.c_proj`);
    }

    mlp(x, layer) {
      const wide = this.linear(x, `h.${layer}.mlp.c_fc`).map(gelu);
      return this.linear(wide, `h.${layer}.mlp.c_proj`);
    }

    /** [C] → logits [V], with the token embeddings as the weight. */
    head(x) {
      const weight = this.tensors["wte.weight"];
      const logits = new Float64Array(weight.length / x.length);
      return logits.map((_, id) => dot(weight, id * x.length, x));
    }

    linear(x, name) {
      return linear(x, this.tensors[`${name}.weight`], this.tensors[`${name}.bias`]);
    }

    norm(x, name) {
      const { [`${name}.weight`]: weight, [`${name}.bias`]: bias } = this.tensors;
      return layerNorm(x, weight, bias, this.eps);
    }

    row(name, index) {
      return Float64Array.from(this.part(this.tensors[name], index, this.channels));
    }

    /** The i-th of the equal parts of an array. */
    part(array, i, size) {
      return array.subarray(i * size, (i + 1) * size);
    }
  }

  return { GPT2, layerNorm, gelu, score, mix, dot };
})();
