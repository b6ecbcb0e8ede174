"use strict";
// Constrained decoding as in solutions/encore_constrained.py, with the automata that
// book/lab/patterns.py packs.
var lab = lab || {};

lab.patterns = (() => {
  const OUT = 255; // instead of a state: the text does not fit the pattern any more

  class Automaton {
    constructor({ columns, column, accepting, alive }) {
      this.columns = lab.unpack.array(Uint8Array, columns); // [C, S]
      this.column = lab.unpack.array(Uint8Array, column); // [256], each byte's column
      this.size = this.columns.length / (Math.max(...this.column) + 1); // S
      this.accepting = new Set(accepting);
      this.alive = new Set(alive);
    }

    /** The state after a token's bytes, or OUT. */
    walk(state, bytes) {
      for (const byte of bytes) {
        if (state === OUT) return OUT;
        state = this.columns[this.column[byte] * this.size + state];
      }
      return state;
    }

    /**
     * Whether each token may follow in a state.
     *
     * `tokens` has the bytes of each; a token without bytes fits nowhere. An end of text
     * may follow where the text may end. No token may lead to a dead end.
     */
    allowed(state, tokens, endId) {
      const may = tokens.map((bytes) => bytes.length > 0 && this.alive.has(this.walk(state, bytes)));
      may[endId] = this.accepting.has(state);
      return may;
    }
  }

  /** A text that has to match a pattern; its prompt need not. */
  class Text {
    constructor({ prompt, ...packed }, tokens, endId) {
      Object.assign(this, { prompt, tokens, endId, state: 0, added: [] });
      this.automaton = new Automaton(packed);
    }

    get ids() {
      return [...this.prompt, ...this.added];
    }

    get ended() {
      return this.added.at(-1) === this.endId;
    }

    /** Whether the new text matches the pattern already. */
    get matches() {
      return this.automaton.accepting.has(this.state);
    }

    allowed() {
      return this.automaton.allowed(this.state, this.tokens, this.endId);
    }

    add(id) {
      this.added.push(id);
      this.state = this.automaton.walk(this.state, this.tokens[id]);
    }
  }

  /** The logits [V], with -Infinity for tokens that are not allowed. */
  const constrain = (logits, allowed) =>
    Float64Array.from(logits, (x, id) => (allowed[id] ? x : -Infinity));

  return { Automaton, Text, constrain };
})();
