"use strict";
// Traces and where they come from. Python sends one as JSON. For the running sentence,
// Python has recorded all products with weights. For any other text, the model of this page
// computes them. Shapes: T tokens, C channels, V vocabulary.
var lab = lab || {};

lab.trace = (() => {
  const { Walk, row, rows, stack, hideFuture } = lab.walk;
  const GUESSES = 5;

  /** The likeliest tokens of logits [V]: { id, token, p }. */
  function likeliest(logits, token) {
    const p = lab.decoding.softmax(logits);
    const best = lab.decoding.likeliestFirst(p).slice(0, GUESSES);
    return best.map((id) => ({ id, token: token(id), p: p[id] }));
  }

  /** What needs weights, computed by the model of this page. */
  function computed(model, ids, token) {
    const head = (list) => list.map((x) => model.head(x));
    return {
      embed: (name) => ids.map((id, t) => model.row(`${name}.weight`, name === "wte" ? id : t)),
      product: (layer, list) => list.map((x) => model.linear(x, layer)),
      vector: (name) => model.tensors[name],
      head,
      guesses: (streams) => streams.map((list) =>
        head(list.map((x) => model.norm(x, "ln_f"))).map((r) => likeliest(r, token))),
    };
  }

  /** A token's text; its bytes if they are no whole characters. */
  function name(tokenizer, id) {
    const text = tokenizer.decode([id]);
    return text.includes("\uFFFD") ? tokenizer.show(id) : text;
  }

  /** The trace of ids [T] by the model of this page. */
  function compute(model, tokenizer, ids) {
    const token = (id) => name(tokenizer, id);
    const { layers, heads, channels, eps } = model;
    const sizes = {
      layers, heads, channels, eps,
      inner: model.tensors["h.0.mlp.c_fc.bias"].length,
      vocabulary: tokenizer.vocabulary.length,
    };
    const text = tokenizer.decode(ids);
    const source = computed(model, ids, token);
    return new Walk({ sizes, text, tokens: ids.map(token), ids }, source).trace;
  }

  /** The rows of a recorded matrix: integers times the scale of their row. */
  function scaled({ scale, values }) {
    const scales = lab.unpack.array(Float32Array, scale);
    const integers = lab.unpack.array(Int16Array, values);
    const shape = [scales.length, integers.length / scales.length];
    return rows({ shape, values: integers }).map((r, i) =>
      Float64Array.from(r, (value) => value * scales[i]));
  }

  /** The trace of a recording of book/lab/sentence.py, which the weights are not needed for. */
  function recorded({ sizes, tokens, ids, embeddings, products, vectors, logits, guesses }) {
    return new Walk({ sizes, text: tokens.join(""), tokens, ids }, {
      embed: (name) => scaled(embeddings[name]),
      product: (layer) => scaled(products[layer]),
      vector: (name) => scaled(vectors[name])[0],
      head: () => scaled(logits),
      guesses: () => guesses,
    }).trace;
  }

  /** A trace that Python has sent, with arrays of numbers instead of text. */
  function read(sent) {
    const arrays = {};
    for (const [name, { shape, values }] of Object.entries(sent.arrays)) {
      arrays[name] = { shape, values: lab.unpack.array(Float32Array, values) };
    }
    arrays.logits = stack(rows(arrays.logits).slice(-1));
    for (let i = 0; i < sent.sizes.layers; i++) {
      const scores = arrays[`h.${i}.scores`];
      arrays[`h.${i}.masked`] = { ...stack(rows(scores).map(hideFuture)), shape: scores.shape };
    }
    return { ...sent, arrays };
  }

  /** The difference of two traces of the same text: mine − reference. */
  function difference(mine, reference) {
    const arrays = {};
    for (const [name, { shape, values }] of Object.entries(mine.arrays)) {
      const others = reference.arrays[name].values;
      const gaps = Float64Array.from(values, (x, i) => (x === others[i] ? 0 : x - others[i]));
      arrays[name] = { shape, values: gaps };
    }
    return { ...mine, arrays };
  }

  /** The name of an array in one block: "h.*.in" → "h.2.in", "h.last.out" → "h.3.out". */
  function named(pattern, block, sizes) {
    return pattern.replace("*", block).replace("last", sizes.layers - 1);
  }

  return { compute, recorded, read, difference, row, named };
})();
