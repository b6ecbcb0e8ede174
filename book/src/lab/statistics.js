"use strict";
// Statistics of a filtered distribution, and of the repetition in a text.
var lab = lab || {};

lab.statistics = (() => {
  const SEQUENCE = 4; // tokens in a sequence that counts as repeated

  /** Shannon's entropy of probabilities [V], in nats. */
  function entropy(probabilities) {
    return probabilities.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  }

  /** The kept tokens: their number, and their probability before the filters. */
  function survivors(before, after) {
    const nats = entropy(after);
    return {
      count: after.reduce((n, p) => n + (p > 0), 0),
      mass: before.reduce((sum, p, id) => sum + (after[id] > 0 ? p : 0), 0),
      entropy: nats,
      choices: Math.exp(nats), // equally likely tokens with the same entropy
    };
  }

  /** Half the sum of the differences between drawn shares and probabilities. */
  function distance(counts, draws, probabilities) {
    const gaps = probabilities.map((p, id) => Math.abs(counts[id] / draws - p));
    return gaps.reduce((a, b) => a + b, 0) / 2;
  }

  /** True for each token of a sequence that also occurs earlier in the text. */
  function repeated(ids, length = SEQUENCE) {
    const marks = new Array(ids.length).fill(false);
    const seen = new Set();
    for (let start = 0; start + length <= ids.length; start++) {
      const sequence = ids.slice(start, start + length).join();
      if (seen.has(sequence)) marks.fill(true, start, start + length);
      seen.add(sequence);
    }
    return marks;
  }

  /** The number of times that the last `length` tokens occur in a row at the end. */
  function timesAtEnd(ids, length) {
    const last = ids.length - 1;
    let same = 0;
    while (last - same >= length && ids[last - same] === ids[last - same - length]) same++;
    return 1 + Math.floor(same / length);
  }

  /** The loop at the end of the text, as { length, times }, or null. */
  function circle(ids) {
    for (let length = 1; 2 * length <= ids.length; length++) {
      const times = timesAtEnd(ids, length);
      if (times > 1 && length * times >= 2 * SEQUENCE) return { length, times };
    }
    return null;
  }

  return { SEQUENCE, entropy, survivors, distance, repeated, circle };
})();
