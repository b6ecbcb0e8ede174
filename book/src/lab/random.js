"use strict";
// Reproducible draws: equal seeds give equal draws.
var lab = lab || {};

lab.random = (() => {
  /** A generator of numbers in [0, 1): mulberry32, with 32 bits of state. */
  function generator(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let x = Math.imul(state ^ (state >>> 15), state | 1);
      x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
      return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  /** Draws an id from probabilities [V]: the first whose running sum passes a number. */
  function draw(probabilities, uniform) {
    const number = uniform();
    let sum = 0;
    let last = 0;
    for (let id = 0; id < probabilities.length; id++) {
      if (probabilities[id] === 0) continue;
      sum += probabilities[id];
      last = id;
      if (number < sum) return id;
    }
    return last; // rounding can make the sum less than 1
  }

  /** Draws many times and adds each id's number of draws to the counts [V]. */
  function drawMany(probabilities, draws, uniform, counts) {
    const more = Float64Array.from(counts ?? new Float64Array(probabilities.length));
    for (let i = 0; i < draws; i++) more[draw(probabilities, uniform)]++;
    return more;
  }

  return { generator, draw, drawMany };
})();
