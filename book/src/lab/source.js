"use strict";
// The source of a text's next logits: the model in this page once it is loaded, and
// Python's recording until then.
var lab = lab || {};

lab.source = (() => {
  /** The recorded steps, by the ids of the text before each. */
  function readRecording({ openings, recorded }) {
    const steps = new Map();
    for (const { prompt, path, ids, logits, rest } of openings) {
      const tokens = lab.unpack.array(Uint16Array, ids);
      const scores = lab.unpack.array(Float32Array, logits);
      lab.unpack.array(Float64Array, rest).forEach((others, step) => {
        const [from, to] = [step * recorded, (step + 1) * recorded];
        const text = [...prompt, ...path.slice(0, step)].join();
        const known = { ids: tokens.subarray(from, to), logits: scores.subarray(from, to) };
        steps.set(text, { ...known, rest: others });
      });
    }
    return steps;
  }

  /** Logits [V]: the recorded ones; all others as equally likely. */
  function spread({ ids, logits, rest }, size) {
    const all = new Float64Array(size).fill(rest - Math.log(size - ids.length));
    ids.forEach((id, i) => (all[id] = logits[i]));
    return all;
  }

  class Source {
    constructor(recording, size) {
      this.size = size; // V
      this.steps = readRecording(recording);
      this.model = null;
      this.positions = Infinity;
    }

    async load(address) {
      await lab.dom.loadScript(address);
      this.model = new lab.model.GPT2(lab.weights);
      this.positions = this.model.positions;
    }

    /** The number of tokens that still fit after the text. */
    room(ids) {
      return this.positions - ids.length;
    }

    /** The next token's { logits [V], recorded ids or null }, or null if unknown. */
    next(ids) {
      const known = this.steps.get(ids.join());
      if (this.model) return { logits: this.model.next(ids), recorded: null };
      return known ? { logits: spread(known, this.size), recorded: known.ids } : null;
    }

    /** The largest difference to Python's logits at this step, or null. */
    difference(ids) {
      const known = this.steps.get(ids.join());
      if (!known || !this.model) return null;
      const logits = this.model.next(ids);
      const gaps = Array.from(known.ids, (id, i) => Math.abs(logits[id] - known.logits[i]));
      return Math.max(...gaps);
    }
  }

  return { Source, spread };
})();
