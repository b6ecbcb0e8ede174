"use strict";
// Beam search as in solutions/encore_beam_search.py. The tree needs every step.
var lab = lab || {};

lab.beams = (() => {
  /** The log-probabilities [V] of logits [V]. */
  function logSoftmax(logits) {
    const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = logits.reduce((sum, x) => sum + Math.exp(x - highest), 0);
    return logits.map((x) => x - highest - Math.log(total));
  }

  /** One beam's `count` likeliest continuations: others cannot be among the best. */
  function continuations(beam, parent, logits, count) {
    const logProbabilities = logSoftmax(logits);
    const best = lab.decoding.likeliestFirst(logProbabilities).slice(0, count);
    return best.map((token) => ({
      ids: [...beam.ids, token],
      token,
      parent,
      logProbability: logProbabilities[token],
      sum: beam.sum + logProbabilities[token],
    }));
  }

  /** The likeliest continuations of all beams, best first; ties keep their order. */
  function candidates(beams, nextLogits, count) {
    const all = beams.flatMap((beam) =>
      continuations(beam, beam.rank, nextLogits(beam.ids), count));
    return all.sort((a, b) => b.sum - a.sum).slice(0, count);
  }

  /** Marks every candidate as kept, ended or dropped. */
  function decide(ranked, length, { numBeams, maxNewTokens, lengthPenalty, eosTokenId }) {
    let room = numBeams;
    return ranked.map((candidate, rank) => {
      const ends = candidate.token === eosTokenId || length === maxNewTokens;
      let fate = "dropped";
      if (ends && rank < numBeams) fate = "ended";
      if (!ends && room-- > 0) fate = "kept";
      return { ...candidate, rank, length, fate, score: candidate.sum / length ** lengthPenalty };
    });
  }

  const of = (fate, texts) => texts.filter((text) => text.fate === fate);

  /** The finished texts, best first, at most one for each beam. */
  function best(texts, numBeams) {
    return texts.sort((a, b) => b.score - a.score).slice(0, numBeams);
  }

  /**
   * Looks for the continuation with the highest score.
   *
   * Options: numBeams, maxNewTokens, lengthPenalty, eosTokenId (null: none).
   * Returns the finished texts, best first, and the candidates of every step.
   */
  function beamSearch(nextLogits, promptIds, options) {
    let beams = [{ ids: [...promptIds], sum: 0, rank: 0 }];
    let finished = [];
    const steps = [];
    for (let length = 1; length <= options.maxNewTokens; length++) {
      const ranked = candidates(beams, nextLogits, 2 * options.numBeams);
      const step = decide(ranked, length, options);
      steps.push(step);
      finished = best([...finished, ...of("ended", step)], options.numBeams);
      beams = of("kept", step);
      const lowest = finished.at(-1)?.score;
      if (finished.length === options.numBeams && !beams.some((b) => b.score > lowest)) break;
    }
    return { finished, steps };
  }

  return { logSoftmax, beamSearch };
})();
