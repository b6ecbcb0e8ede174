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
    constructor({ symbols, merges }) {
      this.vocabulary = [...symbols, ...merges.map((pair) => pair.replace(" ", ""))];
      this.ids = new Map(this.vocabulary.map((token, id) => [token, id]));
      this.ranks = new Map(merges.map((pair, rank) => [pair, rank]));
    }

    encode(text) {
      return this.pieces(text).flatMap((piece) => this.merge(piece));
    }

    /** The pieces of a text, each as its bytes' characters; an end of text is one symbol. */
    pieces(text) {
      return text.split(END).flatMap((part, i) => (i ? [[END], ...cut(part)] : cut(part)));
    }

    /** The pair of neighbours with the lowest rank, and the rank; null if none has one. */
    lowest(parts) {
      const rank = (i) => this.ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
      const ranks = parts.slice(1).map((_, i) => rank(i));
      const best = Math.min(...ranks);
      const place = ranks.indexOf(best);
      return best < Infinity ? { rank: best, pair: parts.slice(place, place + 2) } : null;
    }

    /** Merges pairs in the order of training until no known pair is left; returns ids. */
    merge(parts) {
      for (let best; (best = this.lowest(parts)); ) parts = joined(parts, best.pair);
      return parts.map((part) => this.ids.get(part));
    }

    /** The pieces before all merges, and after each merge in all pieces at once. */
    steps(text) {
      let pieces = this.pieces(text);
      const steps = [{ pieces }];
      for (;;) {
        const known = pieces.map((piece) => this.lowest(piece)).filter(Boolean);
        if (!known.length) return steps;
        const best = known.reduce((a, b) => (b.rank < a.rank ? b : a));
        pieces = pieces.map((piece) => joined(piece, best.pair));
        steps.push({ ...best, pieces });
      }
    }

    /** A token's bytes; the end of text has the bytes of its name. */
    bytes(id) {
      return bytesOf(this.vocabulary[id]);
    }

    /** The text of ids; bytes that form no character become U+FFFD. */
    decode(ids) {
      const bytes = ids.flatMap((id) => this.bytes(id));
      return new TextDecoder().decode(Uint8Array.from(bytes));
    }

    /** One token with · for a space and ↵ for a line break. */
    show(id) {
      return this.readable(this.vocabulary[id]);
    }

    /** The text of a symbol, with · for a space and ↵ for a line break. */
    readable(symbol) {
      if (symbol === END) return "end of text";
      const bytes = bytesOf(symbol);
      const text = new TextDecoder().decode(Uint8Array.from(bytes));
      // A mark that stands in the text itself is shown by its bytes.
      if (/[\uFFFD·↵]/.test(text)) return bytes.map(hex).join(" ");
      return text.replaceAll(" ", "·").replaceAll("\n", "↵");
    }
  }

  const bytesOf = (symbol) => Array.from(symbol, (character) => BYTES.get(character));

  /** The pieces of a text without an end of text, each as its bytes' characters. */
  function cut(text) {
    const characters = (word) =>
      Array.from(new TextEncoder().encode(word), (byte) => CHARACTERS[byte]);
    return (text.match(WORDS) ?? []).map(characters);
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
