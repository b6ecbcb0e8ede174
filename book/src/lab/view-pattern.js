"use strict";
// A text that must match a pattern: the tokens that stay and those removed, at each step.
var lab = lab || {};

lab.viewPattern = (() => {
  const { find, make, count, percent, pause } = lab.dom;
  const MOST = 60; // tokens drawn at once

  /** The choices, one for each recorded pattern. */
  function radios(patterns) {
    return patterns.map(({ pattern }, value) => make("label", {},
      make("input", { type: "radio", name: "pattern", value, defaultChecked: !value }),
      make("code", {}, pattern)));
  }

  /** A sentence about the step. */
  function sentence({ before, allowed }, { added, matches }) {
    const left = allowed.filter(Boolean).length;
    const share = before.reduce((sum, p, id) => (allowed[id] ? sum + p : sum), 0);
    const end = matches ? "The text matches: it may end here." : "The text may not end here.";
    return `Token ${added.length + 1}: ${count(left)} of ${count(before.length)} tokens may follow. ` +
      `The model gives ${left === 1 ? "it" : "them"} ${percent(share)} of its probability. ${end}`;
  }

  class Pattern {
    constructor(page) {
      this.page = page;
      const { recording, tokenizer } = page;
      this.end = recording.endOfText;
      const bytes = (_, id) => (id === this.end ? [] : tokenizer.bytes(id));
      this.tokens = tokenizer.vocabulary.map(bytes);
      this.bars = new lab.viewFitting.Bars(tokenizer, (id) => this.choose(id));
      find("lab-patterns").append(...radios(recording.patterns));
      this.controls = ["lab-pattern-one", "lab-pattern-all", "lab-pattern-again"].map(find);
      this.listen();
      this.open(0);
    }

    listen() {
      find("lab-patterns").addEventListener("change", ({ target }) => this.open(target.value));
      const actions = [() => this.write(1), () => this.write(MOST), () => this.open(this.number)];
      this.controls.forEach((button, i) =>
        button.addEventListener("click", () => button.ariaDisabled === "true" || actions[i]()));
    }

    /** Starts a text with a pattern, and seeds the random numbers. */
    open(number) {
      this.number = number;
      const packed = this.page.recording.patterns[number];
      this.text = new lab.patterns.Text(packed, this.tokens, this.end);
      this.uniform = lab.random.generator(this.page.seed());
      this.busy = false;
      find("lab-pattern-steps").tBodies[0].replaceChildren();
      this.show();
    }

    canGrow() {
      return Boolean(this.step) && this.page.source.room(this.text.ids) > 0;
    }

    choose(id) {
      if (!this.busy && this.canGrow() && this.step.allowed[id]) this.add(id);
    }

    add(id) {
      find("lab-pattern-steps").tBodies[0].append(this.done(id, this.step));
      this.text.add(id);
      this.show();
    }

    /** Draws tokens and shows each. */
    async write(most) {
      const { text } = this;
      this.busy = true;
      for (let i = 0; i < most && this.text === text && this.canGrow(); i++) {
        this.add(lab.random.draw(this.step.after, this.uniform));
        await pause();
      }
      if (this.text !== text) return; // the reader has begun another text
      this.busy = false;
      this.showControls();
    }

    /** Shows the text and its next token, with the filters as they are now. */
    show() {
      this.step = this.next();
      this.showText();
      this.showControls();
      this.bars.show(this.step, this.controls.at(-1));
    }

    /** The next token's probabilities, and which tokens may follow; null if there is none. */
    next() {
      const { source, filters } = this.page;
      if (!source.model || this.text.ended) return null;
      const { ids } = this.text;
      const { logits } = source.next(ids);
      const allowed = this.text.allowed();
      return { allowed, ...filters.apply(logits, ids, allowed) };
    }

    showText() {
      const { prompt, added, ended } = this.text;
      const words = this.page.tokenizer.decode(ended ? added.slice(0, -1) : added);
      find("lab-pattern-steps").hidden = !added.length;
      find("lab-pattern-text").replaceChildren(
        make("span", { className: "lab-given" }, this.page.tokenizer.decode(prompt)),
        make("strong", {}, words));
      const note = find("lab-pattern-note");
      const news = this.news();
      if (note.textContent !== news) note.textContent = news; // said only once
    }

    /** A sentence about where the text is. */
    news() {
      const { source, failed } = this.page;
      if (this.text.ended) return "The text has ended, and matches the pattern.";
      if (failed) return "The model cannot be loaded, so no text can be written here.";
      if (!source.model) return "The model is being loaded.";
      if (!this.canGrow()) return `The text is as long as the model can read: ${source.positions} tokens.`;
      return sentence(this.step, this.text);
    }

    /** A row of the table: a token, its rivals, and its probabilities. */
    done(id, { before, after, allowed }) {
      const name = make("th", { scope: "row" }, this.page.tokenizer.show(id));
      const numbers = [count(allowed.filter(Boolean).length), percent(before[id]), percent(after[id])];
      return make("tr", {}, name, ...numbers.map((text) => make("td", {}, text)));
    }

    showControls() {
      const can = !this.busy && this.canGrow();
      const begun = this.text.added.length > 0;
      this.controls.forEach((button, i) => (button.ariaDisabled = !(i < 2 ? can : begun)));
    }
  }

  return { Pattern };
})();
