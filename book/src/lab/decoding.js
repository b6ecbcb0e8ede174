"use strict";
// The filters between a model's logits and the drawn token, with the functions of
// solutions/encore_sampling.py. Each takes logits [V] and returns new logits [V].
// A removed token has the logit -Infinity.
var lab = lab || {};

lab.decoding = (() => {
  const OFF = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
  const ORDERS = {
    "temperature first": ["repetitionPenalty", "temperature", "topK", "topP", "minP"],
    "temperature last": ["repetitionPenalty", "topK", "topP", "minP", "temperature"],
  };

  /** The probabilities [V] of logits [V]; -Infinity becomes exactly 0. */
  function softmax(logits) {
    const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const weights = logits.map((x) => Math.exp(x - highest));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  }

  /** The ids [V] by descending score; equal scores by ascending id. */
  function likeliestFirst(scores) {
    const ids = Array.from(scores.keys());
    return ids.sort((a, b) => scores[b] - scores[a] || a - b);
  }

  /** A copy with only these ids' logits; all others are -Infinity. */
  function keep(logits, ids) {
    const kept = new Float64Array(logits.length).fill(-Infinity);
    for (const id of ids) kept[id] = logits[id];
    return kept;
  }

  /** Makes used tokens less likely. Each counts once, however often it was used. */
  function applyRepetitionPenalty(logits, previousIds, penalty) {
    const penalized = Float64Array.from(logits);
    for (const id of previousIds) {
      const score = logits[id]; // the model's logit, so a repeated id changes nothing
      penalized[id] = score < 0 ? score * penalty : score / penalty;
    }
    return penalized;
  }

  /** Divides the logits by the temperature; 0 keeps only the likeliest token. */
  function temperatureScale(logits, temperature) {
    if (temperature === 0) return topKFilter(logits, 1);
    return Float64Array.from(logits, (x) => x / temperature);
  }

  /** Keeps the k highest logits, of equal ones the lower ids; 0 keeps all. */
  function topKFilter(logits, k) {
    if (k === 0) return Float64Array.from(logits);
    return keep(logits, likeliestFirst(logits).slice(0, k));
  }

  /** Keeps a token while the probability of those before it is below p. */
  function topPFilter(logits, p) {
    if (p === 1) return Float64Array.from(logits);
    const probabilities = softmax(logits);
    let before = 0;
    const kept = likeliestFirst(logits).filter((id) => {
      const stays = before < p;
      before += probabilities[id];
      return stays;
    });
    return keep(logits, kept);
  }

  /** Keeps the tokens with at least p times the highest probability. */
  function minPFilter(logits, p) {
    const probabilities = softmax(logits);
    const least = p * probabilities.reduce((a, b) => Math.max(a, b));
    const ids = Array.from(probabilities.keys());
    return keep(logits, ids.filter((id) => probabilities[id] >= least));
  }

  const FILTERS = {
    repetitionPenalty: (logits, s, previousIds) =>
      applyRepetitionPenalty(logits, previousIds, s.repetitionPenalty),
    temperature: (logits, s) => temperatureScale(logits, s.temperature),
    topK: (logits, s) => topKFilter(logits, s.topK),
    topP: (logits, s) => topPFilter(logits, s.topP),
    minP: (logits, s) => minPFilter(logits, s.minP),
  };

  /** Applies the filters in an order; returns each name and the logits after it. */
  function stages(logits, previousIds, settings, order) {
    return ORDERS[order].map((name) => {
      logits = FILTERS[name](logits, settings, previousIds);
      return { name, logits };
    });
  }

  /** The distribution [V] of the next token. */
  function nextTokenProbabilities(logits, previousIds, settings, order) {
    return softmax(stages(logits, previousIds, settings, order).at(-1).logits);
  }

  return {
    OFF, ORDERS, softmax, likeliestFirst, applyRepetitionPenalty, temperatureScale,
    topKFilter, topPFilter, minPFilter, stages, nextTokenProbabilities,
  };
})();
