"use strict";
// Byte-level BPE: text to token ids and back (Radford et al. 2019, section 2.2).
var lab = lab || {};

lab.tokenizer = (() => {
  const WORDS =
    /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
  const END = "<|endoftext|>";

  /** Each byte's character in the vocabulary: printable bytes keep theirs. */
  function byteCharacters() {
    const prints = (b) => (b > 32 && b < 127) || (b > 160 && b < 256 && b !== 173);
    let next = 256;
    return Array.from({ length: 256 }, (_, b) => String.fromCharCode(prints(b) ? b : next++));
  }

  const CHARACTERS = byteCharacters();
  const BYTES = new Map(CHARACTERS.map((character, byte) => [character, byte]));

  class Tokenizer {
    constructor({ vocabulary, merges }) {
      this.vocabulary = vocabulary;
      this.ids = new Map(vocabulary.map((token, id) => [token, id]));
      this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    }

    encode(text) {
      const pieces = text.split(END).map((part) => this.words(part));
      return pieces.flatMap((ids, i) => (i ? [this.ids.get(END), ...ids] : ids));
    }

    words(text) {
      return (text.match(WORDS) ?? []).flatMap((word) => {
        const bytes = new TextEncoder().encode(word);
        return this.merge(Array.from(bytes, (byte) => CHARACTERS[byte]));
      });
    }

    /** Merges pairs in the order of training until no known pair is left. */
    merge(parts) {
      const rank = (i) => this.ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
      for (;;) {
        const ranks = parts.slice(1).map((_, i) => rank(i));
        const lowest = Math.min(...ranks);
        if (lowest === Infinity) return parts.map((part) => this.ids.get(part));
        const pair = [parts[ranks.indexOf(lowest)], parts[ranks.indexOf(lowest) + 1]];
        parts = joined(parts, pair);
      }
    }

    /** A token's bytes; the end of text has the bytes of its name. */
    bytes(id) {
      return Array.from(this.vocabulary[id], (character) => BYTES.get(character));
    }

    /** The text of ids; bytes that form no character become U+FFFD. */
    decode(ids) {
      const bytes = ids.flatMap((id) => this.bytes(id));
      return new TextDecoder().decode(Uint8Array.from(bytes));
    }

    /** One token with visible spaces and line ends. */
    show(id) {
      if (this.vocabulary[id] === END) return "end of text";
      const text = this.decode([id]);
      if (text.includes("\uFFFD")) return this.bytes(id).map(hex).join(" ");
      return text.replaceAll(" ", "␣").replaceAll("\n", "↵");
    }
  }

  const hex = (byte) => `0x${byte.toString(16).padStart(2, "0")}`;

  /** Merges every occurrence of a pair in the parts, from the left. */
  function joined(parts, [first, second]) {
    const result = [];
    for (let i = 0; i < parts.length; i++) {
      const found = parts[i] === first && parts[i + 1] === second;
      result.push(found ? parts[i] + parts[++i] : parts[i]);
    }
    return result;
  }

  return { Tokenizer };
})();
