"use strict";
// How a text is cut into tokens: one merge after the other, in all pieces at once.
var lab = lab || {};

lab.viewMerges = (() => {
  const { find, make, count, quoted } = lab.dom;

  /** A piece as a group of symbols; those that the last merge made are marked. */
  function piece(tokenizer, symbols, made) {
    const boxes = symbols.map((symbol) =>
      make("span", { className: symbol === made ? "lab-symbol lab-new" : "lab-symbol" },
        tokenizer.readable(symbol)));
    return make("li", { className: "lab-piece" }, ...boxes);
  }

  /** A sentence about the step. */
  function sentence(tokenizer, steps, place) {
    const { pair, rank, pieces } = steps[place];
    const tokens = count(pieces.flat().length);
    const cut = pieces.length === 1 ? "1 piece" : `${pieces.length} pieces`;
    if (!place) return `${cut} with ${tokens} symbols: at first, each byte is one.`;
    const [first, second] = pair.map((symbol) => quoted(tokenizer.readable(symbol)));
    const left = `${tokens} symbols are left.`;
    const end = place === steps.length - 1 ? " No pair has a rank: these are the tokens." : "";
    return `Merge ${place} of ${steps.length - 1} has rank ${count(rank)}: ` +
      `${first} and ${second} become one. ${left}${end}`;
  }

  class Merges {
    constructor(tokenizer) {
      this.tokenizer = tokenizer;
      this.slider = find("lab-merge-step");
      this.slider.addEventListener("input", () => this.show());
      find("lab-merge-text").addEventListener("input", () => this.cut());
      this.cut();
    }

    /** Cuts the text anew, and shows its bytes. */
    cut() {
      this.steps = this.tokenizer.steps(find("lab-merge-text").value);
      this.slider.max = this.steps.length - 1;
      this.slider.value = 0;
      this.show();
    }

    show() {
      const place = this.slider.valueAsNumber;
      const { pieces, pair } = this.steps[place];
      const made = pair?.join("");
      const last = place === this.steps.length - 1;
      find("lab-merge-pieces").replaceChildren(
        ...pieces.map((symbols) => piece(this.tokenizer, symbols, made)));
      find("lab-merge-note").textContent = sentence(this.tokenizer, this.steps, place);
      find("lab-merge-ids").textContent = last ? this.ids(pieces) : "";
      this.slider.previousElementSibling.textContent = `${place} of ${this.steps.length - 1}`;
    }

    /** The ids of the tokens, once all merges are done. */
    ids(pieces) {
      const ids = pieces.flat().map((token) => this.tokenizer.ids.get(token));
      return ids.length ? `Ids: ${ids.join(" ")}` : "An empty text has no ids.";
    }
  }

  return { Merges };
})();
